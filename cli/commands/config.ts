import { kubeconfigFiles, loadKubeconfig, parseKubeconfig, writeKubeconfig, type Kubeconfig } from '../../client/kubeconfig.ts';
import { readFile } from 'node:fs/promises';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag } from '../flags.ts';
import { formatObject } from '../output.ts';
import { ColumnLayout } from '../print-table.ts';
import { namedKubeconfig } from '../session.ts';

const flags = { kubeconfig: clusterFlags.kubeconfig, context: clusterFlags.context };
type Context = CommandContext<typeof flags>;

const read = async (context: Context): Promise<Kubeconfig> => loadKubeconfig({ named: await namedKubeconfig(context.flags, context), env: context.env });

/** Reads the one file in which the current context is kept: the named one, or the first of the list. */
const change = async (context: Context, edit: (config: Kubeconfig) => Kubeconfig): Promise<void> => {
  const named = await namedKubeconfig(context.flags, context);
  const files = kubeconfigFiles(named, context.env);
  const texts = await Promise.all(files.map(async (file) => ({ file, config: parseKubeconfig(await readFile(file, 'utf8').catch(() => ''), file) })));
  const first = texts.find(({ config }) => config.currentContext !== undefined) ?? texts[0]!;
  await writeKubeconfig(first.file, edit(first.config));
};

const hidden = (name: string, value: unknown): unknown => (/-data$|^password$|^token$/.test(name) ? (name.startsWith('certificate') || name.startsWith('client') ? 'DATA+OMITTED' : 'REDACTED') : value);

const view = defineCommand({
  name: 'view', group: 'Settings', summary: 'Show the kubeconfig that is used.', usage: 'config view [--raw] [--minify] [flags]',
  flags: { ...flags, raw: flag.on('Show keys, tokens and certificates too.'), minify: flag.on('Only what the current context uses.'), output: flag.oneOf(['yaml', 'json'], 'Output format.', { short: 'o', initial: 'yaml' }) },
  run: async (context) => {
    const config = await read(context);
    const current = context.flags.context ?? config.currentContext;
    const used = current === undefined ? undefined : config.contexts.get(current);
    const { raw, minify } = context.flags;
    const list = (map: ReadonlyMap<string, object>, member: string, only: string | undefined) => [...map].filter(([name]) => !minify || name === only).map(([name, value]) => ({
      name, [member]: raw ? value : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(key, inner)])),
    }));
    context.stdout.write(formatObject({ type: context.flags.output ?? 'yaml' }, {
      apiVersion: 'v1', kind: 'Config', preferences: {}, 'current-context': current ?? '',
      clusters: list(config.clusters, 'cluster', used?.cluster), contexts: list(config.contexts, 'context', current), users: list(config.users, 'user', used?.user),
    }));
    return 0;
  },
});

const getContexts = defineCommand({
  name: 'get-contexts', group: 'Settings', summary: 'List the contexts of the kubeconfig.', usage: 'config get-contexts [NAME...] [flags]',
  flags: { ...flags, output: flag.oneOf(['name'], 'Names only.', { short: 'o' }), 'no-headers': flag.on('Leave the headers out.') },
  run: async (context) => {
    const config = await read(context);
    const missing = context.args.find((name) => !config.contexts.has(name));
    if (missing !== undefined) throw new CommandError(`context ${missing} not found`);
    const found = [...config.contexts].filter(([name]) => context.args.length === 0 || context.args.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (context.flags.output === 'name') {
      context.stdout.write(found.map(([name]) => `${name}\n`).join(''));
      return 0;
    }
    const rows = found.map(([name, { cluster = '', user = '', namespace = '' }]) => [name === config.currentContext ? '*' : '', name, cluster, user, namespace]);
    context.stdout.write(new ColumnLayout().lines([...(context.flags['no-headers'] ? [] : [['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']]), ...rows]));
    return 0;
  },
});

const currentContext = defineCommand({
  name: 'current-context', group: 'Settings', summary: 'Show the current context.', usage: 'config current-context', flags,
  run: async (context) => {
    const { currentContext: current } = await read(context);
    if (current === undefined) throw new CommandError('current-context is not set');
    context.stdout.write(`${current}\n`);
    return 0;
  },
});

const useContext = defineCommand({
  name: 'use-context', group: 'Settings', summary: 'Make a context the current one.', usage: 'config use-context NAME', flags,
  run: async (context) => {
    const [name, ...more] = context.args;
    if (name === undefined || more.length > 0) throw new CommandError('exactly one context NAME is required');
    if (!(await read(context)).contexts.has(name)) throw new CommandError(`no context exists with the name: "${name}"`);
    await change(context, (config) => ({ ...config, currentContext: name }));
    context.stdout.write(`Switched to context "${name}".\n`);
    return 0;
  },
});

const setContext = defineCommand({
  name: 'set-context', group: 'Settings', summary: 'Set the namespace, cluster or user of a context.', usage: 'config set-context (NAME | --current) [--namespace=NAME] [--cluster=NAME] [--user=NAME]',
  examples: [{ note: 'Work in another namespace from now on', line: 'config set-context --current --namespace=shop' }],
  flags: {
    ...flags, current: flag.on('The current context.'), namespace: flag.text('Namespace.', { short: 'n', value: 'NAME' }),
    cluster: flag.text('Cluster.', { value: 'NAME' }), user: flag.text('User.', { value: 'NAME' }),
  },
  run: async (context) => {
    const { flags: { current, namespace, cluster, user } } = context;
    const config = await read(context);
    const name = current ? config.currentContext : context.args[0];
    if (name === undefined) throw new CommandError('name a context, or use --current');
    const before = config.contexts.get(name);
    const given = Object.fromEntries(Object.entries({ namespace, cluster, user }).filter(([, value]) => value !== undefined));
    await change(context, (one) => ({ ...one, contexts: new Map([...one.contexts, [name, { ...one.contexts.get(name), ...given }]]) }));
    context.stdout.write(`Context "${name}" ${before === undefined ? 'created' : 'modified'}.\n`);
    return 0;
  },
});

export const command = defineCommand({
  name: 'config', group: 'Settings', summary: 'Look at the kubeconfig and choose a context.', usage: 'config (view | get-contexts | current-context | use-context | set-context)',
  flags: {}, subcommands: { view, 'get-contexts': getContexts, 'current-context': currentContext, 'use-context': useContext, use: { ...useContext, hidden: true }, 'set-context': setContext },
  run: () => Promise.reject(new CommandError('say what to do: view, get-contexts, current-context, use-context or set-context')),
});

import { existsSync } from 'node:fs';
import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand, type AnyCommand, type CommandContext } from '../command.ts';
import { flag, type Flags } from '../flags.ts';
import { at } from '../selection.ts';
import { withSession } from '../session.ts';
import { allCommands } from '../run-command-line.ts';

const flags = { ...clusterFlags, limit: flag.integerOr(500, 'Names at most.') };
type Context = CommandContext<typeof flags>;

/** Commands whose first argument is a pod, without a type. */
const ofPods = new Set(['logs', 'exec', 'attach']);

const typesAndNames = (context: Context, words: readonly string[]): Promise<readonly string[]> => withSession(context.flags, context, async (session) => {
  const discovery = await session.discovery();
  const namesOf = async (type: string, prefix = ''): Promise<readonly string[]> => {
    const resource = discovery.find(type);
    if (resource === undefined) return [];
    return (await session.api.list(at(resource, session.namespace), { limit: context.flags.limit }, context.signal)).items.map(({ metadata }) => `${prefix}${metadata.name}`);
  };
  const [name = '', ...rest] = words;
  const args = rest.slice(0, -1).filter((word) => !word.startsWith('-'));
  const last = rest.at(-1) ?? '';
  if (last.includes('/')) return namesOf(last.slice(0, last.indexOf('/')), last.slice(0, last.indexOf('/') + 1));
  if (ofPods.has(name)) return namesOf('pods');
  const [type] = name === 'rollout' || name === 'set' ? args.slice(1) : args;
  return type === undefined ? discovery.resources.filter(({ verbs }) => verbs.includes('get')).map(({ plural }) => plural) : namesOf(type);
});

/** What could stand in place of the last word. */
const candidates = async (context: Context): Promise<readonly string[]> => {
  const words = context.args;
  const commands = (await allCommands()).filter(({ hidden }) => hidden !== true);
  if (words.length <= 1) return commands.map(({ name }) => name);
  let command: AnyCommand | undefined = commands.find(({ name }) => name === words[0]);
  if (command === undefined) return [];
  let depth = 1;
  for (let sub = command.subcommands?.[words[depth] ?? '']; sub !== undefined && depth < words.length - 1; sub = command.subcommands?.[words[depth] ?? '']) {
    command = sub;
    depth++;
  }
  const last = words.at(-1)!;
  if (last.startsWith('-')) return Object.entries(command.flags as Flags).filter(([, spec]) => spec.hidden !== true).map(([name]) => `--${name}`);
  if (command.subcommands !== undefined && depth === words.length - 1) return Object.values(command.subcommands).filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  if (['-n', '--namespace'].includes(words.at(-2) ?? '')) return typesAndNames(context, ['get', 'namespaces', last]);
  if (['-f', '--filename'].includes(words.at(-2) ?? '') || existsSync(last)) return [];
  return typesAndNames(context, words);
};

export const command = defineCommand({
  name: 'complete', group: 'Settings', hidden: true, summary: 'List what could stand in place of the last word; for the completion scripts.', usage: 'complete -- WORD...', flags,
  run: async (context) => {
    const last = context.args.at(-1) ?? '';
    const found = (await candidates(context).catch(() => [])).filter((word) => word.startsWith(last));
    context.stdout.write([...new Set(found)].sort().map((word) => `${word}\n`).join(''));
    return 0;
  },
});

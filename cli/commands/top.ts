import { cpuMilli, memoryBytes } from '../../schemas/quantity.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { NodeMetrics } from '../../schemas/kinds/metrics/node-metrics.ts';
import type { PodMetrics } from '../../schemas/kinds/metrics/pod-metrics.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type AnyCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { ColumnLayout } from '../print-table.ts';
import { withSession, type Session } from '../session.ts';

const commonFlags = {
  ...clusterFlags,
  selector: flag.text('Only those whose labels match.', { short: 'l', value: 'SELECTOR' }),
  'sort-by': flag.oneOf(['cpu', 'memory'], 'Those that use most of it first.'),
  'no-headers': flag.on('Leave the headers out.'),
  'use-protocol-buffers': flag.on('Without effect.', { hidden: true }),
};

interface Use { readonly cpuMilli: number; readonly memoryBytes: number }

const useOf = (usage: Readonly<Record<string, string>>): Use => ({ cpuMilli: cpuMilli(usage['cpu']), memoryBytes: memoryBytes(usage['memory']) });
const sum = (uses: readonly Use[]): Use => uses.reduce((all, one) => ({ cpuMilli: all.cpuMilli + one.cpuMilli, memoryBytes: all.memoryBytes + one.memoryBytes }), { cpuMilli: 0, memoryBytes: 0 });

const cpuText = ({ cpuMilli: milli }: Use): string => `${milli}m`;
const memoryText = ({ memoryBytes: bytes }: Use): string => `${Math.floor(bytes / 2 ** 20)}Mi`;
const percent = (used: number, of: number): string => (of > 0 ? `${Math.floor((used * 100) / of)}%` : '<unknown>');

const byUse = <T>(rows: readonly T[], by: 'cpu' | 'memory' | undefined, useIn: (row: T) => Use): readonly T[] => {
  if (by === undefined) return rows;
  const amount = (row: T): number => (by === 'cpu' ? useIn(row).cpuMilli : useIn(row).memoryBytes);
  return rows.toSorted((a, b) => amount(b) - amount(a));
};

const figuresAt = (resource: 'nodes' | 'pods') => ({ group: 'metrics.k8s.io', version: 'v1beta1', resource });

/** All figures of a selection, or those of one name. Throws CommandError where the server has no metrics API. */
const figures = async <T extends ApiObject>(
  session: Session, resource: 'nodes' | 'pods',
  { namespace, name, selector, signal }: { readonly namespace?: string | undefined; readonly name?: string | undefined; readonly selector?: string | undefined; readonly signal: AbortSignal },
): Promise<readonly T[]> => {
  const { resources } = await session.discovery();
  if (!resources.some((one) => one.group === 'metrics.k8s.io' && one.plural === resource)) throw new CommandError('Metrics API not available');
  if (name !== undefined && selector !== undefined) throw new CommandError('a name and a selector cannot be given together');
  const at = { ...figuresAt(resource), namespace };
  if (name !== undefined) return [await session.api.get({ ...at, name }, signal) as T];
  return (await session.api.list(at, { labelSelector: selector }, signal)).items as readonly T[];
};

const node = defineCommand({
  name: 'node', group: 'Debug', summary: 'Show what nodes use.', usage: 'top node [NAME] [flags]',
  flags: { ...commonFlags, 'show-capacity': flag.on('Percentages of all that the nodes have, not of what pods may use.') },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal, stdout, stderr, args: [name] } = context;
    const found = await figures<NodeMetrics>(session, 'nodes', { name, selector: flags.selector, signal });
    const { items } = await session.api.list({ group: '', version: 'v1', resource: 'nodes' }, {}, signal);
    const statuses = new Map((items as readonly Node[]).map(({ metadata, status }) => [metadata.name, status]));
    if (found.length === 0) {
      stderr.write('No resources found\n');
      return 0;
    }
    const rows = byUse(found.map(({ metadata, usage }) => {
      const status = statuses.get(metadata.name);
      const has = (flags['show-capacity'] ? status?.capacity : status?.allocatable) ?? {};
      return { name: metadata.name ?? '', use: useOf(usage), has: { cpuMilli: cpuMilli(has['cpu']), memoryBytes: memoryBytes(has['memory']) } };
    }), flags['sort-by'], ({ use }) => use);
    const cells = rows.map((row) => [row.name, cpuText(row.use), percent(row.use.cpuMilli, row.has.cpuMilli), memoryText(row.use), percent(row.use.memoryBytes, row.has.memoryBytes)]);
    stdout.write(new ColumnLayout().lines([...(flags['no-headers'] ? [] : [['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']]), ...cells]));
    return 0;
  }),
});

const pod = defineCommand({
  name: 'pod', group: 'Debug', summary: 'Show what pods use.', usage: 'top pod [NAME] [flags]',
  flags: {
    ...commonFlags,
    'all-namespaces': flag.on('Pods of all namespaces.', { short: 'A' }),
    containers: flag.on('Show each container.'),
    sum: flag.on('Show the sum below.'),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal, stdout, stderr, args: [name] } = context;
    const everywhere = flags['all-namespaces'];
    const found = await figures<PodMetrics>(session, 'pods', { namespace: everywhere ? undefined : session.namespace, name, selector: flags.selector, signal });
    if (found.length === 0) {
      stderr.write(everywhere ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`);
      return 0;
    }
    const podUse = (figure: PodMetrics): Use => sum(figure.containers.map(({ usage }) => useOf(usage)));
    const cells = byUse(found, flags['sort-by'], podUse).flatMap((figure) => {
      const { metadata, containers } = figure;
      const at = everywhere ? [metadata.namespace ?? ''] : [];
      const rows = flags.containers ? byUse(containers, flags['sort-by'], ({ usage }) => useOf(usage)).map((one) => [metadata.name ?? '', one.name, useOf(one.usage)] as const) : [[metadata.name ?? '', podUse(figure)] as const];
      return rows.map((row) => [...at, ...row.flatMap((cell) => (typeof cell === 'string' ? [cell] : [cpuText(cell), memoryText(cell)]))]);
    });
    const empty = [...(everywhere ? [''] : []), ...(flags.containers ? [''] : [])];
    const total = sum(found.map(podUse));
    const below = flags.sum ? [[...empty, '', '________', '________'], [...empty, '', cpuText(total), memoryText(total)]] : [];
    const headers = [...(everywhere ? ['NAMESPACE'] : []), ...(flags.containers ? ['POD'] : []), 'NAME', 'CPU(cores)', 'MEMORY(bytes)'];
    stdout.write(new ColumnLayout().lines([...(flags['no-headers'] ? [] : [headers]), ...cells, ...below]));
    return 0;
  }),
});

/** Another name for a command, which help does not list. */
const hidden = (of: AnyCommand): AnyCommand => ({ ...of, hidden: true });

export const command = defineCommand({
  name: 'top', group: 'Debug', summary: 'Show what nodes or pods use of CPU and memory.', usage: 'top (node|pod) [NAME] [flags]',
  examples: [{ note: 'The pods that use most memory', line: 'top pod -A --sort-by memory' }, { note: 'Each container of the pods of an application', line: 'top pod -l app=web --containers' }],
  flags: {}, subcommands: { node, nodes: hidden(node), no: hidden(node), pod, pods: hidden(pod), po: hidden(pod) },
  run: async () => {
    throw new CommandError('say what to show: top node or top pod');
  },
});

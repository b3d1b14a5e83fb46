import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { dryRunSuffix } from '../change-flags.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { failureLine } from '../errors.ts';
import { flag } from '../flags.ts';
import { cordonChange } from '../nodes/cordon.ts';
import { planDrain } from '../nodes/drain-plan.ts';
import { removePods } from '../nodes/pod-removal.ts';
import { placeOf, select, type Selected } from '../selection.ts';
import { withSession, type Session } from '../session.ts';
import { deadline } from '../until.ts';

const flags = {
  ...clusterFlags,
  selector: flag.text('Nodes whose labels match.', { short: 'l', value: 'SELECTOR' }),
  'pod-selector': flag.text('Only pods whose labels match.', { value: 'SELECTOR' }),
  'ignore-daemonsets': flag.on('Leave pods of DaemonSets where they are.'),
  'delete-emptydir-data': flag.on('Go on where pods lose what is in their emptyDir volumes.'),
  force: flag.on('Go on where pods would not be made again by anything.'),
  'disable-eviction': flag.on('Delete pods without asking their disruption budgets.'),
  'grace-period': flag.integerOr(-1, 'Seconds that a pod gets to stop; -1 takes its own.'),
  timeout: flag.durationMs('Give up after this long; 0 is no limit.'),
  'skip-wait-for-delete-timeout': flag.integerOr(0, 'Do not wait for pods that have been leaving for more than so many seconds; 0 waits.'),
  'dry-run': flag.oneOf(['none', 'client', 'server'], 'client: only print; server: let the server check.', { bare: 'client', initial: 'none' }),
  'chunk-size': flag.integerOr(500, 'Objects asked for at a time.', { hidden: true }),
};
type Context = CommandContext<typeof flags>;

const drainOne = async (context: Context, session: Session, selected: Selected, signal: AbortSignal): Promise<void> => {
  const { flags: given, stdout, stderr, clock } = context;
  const suffix = dryRunSuffix(given['dry-run']);
  const node = selected.object ?? await session.api.get(placeOf(selected), signal);
  const { patch, verb } = cordonChange(node as Node, 'cordon');
  if (patch !== undefined && given['dry-run'] !== 'client') await session.api.send({ ...placeOf(selected), verb: 'patch', patchType: patch.type, body: patch.body, options: { dryRun: given['dry-run'] === 'server', fieldManager: 'kubectl-drain' } }, signal);
  stdout.write(`node/${selected.name} ${String(verb)}${suffix}\n`);
  const { items } = await session.api.list({ group: '', version: 'v1', resource: 'pods' }, { fieldSelector: `spec.nodeName=${selected.name}`, labelSelector: given['pod-selector'] }, signal);
  const { leaving, warnings, refusals } = planDrain(items as readonly Pod[], {
    ignoreDaemonSets: given['ignore-daemonsets'], deleteEmptyDirData: given['delete-emptydir-data'], force: given.force,
    skipLeavingForMs: given['skip-wait-for-delete-timeout'] * 1_000,
  }, clock.now());
  if (refusals.length > 0) throw new CommandError(`unable to drain node "${selected.name}": ${refusals.join('; ')}`);
  if (warnings.length > 0) stderr.write(`Warning: ${warnings.join('; ')}\n`);
  if (given['dry-run'] === 'client') for (const { metadata } of leaving) stdout.write(`evicting pod ${metadata.namespace}/${metadata.name}${suffix}\n`);
  else await removePods(selected.name, leaving, {
    session, world: { clock, signal, stdout, stderr }, by: given['disable-eviction'] ? 'delete' : 'evict', dryRun: given['dry-run'] === 'server',
    graceSeconds: given['grace-period'] < 0 ? undefined : given['grace-period'],
  });
  stdout.write(`node/${selected.name} drained${suffix}\n`);
};

const drain = (context: Context): Promise<number> => withSession(context.flags, context, async (session) => {
  const { flags: given, args } = context;
  if (args.length === 0 && given.selector === undefined) throw new CommandError('say which node: drain NODE, or -l SELECTOR');
  const nodes = await select(session, context, { args: ['nodes', ...args], selector: given.selector });
  const limit = deadline(context, given.timeout === 0 ? undefined : given.timeout);
  let failed = false;
  try {
    for (const node of nodes) {
      try {
        await drainOne(context, session, node, limit.signal);
      } catch (error) {
        if (context.signal.aborted) throw error;
        failed = true;
        for (const one of error instanceof AggregateError ? error.errors : [error]) context.stderr.write(`${failureLine(one)}\n`);
        if (limit.expired()) throw new CommandError(`node "${node.name}" was not drained within ${given.timeout! / 1_000}s`, { cause: error });
      }
    }
  } finally {
    limit.cancel();
  }
  return failed ? 1 : 0;
});

export const command = defineCommand({
  name: 'drain', group: 'Cluster', summary: 'Move all pods off a node, within their disruption budgets.', usage: 'drain (NODE... | -l SELECTOR) [flags]',
  description: 'The node is cordoned, then its pods are evicted: what manages them makes new ones elsewhere. A pod that its budget keeps is asked for again every five seconds. Nothing is evicted where a pod is in the way that a flag must allow.',
  examples: [
    { note: 'Before a machine is taken away for repair', line: 'drain n2 --ignore-daemonsets --delete-emptydir-data' },
    { note: 'What would leave', line: 'drain n2 --ignore-daemonsets --dry-run' },
  ],
  flags, run: drain,
});

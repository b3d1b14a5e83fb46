import type { PropagationPolicy, RequestOptions } from '../../schemas/api.ts';
import { isReason, type Status } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { dryRunSuffix } from '../change-flags.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { shownKind, shownName } from '../discovery.ts';
import { failureLine } from '../errors.ts';
import { flag } from '../flags.ts';
import { fileFlags, placeOf, select, selectorFlags, type Selected } from '../selection.ts';
import { withSession, type Session } from '../session.ts';
import { TimedOut, until } from '../until.ts';

const flags = {
  ...clusterFlags, ...selectorFlags, ...fileFlags,
  all: flag.on('All objects of the type in the namespace.'),
  force: flag.on('Remove at once, without waiting until the node has stopped the pod; with --grace-period=0.'),
  'grace-period': flag.integerOr(-1, 'Seconds that a pod gets to stop; -1 takes its own.'),
  now: flag.on('The same as --grace-period=1.'),
  cascade: flag.oneOf(['background', 'orphan', 'foreground'], 'What becomes of dependents.', { bare: 'background', initial: 'background' }),
  wait: flag.on('Wait until the objects are gone.', { initial: true }),
  timeout: flag.durationMs('Wait this long at most; 0 is no limit.'),
  'ignore-not-found': flag.on('An object that does not exist is no failure.'),
  'dry-run': flag.oneOf(['none', 'client', 'server'], 'client: only print; server: let the server check.', { bare: 'client', initial: 'none' }),
  output: flag.oneOf(['name'], 'Print names only.', { short: 'o' }),
};
type Context = CommandContext<typeof flags>;

const policies: Readonly<Record<string, PropagationPolicy>> = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' };

/** Seconds of grace that the flags mean; undefined leaves it to the object. */
const graceOf = (context: Context): number | undefined => {
  const { force, now } = context.flags;
  const seconds = context.flags['grace-period'];
  if (now && seconds !== -1) throw new CommandError('--now and --grace-period cannot be specified together');
  if (force && seconds > 0) throw new CommandError('--force and --grace-period greater than 0 cannot be specified together');
  if (now) return 1;
  if (force) return 0;
  if (seconds === 0) {
    // Zero without --force would not wait for the node: one second is the shortest real grace.
    return 1;
  }
  return seconds < 0 ? undefined : seconds;
};

const uidOf = (answer: unknown, before: ApiObject | undefined): string | undefined => {
  const status = answer as Partial<Status> & Partial<ApiObject>;
  return status.details?.uid ?? (status.metadata as ApiObject['metadata'] | undefined)?.uid ?? before?.metadata.uid;
};

const waitGone = async (context: Context, session: Session, deleted: readonly { readonly selected: Selected; readonly uid: string | undefined }[]): Promise<number> => {
  const timeoutMs = context.flags.timeout === undefined || context.flags.timeout === 0 ? undefined : context.flags.timeout;
  const results = await Promise.allSettled(deleted.map(({ selected, uid }) => until(session, context, {
    selected, timeoutMs, look: (object) => (object === undefined || (uid !== undefined && object.metadata.uid !== uid) ? true : undefined),
  }).catch((error: unknown) => {
    if (error instanceof TimedOut) throw new CommandError(`timed out waiting for the condition on ${selected.resource.plural}/${selected.name}`, { cause: error });
    // Whoever may delete but not watch has asked for no more than the delete.
    if (isReason(error, 'Forbidden')) return true;
    throw error;
  })));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  for (const failure of failures) context.stderr.write(`${failureLine(failure)}\n`);
  return failures.length === 0 ? 0 : 1;
};

const run = (context: Context): Promise<number> => withSession(context.flags, context, async (session) => {
  const { flags } = context;
  const grace = graceOf(context);
  if (flags.all && flags.selector !== undefined) throw new CommandError('cannot set --all and --selector at the same time');
  const chosen = await select(session, context, {
    args: context.args, filenames: flags.filename, recursive: flags.recursive, selector: flags.selector, fieldSelector: flags['field-selector'],
    allNamespaces: flags['all-namespaces'], all: flags.all,
  });
  if (chosen.length === 0) context.stdout.write('No resources found\n');
  if (flags.force && grace === 0) context.stderr.write('Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n');
  const options: RequestOptions = { gracePeriodSeconds: grace, propagationPolicy: policies[flags.cascade ?? 'background'], ...(flags['dry-run'] === 'server' ? { dryRun: true } : {}) };
  const suffix = `${flags.force && grace === 0 ? ' force' : ''} deleted${dryRunSuffix(flags['dry-run'])}`;
  const deleted: { readonly selected: Selected; readonly uid: string | undefined }[] = [];
  let failed = false;
  for (const selected of chosen) {
    try {
      if (flags['dry-run'] === 'client') await session.api.get(placeOf(selected), context.signal);
      else deleted.push({ selected, uid: uidOf(await session.api.send({ ...placeOf(selected), verb: 'delete', options }, context.signal), selected.object) });
      context.stdout.write(flags.output === 'name' ? `${shownName(selected.resource, selected.name)}\n` : `${shownKind(selected.resource)} "${selected.name}"${suffix}\n`);
    } catch (error) {
      const gone = isReason(error, 'NotFound') && (flags['ignore-not-found'] || selected.object !== undefined);
      if (gone) continue;
      failed = true;
      context.stderr.write(`${failureLine(error)}\n`);
    }
  }
  const waits = flags.wait && flags['dry-run'] === 'none' && !(flags.force && grace === 0 && !context.given.has('wait'));
  const waited = waits ? await waitGone(context, session, deleted) : 0;
  return failed ? 1 : waited;
});

export const command = defineCommand({
  name: 'delete', group: 'Basic', summary: 'Delete objects by name, label, or manifest.',
  usage: 'delete (TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | TYPE --all | -f FILE) [flags]',
  examples: [
    { note: 'A pod', line: 'delete pod web-1' },
    { note: 'Everything that a file made', line: 'delete -f web.yaml' },
    { note: 'Pods and services with a label', line: 'delete pods,services -l app=web' },
    { note: 'A pod whose node is gone for good', line: 'delete pod web-1 --force' },
  ],
  flags, run,
});

import type { ApiObject } from '../../schemas/kind.ts';
import { isReason } from '../../schemas/errors.ts';
import type { LogOptions } from '../../client/streams.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { failureLine } from '../errors.ts';
import { flag, UsageError } from '../flags.ts';
import { chooseContainer, choosePods, defaultedLine, onePod, podResource, type PodBody } from '../pods-of.ts';
import { hasLog, printLog, type LogPrinter } from '../pod-logs.ts';
import { at } from '../selection.ts';
import { withSession, type Session } from '../session.ts';
import { writerTo } from '../terminal.ts';

const flags = {
  ...clusterFlags,
  follow: flag.on('Go on with what is written from now on, also by pods that come later.', { short: 'f' }),
  previous: flag.on('Log of the container before its last restart.', { short: 'p' }),
  container: flag.text('Container; the first one where absent.', { short: 'c', value: 'NAME' }),
  'all-containers': flag.on('Logs of all containers.'),
  'all-pods': flag.on('Logs of all pods of the workload.'),
  selector: flag.text('Pods whose labels match.', { short: 'l', value: 'SELECTOR' }),
  tail: flag.integerOr(-1, 'Lines from the end; -1 is all, or 10 with a selector.'),
  since: flag.durationMs('Only what was written in this time.'),
  'since-time': flag.text('Only what was written after this time (RFC 3339).', { value: 'TIME' }),
  timestamps: flag.on('Time before each line.'),
  prefix: flag.on('Pod and container before each line.'),
  'limit-bytes': flag.integer('Bytes of a log at most.'),
  'max-log-requests': flag.integerOr(0, 'Logs followed at a time; 0 is no limit.'),
  'ignore-errors': flag.on('Go on with the others when one log cannot be read.'),
};
type Context = CommandContext<typeof flags>;

const logOptions = ({ flags }: Context, many: boolean): LogOptions => {
  if (flags.since !== undefined && flags['since-time'] !== undefined) throw new CommandError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (flags.previous && flags.follow) throw new CommandError('only one of follow (-f) or previous (-p) is allowed');
  const tail = flags.tail === -1 && many ? 10 : flags.tail;
  return {
    follow: flags.follow, previous: flags.previous, timestamps: flags.timestamps, limitBytes: flags['limit-bytes'],
    tailLines: tail < 0 ? undefined : tail, sinceTime: flags['since-time'],
    sinceSeconds: flags.since === undefined || flags.since === 0 ? undefined : Math.max(1, Math.ceil(flags.since / 1_000)),
  };
};

const containersOf = (context: Context, pod: PodBody): readonly string[] => {
  if (context.flags['all-containers']) return [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []].map(({ name }) => name);
  return [chooseContainer(pod, context.flags.container).name];
};

/** Logs of all pods of a selector, and with --follow of those that come later. */
const selectedLogs = async (context: Context, session: Session, selector: string, printer: LogPrinter): Promise<number> => {
  const { flags, signal } = context;
  const pods = at(podResource(await session.discovery()), session.namespace);
  const list = await session.api.list(pods, { labelSelector: selector }, signal);
  const limit = flags['max-log-requests'];
  const started = new Set<string>();
  const running = new Set<Promise<void>>();
  let failed: unknown;
  const start = (pod: PodBody, from: LogPrinter): void => {
    for (const container of containersOf(context, pod)) {
      const key = `${pod.metadata.uid}/${container}`;
      if (started.has(key) || (flags.follow && !flags.previous && !hasLog(pod, container))) continue;
      if (flags.follow && limit > 0 && running.size >= limit) throw new CommandError(`you are attempting to follow ${running.size + 1} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`);
      started.add(key);
      const work = printLog({ pod, container }, from).catch((error: unknown) => {
        // A pod that goes away takes its log with it.
        if (signal.aborted || (flags.follow && isReason(error, 'NotFound'))) return;
        context.stderr.write(`${failureLine(error)}\n`);
        if (!flags['ignore-errors']) failed ??= error;
      }).finally(() => void running.delete(work));
      running.add(work);
    }
  };
  const first = [...list.items as readonly PodBody[]];
  if (first.length === 0 && !flags.follow) context.stderr.write(`No resources found in ${session.namespace} namespace.\n`);
  if (!flags.follow) {
    // One after the other: the logs of a pod stay together.
    for (const pod of first) {
      start(pod, printer);
      await Promise.all(running);
    }
    return failed === undefined ? 0 : 1;
  }
  for (const pod of first) start(pod, printer);
  const whole: LogPrinter = { ...printer, options: { ...printer.options, tailLines: undefined, sinceSeconds: undefined, sinceTime: undefined } };
  let resourceVersion: string | undefined = list.resourceVersion;
  while (!signal.aborted) {
    try {
      for await (const event of session.api.watch({ ...pods, verb: 'watch', options: { labelSelector: selector, resourceVersion } }, { table: false, signal })) {
        resourceVersion = (event.object as ApiObject).metadata.resourceVersion ?? resourceVersion;
        if (event.type === 'ADDED' || event.type === 'MODIFIED') start(event.object as PodBody, whole);
      }
    } catch (error) {
      if (!isReason(error, 'Expired', 'Gone')) throw error;
      const again = await session.api.list(pods, { labelSelector: selector }, signal);
      resourceVersion = again.resourceVersion;
      for (const pod of again.items as readonly PodBody[]) start(pod, whole);
    }
  }
  await Promise.all(running);
  return failed === undefined ? 0 : 1;
};

export const command = defineCommand({
  name: 'logs', group: 'Debug', summary: 'Print what containers write.',
  usage: 'logs [-f] [-p] (POD | TYPE/NAME | -l SELECTOR) [-c CONTAINER] [flags]',
  examples: [
    { note: 'A pod', line: 'logs web-1' },
    { note: 'All pods of a label, and those that come', line: 'logs -f -l app=web --prefix' },
    { note: 'One of the pods of a deployment', line: 'logs deploy/web' },
    { note: 'Why it restarted', line: 'logs web-1 --previous' },
  ],
  flags,
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal } = context;
    const [word, container, ...more] = context.args;
    if (word === undefined && flags.selector === undefined) throw new UsageError("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command");
    if (word !== undefined && flags.selector !== undefined) throw new CommandError('only a selector (-l) or a POD name is allowed');
    if (more.length > 0) throw new CommandError('expected at most a POD and a CONTAINER');
    const asked = container ?? flags.container;
    if (flags['all-containers'] && asked !== undefined) throw new CommandError(`--all-containers=true should not be specified with container name ${asked}`);
    const named = container === undefined ? context : { ...context, flags: { ...flags, container } };
    const choice = word === undefined ? { selector: flags.selector!, of: '' } : await choosePods(session, word, signal);
    const many = 'selector' in choice && (word === undefined || flags['all-pods']);
    const printer: LogPrinter = {
      streams: await session.streams(), options: logOptions(context, word === undefined), prefix: flags.prefix || flags['all-pods'], signal,
      write: writerTo(context.stdout),
    };
    if (many) return selectedLogs(named, session, choice.selector, printer);
    const { pod, others } = await onePod(session, word!, signal);
    if (others > 0) context.stderr.write(`Found ${others + 1} pods, using pod/${pod.metadata.name}\n`);
    const names = containersOf(named, pod);
    if (!flags['all-containers'] && named.flags.container === undefined && chooseContainer(pod, undefined).isDefault) {
      context.stderr.write(defaultedLine(pod, names[0]!));
    }
    if (flags.follow) await Promise.all(names.map((name) => printLog({ pod, container: name }, printer)));
    else for (const name of names) await printLog({ pod, container: name }, printer);
    return 0;
  }),
});

import type { ApiObject } from '../../schemas/kind.ts';
import { rfc3339 } from '../../base/clock.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag } from '../flags.ts';
import { ColumnLayout } from '../print-table.ts';
import { placeOf, select } from '../selection.ts';
import { withSession } from '../session.ts';
import { TimedOut, until } from '../until.ts';
import { rolloutProgress } from '../rollout-status.ts';
import { revisionsOf, revisionToUndo, templateOf, undoPatch } from '../rollout-revisions.ts';

type Context = CommandContext<typeof changeEachFlags>;

interface Workload extends ApiObject {
  readonly spec?: { readonly paused?: boolean; readonly template?: unknown };
}

const chosen = (context: Context, session: Parameters<typeof select>[0]) => select(session, context, {
  args: context.args, filenames: context.flags.filename, recursive: context.flags.recursive, selector: context.flags.selector, all: context.flags.all,
});

const status = defineCommand({
  name: 'status', group: 'Deploy', summary: 'Show how far a rollout is, until it is over.', usage: 'rollout status (TYPE NAME | TYPE/NAME) [flags]',
  flags: {
    ...changeEachFlags, watch: flag.on('Go on until the rollout is over.', { short: 'w', initial: true }),
    timeout: flag.durationMs('Wait this long at most; 0 is no limit.'), revision: flag.integerOr(0, 'Fail when the newest revision is another one.'),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags } = context;
    for (const selected of await chosen(context, session)) {
      let shown: string | undefined;
      const limitMs = flags.timeout === undefined || flags.timeout === 0 ? undefined : flags.timeout;
      try {
        // A list answers with nothing where a get says what is missing.
        await session.api.get(placeOf(selected), context.signal);
        await until(session, context, {
          selected, timeoutMs: limitMs,
          look: (object) => {
            if (object === undefined) throw new CommandError('object has been deleted');
            const newest = Number((object.metadata.annotations ?? {})['deployment.kubernetes.io/revision'] ?? 0);
            if (flags.revision > 0 && newest !== flags.revision) throw new CommandError(`desired revision (${flags.revision}) is different from the running revision (${newest})`);
            const { message, done } = rolloutProgress(object);
            if (message !== shown) context.stdout.write(`${message}\n`);
            shown = message;
            return done || !flags.watch ? true : undefined;
          },
        });
      } catch (error) {
        if (error instanceof TimedOut) throw new CommandError('timed out waiting for the condition', { cause: error });
        throw error;
      }
    }
    return 0;
  }),
});

const history = defineCommand({
  name: 'history', group: 'Deploy', summary: 'Show the revisions of a deployment.', usage: 'rollout history (TYPE NAME | TYPE/NAME) [flags]',
  flags: { ...changeEachFlags, revision: flag.integerOr(0, 'Show the pod template of this revision.') },
  run: (context) => withSession(context.flags, context, async (session) => {
    for (const selected of await chosen(context, session)) {
      const object = await session.api.get(placeOf(selected), context.signal);
      const revisions = await revisionsOf(session, object, context.signal);
      const title = `${selected.resource.singular}.${selected.resource.group}/${selected.name}`;
      if (context.flags.revision > 0) {
        const found = revisions.find(({ number }) => number === context.flags.revision);
        if (found === undefined) throw new CommandError('unable to find the specified revision');
        if (context.flags.output === 'yaml' || context.flags.output === 'json') {
          const { formatObject } = await import('../output.ts');
          context.stdout.write(formatObject({ type: context.flags.output }, found.replicaSet));
          continue;
        }
        const { describePodTemplate } = await import('../describe/pod-template.ts');
        context.stdout.write(`${title} with revision #${found.number}\n${describePodTemplate({ ...found.replicaSet.spec.template, ...templateOf(found.replicaSet), metadata: found.replicaSet.spec.template?.metadata })}`);
        continue;
      }
      const rows = revisions.map(({ number, changeCause }) => [String(number), changeCause ?? '<none>']);
      if (rows.length === 0) context.stdout.write(`${title} \nNo rollout history found.\n`);
      else context.stdout.write(`${title} \n${new HistoryLayout().lines([['REVISION', 'CHANGE-CAUSE'], ...rows])}\n`);
    }
    return 0;
  }),
});

/** kubectl sets this one table narrower than all others. */
class HistoryLayout extends ColumnLayout {
  override lines(rows: readonly (readonly string[])[]): string {
    const width = Math.max(...rows.map(([first = '']) => first.length)) + 2;
    return rows.map(([first = '', second = '']) => `${first.padEnd(width)}${second}\n`).join('');
  }
}

const undo = defineCommand({
  name: 'undo', group: 'Deploy', summary: 'Go back to an earlier revision.', usage: 'rollout undo (TYPE NAME | TYPE/NAME) [--to-revision=N] [flags]',
  flags: { ...changeEachFlags, 'to-revision': flag.integerOr(0, 'Revision to go back to; the one before the newest where 0.') },
  run: (context) => changeEach(context, {
    args: context.args, manager: 'kubectl-rollout',
    change: async (object, _selected, session) => {
      if ((object as Workload).spec?.paused === true) throw new CommandError(`you cannot rollback a paused deployment; resume it first with 'barge rollout resume deployment/${object.metadata.name}' and try again`);
      const revisions = await revisionsOf(session, object, context.signal);
      const revision = revisionToUndo(revisions, context.flags['to-revision'], object.metadata.name);
      if (deepEqual(templateOf(revision.replicaSet), (object as Workload).spec?.template)) return { verb: `skipped rollback (current template already matches revision ${revision.number})` };
      return { verb: 'rolled back', patch: { type: 'json', body: undoPatch(object, revision) } };
    },
  }),
});

const paused = (name: 'pause' | 'resume', wanted: boolean) => defineCommand({
  name, group: 'Deploy', summary: wanted ? 'Stop rolling out changes of a deployment.' : 'Go on rolling out changes of a deployment.', usage: `rollout ${name} (TYPE NAME | TYPE/NAME) [flags]`, flags: changeEachFlags,
  run: (context) => changeEach(context, {
    args: context.args, manager: 'kubectl-rollout',
    change: (object) => {
      if (object.kind !== 'Deployment') throw new CommandError(`${name === 'pause' ? 'pausing' : 'resuming'} is not supported for ${object.kind}`);
      if (((object as Workload).spec?.paused === true) === wanted) throw new CommandError(`deployments.apps "${object.metadata.name}" ${wanted ? 'is already paused' : 'is not paused'}`);
      return { verb: `${name}d`, patch: { type: 'strategic', body: { spec: { paused: wanted ? true : null } } } };
    },
  }),
});

const restart = defineCommand({
  name: 'restart', group: 'Deploy', summary: 'Replace all pods of a workload, as a rollout.', usage: 'rollout restart (TYPE NAME | TYPE/NAME | TYPE -l SELECTOR) [flags]', flags: changeEachFlags,
  run: (context) => changeEach(context, {
    args: context.args, manager: 'kubectl-rollout',
    change: (object) => {
      if ((object as Workload).spec?.template === undefined || !['Deployment', 'DaemonSet', 'StatefulSet'].includes(object.kind)) throw new CommandError(`restarting is not supported for ${object.kind}`);
      if ((object as Workload).spec?.paused === true) throw new CommandError("can't restart paused deployment (run rollout resume first)");
      const annotations = { 'kubectl.kubernetes.io/restartedAt': rfc3339(context.clock.now()) };
      return { verb: 'restarted', patch: { type: 'strategic', body: { spec: { template: { metadata: { annotations } } } } } };
    },
  }),
});

export const command = defineCommand({
  name: 'rollout', group: 'Deploy', summary: 'Watch, undo, pause, resume or restart rollouts.', usage: 'rollout (status | history | undo | pause | resume | restart) (TYPE NAME | TYPE/NAME) [flags]',
  examples: [
    { note: 'Wait until a rollout is over', line: 'rollout status deployment/web' },
    { note: 'Back to the revision before', line: 'rollout undo deployment/web' },
  ],
  flags: {}, subcommands: { status, history, undo, pause: paused('pause', true), resume: paused('resume', false), restart },
  run: () => Promise.reject(new CommandError('say what to do: status, history, undo, pause, resume or restart')),
});

import type { ApiObject } from '../../schemas/kind.ts';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag } from '../flags.ts';
import { placeOf, select } from '../selection.ts';
import { until } from '../until.ts';
import { withSession } from '../session.ts';

interface Scale extends ApiObject {
  readonly spec?: { readonly replicas?: number };
}

interface Scaled extends ApiObject {
  readonly status?: { readonly replicas?: number };
}

const flags = {
  ...changeEachFlags,
  replicas: flag.integer('Replicas to have.'),
  'current-replicas': flag.integerOr(-1, 'Only when there are that many now.'),
  'resource-version': flag.text('Only when the object is at this version.', { value: 'VERSION' }),
  timeout: flag.durationMs('Wait this long until the replicas are there.'),
};
type Context = CommandContext<typeof flags>;

const waitScaled = (context: Context, replicas: number, timeoutMs: number): Promise<number> => withSession(context.flags, context, async (session) => {
  const { flags } = context;
  const chosen = await select(session, context, { args: context.args, filenames: flags.filename, recursive: flags.recursive, selector: flags.selector, all: flags.all });
  await Promise.all(chosen.map((selected) => until(session, context, {
    selected, timeoutMs, look: (object) => ((object as Scaled | undefined)?.status?.replicas ?? 0) === replicas || undefined,
  })));
  return 0;
});

export const command = defineCommand({
  name: 'scale', group: 'Deploy', summary: 'Set the number of replicas.',
  usage: 'scale (TYPE NAME... | TYPE/NAME... | -f FILE) --replicas=N [flags]',
  examples: [
    { note: 'Three replicas', line: 'scale deployment web --replicas=3' },
    { note: 'Only when there are two now', line: 'scale deployment web --current-replicas=2 --replicas=3' },
  ],
  flags,
  run: async (context) => {
    const { flags } = context;
    const { replicas } = flags;
    if (replicas === undefined || replicas < 0) throw new CommandError('the --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
    const wanted = flags['current-replicas'];
    const version = flags['resource-version'];
    const code = await changeEach(context, {
      args: context.args, manager: 'kubectl-scale', reads: false,
      change: async (_object, selected, session) => {
        if (!selected.resource.subresources.includes('scale')) throw new CommandError(`cannot scale ${selected.resource.plural}: they have no replicas`);
        let resourceVersion = version;
        if (wanted !== -1) {
          const scale = await session.api.get({ ...placeOf(selected), subresource: 'scale' }, context.signal) as Scale;
          const now = scale.spec?.replicas ?? 0;
          if (now !== wanted) throw new CommandError(`Expected replicas to be ${wanted}, was ${now}`);
          // The count was read at this version: between here and the write nobody else may change it.
          resourceVersion ??= scale.metadata.resourceVersion;
        }
        return {
          verb: 'scaled',
          patch: { type: 'merge', subresource: 'scale', body: { ...(resourceVersion === undefined ? {} : { metadata: { resourceVersion } }), spec: { replicas } } },
        };
      },
    });
    if (code !== 0 || flags.timeout === undefined || flags.timeout === 0 || flags['dry-run'] !== 'none') return code;
    return waitScaled(context, replicas, flags.timeout);
  },
});

import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { explainScheduling } from '../../scheduler/explanation.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { strategies, type StrategyName } from '../../scheduler/strategies.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand } from '../command.ts';
import { flag, UsageError } from '../flags.ts';
import { formatObject } from '../output.ts';
import { hasEnded, readCluster } from '../scheduling/cluster-view.ts';
import { explanationText, type Explained } from '../scheduling/print-explanation.ts';
import { withSession } from '../session.ts';

const defaultSchedulerName = 'default-scheduler';

/** `NAME`, `pod/NAME`, `pods/NAME`, `po/NAME` or `pod NAME`. Throws UsageError for anything else. */
export const podNamed = (args: readonly string[]): string => {
  const [first = '', second] = args.length === 2 && /^(po|pods?)$/.test(args[0]!) ? [args[1]!] : args;
  const [type, name = '', ...more] = first.includes('/') ? first.split('/') : ['pod', first];
  if (second !== undefined || more.length > 0 || name === '' || !/^(po|pods?)$/.test(type ?? '')) throw new UsageError('name one pod: explain-scheduling NAME, or pod/NAME');
  return name;
};

/** Why nothing is to be decided about a pod, or undefined. */
const settled = (pod: Pod): string | undefined => {
  const gates = pod.spec.schedulingGates ?? [];
  if (hasEnded(pod)) return `has ended (${pod.status?.phase}) and takes no room`;
  if ((pod.spec.nodeName ?? '') !== '') return undefined;
  if (pod.metadata.deletionTimestamp !== undefined) return 'is being deleted and will not be placed';
  return gates.length === 0 ? undefined : `is held back by ${gates.length === 1 ? 'the scheduling gate' : 'scheduling gates'} ${gates.map(({ name }) => name).join(', ')}: who set ${gates.length === 1 ? 'it takes it' : 'them takes them'} out of spec.schedulingGates when the pod may go`;
};

const notesFor = ({ spec, status }: Pod, strategyGiven: boolean): readonly string[] => [
  ...((status?.nominatedNodeName ?? '') === '' || (spec.nodeName ?? '') !== '' ? [] : [`the pod is to have room on ${status?.nominatedNodeName}, where pods of lower priority were told to go`]),
  ...((spec.schedulerName ?? defaultSchedulerName) === defaultSchedulerName ? [] : [`the pod asks for the scheduler ${spec.schedulerName}, whose profile is not known here: this is what the default scheduler's filters say`]),
  ...(strategyGiven ? [] : ['which strategy the scheduler was started with cannot be read: scores are those of spread where the pod asks for no other; --strategy names another']),
];

export const command = defineCommand({
  name: 'explain-scheduling', group: 'Debug', summary: 'Say why a pod is on its node, or on none, and what would have to change.',
  usage: 'explain-scheduling (NAME | pod/NAME) [flags]',
  examples: [{ note: 'Why a pod is Pending', line: 'explain-scheduling web-5d9c7' }, { note: 'The same for programs', line: 'explain-scheduling pod/web-5d9c7 -n shop -o json' }],
  flags: {
    ...clusterFlags,
    output: flag.oneOf(['json', 'yaml'], 'Output format.', { short: 'o' }),
    strategy: flag.oneOf(Object.keys(strategies) as readonly StrategyName[], 'Rank nodes by this strategy where the pod asks for no other.', { shownDefault: 'spread' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal, stdout } = context;
    const { namespace } = session;
    const name = podNamed(context.args);
    const pod = await session.api.get({ group: '', version: 'v1', resource: 'pods', namespace, name }, signal) as Pod;
    const why = settled(pod);
    if (why !== undefined) {
      const said = { pod: `${namespace}/${name}`, message: why };
      stdout.write(flags.output === undefined ? `Pod ${namespace}/${name} ${why}.\n` : formatObject({ type: flags.output }, said));
      return 0;
    }
    const { cluster, notRead } = await readCluster(session, { namespace, about: pod, signal });
    const strategy = flags.strategy ?? 'spread';
    const node = pod.spec.nodeName ?? '';
    // The node of a placed pod is not asked for: why it was chosen is the question.
    const asked = node === '' ? pod : { ...pod, spec: { ...pod.spec, nodeName: undefined } } as Pod;
    const explained: Explained = {
      pod: `${namespace}/${name}`, ...(node === '' ? {} : { node }), ...explainScheduling(new PodInfo(asked), cluster, profileOf(strategy)),
      notes: [...notRead, ...notesFor(pod, flags.strategy !== undefined)],
    };
    stdout.write(flags.output === undefined ? explanationText(explained) : formatObject({ type: flags.output }, explained));
    return 0;
  }),
});

/**
 * What Deployments and other workloads can say in annotations beyond Kubernetes' fields; docs/design/rollouts.md has the
 * names and what they mean. A value that is wrong is refused when the object is written.
 */
import { wrong, type FieldError } from './errors.ts';
import { whyNotDnsSubdomain } from './names.ts';

export const annotationNames = {
  failureAction: 'barge.dev/update-failure-action',
  maxFailureRatio: 'barge.dev/update-max-failure-ratio',
  monitor: 'barge.dev/update-monitor',
  onConfigChange: 'barge.dev/rollout-on-config-change',
  dependsOn: 'barge.dev/depends-on',
  /** Written by the controller into templates of ReplicaSets. */
  configHash: 'barge.dev/config-hash',
  /** Written by the controller on a ReplicaSet that becomes the newest again, where updates are watched. */
  rolledOutAt: 'barge.dev/rolled-out-at',
  /** Written by the controller: names of the ReplicaSets of a rollback, and of one for which it has paused or gone on. */
  rolledBackFrom: 'barge.dev/rolled-back-from',
  rolledBackTo: 'barge.dev/rolled-back-to',
  pausedAt: 'barge.dev/update-paused',
  continuedAt: 'barge.dev/update-continued',
} as const;

export type Annotations = Readonly<Record<string, string>> | undefined;

/** What is done when an update fails: Swarm's words. */
export type FailureAction = 'pause' | 'continue' | 'rollback';

export interface UpdatePolicy {
  readonly failureAction: FailureAction;
  /** Share of the replicas that may fail, 0 to 1. */
  readonly maxFailureRatio: number;
  /** A container that ends sooner than this after its start has failed; for so long is a finished update still watched. */
  readonly monitorMs: number;
}

const actions: readonly FailureAction[] = ['pause', 'continue', 'rollback'];

/** Swarm's default. */
const defaultMonitorMs = 5_000;
const longestMonitorMs = 3_600_000;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A length of time such as `30s` or `1m30s`; undefined for anything else and for more than an hour. */
const monitorMs = (text: string): number | undefined => {
  if (!/^(\d{1,7}(ms|s|m|h))+$/.test(text)) return undefined;
  const ms = [...text.matchAll(/(\d+)(ms|s|m|h)/g)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * unitMs[unit]!, 0);
  return ms > longestMonitorMs ? undefined : ms;
};

const ratioOf = (text: string): number | undefined => (/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/.test(text) ? Number(text) : undefined);

/** How a Deployment's updates are watched; undefined where it does not say that they are. */
export const updatePolicy = (annotations: Annotations): UpdatePolicy | undefined => {
  const { failureAction: action, maxFailureRatio: ratio, monitor } = annotationNames;
  if (annotations === undefined || (annotations[action] === undefined && annotations[ratio] === undefined && annotations[monitor] === undefined)) return undefined;
  const found = actions.find((one) => one === annotations[action]);
  return { failureAction: found ?? 'pause', maxFailureRatio: ratioOf(annotations[ratio] ?? '0') ?? 0, monitorMs: monitorMs(annotations[monitor] ?? '') ?? defaultMonitorMs };
};

/** Whether a Deployment rolls out again when its configuration changes. */
export const rollsOutOnConfigChange = (annotations: Annotations): boolean => annotations?.[annotationNames.onConfigChange] === 'true';

export type DependencyKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job';
export type DependencyState = 'started' | 'ready' | 'completed';

/** A workload of the same namespace that must be so far before another one starts. */
export interface Dependency {
  readonly kind: DependencyKind;
  readonly name: string;
  readonly state: DependencyState;
}

const dependencyKinds: Readonly<Record<string, DependencyKind>> = { deployment: 'Deployment', statefulset: 'StatefulSet', daemonset: 'DaemonSet', job: 'Job' };
const states: readonly DependencyState[] = ['started', 'ready', 'completed'];
const maxDependencies = 64;

/** One entry such as `job/migrate:completed`, or why it is none. */
const parseDependency = (text: string): Dependency | string => {
  const match = /^([a-zA-Z]+)\/([^:/]+)(?::(.*))?$/.exec(text);
  if (match === null) return `${JSON.stringify(text)} must be kind/name or kind/name:state, such as statefulset/db:ready`;
  const kind = dependencyKinds[match[1]!.toLowerCase()];
  if (kind === undefined) return `${JSON.stringify(text)}: the kind must be one of ${Object.keys(dependencyKinds).join(', ')}`;
  const why = whyNotDnsSubdomain(match[2]!);
  if (why !== undefined) return `${JSON.stringify(text)}: the name ${why}`;
  const state = match[3] === undefined ? 'ready' : states.find((one) => one === match[3]);
  if (state === undefined) return `${JSON.stringify(text)}: the state must be one of ${states.join(', ')}`;
  if (state === 'completed' && kind !== 'Job') return `${JSON.stringify(text)}: only a Job is ever completed; wait for it to be started or ready`;
  return { kind, name: match[2]!, state };
};

const parsed = (text: string): readonly (Dependency | string)[] => text.split(',').map((one) => one.trim()).filter((one) => one !== '').map(parseDependency);

/** What a workload waits for before its first pods are made; entries that cannot be read count for nothing. */
export const dependenciesOf = (annotations: Annotations): readonly Dependency[] => {
  const text = annotations?.[annotationNames.dependsOn];
  return text === undefined ? [] : parsed(text).filter((one) => typeof one === 'object');
};

const field = (name: string): string => `metadata.annotations[${name}]`;

/** What is wrong with the dependencies that a workload names. */
export const validateDependencies = (kind: DependencyKind, { name = '', annotations }: { readonly name?: string | undefined; readonly annotations?: Annotations }): readonly FieldError[] => {
  const text = annotations?.[annotationNames.dependsOn];
  if (text === undefined) return [];
  const at = field(annotationNames.dependsOn);
  const all = parsed(text);
  if (all.length === 0) return [wrong(at, text, 'must name at least one workload, such as statefulset/db:ready')];
  if (all.length > maxDependencies) return [wrong(at, `${all.length} entries`, `must have at most ${maxDependencies} entries`)];
  return all.flatMap((one) => {
    if (typeof one === 'string') return [wrong(at, text, one)];
    return one.kind === kind && one.name === name ? [wrong(at, text, 'must not name the workload itself: it would wait for ever')] : [];
  });
};

/** What is wrong with the annotations of a Deployment. */
export const validateRolloutAnnotations = (metadata: { readonly name?: string | undefined; readonly annotations?: Annotations }): readonly FieldError[] => {
  const { annotations } = metadata;
  if (annotations === undefined) return [];
  const { failureAction, maxFailureRatio, monitor, onConfigChange } = annotationNames;
  const errors: FieldError[] = [];
  const check = (name: string, isRight: (text: string) => boolean, what: string): void => {
    const text = annotations[name];
    if (text !== undefined && !isRight(text)) errors.push(wrong(field(name), text, what));
  };
  check(failureAction, (text) => actions.some((one) => one === text), `must be one of ${actions.join(', ')}`);
  check(maxFailureRatio, (text) => ratioOf(text) !== undefined, 'must be a number from 0 to 1, such as 0.25');
  check(monitor, (text) => monitorMs(text) !== undefined, 'must be a length of time of at most 1h, such as 30s or 2m');
  check(onConfigChange, (text) => text === 'true' || text === 'false', 'must be true or false');
  return [...errors, ...validateDependencies('Deployment', metadata)];
};

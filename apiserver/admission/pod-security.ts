/**
 * Pod security levels: a namespace says by labels how much its pods may be able to do. What is enforced refuses pods; what
 * warns tells about pods and about the templates from which they will be made, since those who write templates never see
 * the pod's refusal. Nothing is exempt.
 */
import { ApiError, invalid } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodTemplate } from '../../schemas/kinds/core/pod-template.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import { namespaceKey } from '../keys.ts';
import { containersOf, type Subject } from '../pod-security/check.ts';
import { reasonsText, violationsOf, violationText } from '../pod-security/evaluate.ts';
import { compareLevels, readPolicy, standardName, type Policy, type Standard } from '../pod-security/policy.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

/** Pods of a namespace that are looked at when its level changes. */
const maxPodsChecked = 3_000;

/** Kinds that make pods, and where their template is. */
const templates: Readonly<Record<string, (object: ApiObject) => PodTemplateSpec | undefined>> = Object.fromEntries([
  ...['/replicationcontrollers', 'apps/replicasets', 'apps/deployments', 'apps/statefulsets', 'apps/daemonsets', 'batch/jobs']
    .map((id) => [id, (object: ApiObject) => (object as ApiObject & { readonly spec?: { readonly template?: PodTemplateSpec } }).spec?.template]),
  ['/podtemplates', (object: ApiObject) => (object as PodTemplate).template],
  ['batch/cronjobs', (object: ApiObject) => (object as CronJob).spec?.jobTemplate.spec?.template],
]);

const isFree = ({ enforce, audit, warn }: Policy): boolean => enforce.level === 'privileged' && audit.level === 'privileged' && warn.level === 'privileged';

const seccompAnnotations = (object: Pod): readonly (readonly [string, string])[] =>
  Object.entries(object.metadata.annotations ?? {}).filter(([key]) => key.startsWith('seccomp.security.alpha.kubernetes.io/') || key.startsWith('container.seccomp.security.alpha.kubernetes.io/'));

/** True for an update that changes what a pod may do, as far as a pod can change: another image, a container more. */
const matters = (pod: Pod, old: Pod): boolean => {
  const images = (one: Pod): readonly (readonly [string, string | undefined])[] => containersOf(one).map(({ name, image }) => [name, image]);
  return !deepEqual(images(pod), images(old)) || !deepEqual(seccompAnnotations(pod), seccompAnnotations(old));
};

export const podSecurity = (cache: Pick<WatchCache, 'get' | 'list'>): AdmissionPlugin => {
  const policies = new WeakMap<ApiObject, Policy>();
  const policyOf = (namespace: string): Policy | undefined => {
    const home = cache.get(namespaceKey(namespace));
    if (home === undefined) return undefined;
    let policy = policies.get(home);
    if (policy === undefined) policies.set(home, policy = readPolicy(home.metadata.labels).policy);
    return isFree(policy) ? undefined : policy;
  };
  return {
    name: 'PodSecurity',
    admit: (object, context) => {
      const { kind, namespace, subresource, old } = context;
      if (kind.group === '' && kind.plural === 'pods') {
        const policy = policyOf(namespace);
        if (policy === undefined || (old !== undefined && !matters(object as Pod, old as Pod))) return;
        note(policy.audit, object as Pod, context);
        refuse(policy.enforce, object as Pod, context);
        warn(policy.warn, object as Pod, context);
        return;
      }
      if (kind.group === '' && kind.plural === 'namespaces') {
        if (subresource === '') admitNamespace(object as Namespace, old as Namespace | undefined, { cache, context });
        return;
      }
      const templateOf = templates[`${kind.group}/${kind.plural}`];
      const policy = templateOf === undefined || subresource !== '' ? undefined : policyOf(namespace);
      const template = policy === undefined ? undefined : templateOf?.(object);
      if (policy === undefined || template?.spec === undefined) return;
      note(policy.audit, template as Subject, context);
      warn(policy.warn, template as Subject, context);
    },
  };
};

const refuse = (standard: Standard, pod: Pod, { kind, name, audit }: AdmissionContext): void => {
  audit?.('pod-security.kubernetes.io/enforce-policy', standardName(standard));
  const found = violationsOf(standard, pod);
  if (found.length === 0) return;
  throw new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: violates PodSecurity ${JSON.stringify(standardName(standard))}: ${violationText(found)}`, { name, kind: kind.plural });
};

const wouldViolate = (standard: Standard, subject: Subject): string | undefined => {
  const found = violationsOf(standard, subject);
  return found.length === 0 ? undefined : `would violate PodSecurity ${JSON.stringify(standardName(standard))}: ${violationText(found)}`;
};

const note = (standard: Standard, subject: Subject, { audit }: AdmissionContext): void => {
  const why = audit === undefined ? undefined : wouldViolate(standard, subject);
  if (why !== undefined) audit?.('pod-security.kubernetes.io/audit-violations', why);
};

const warn = (standard: Standard, subject: Subject, { warnings }: AdmissionContext): void => {
  const why = wouldViolate(standard, subject);
  if (why !== undefined) warnings.add(why);
};

/** Labels must be ones that can be read, unless they were wrong before; a stricter level warns of the pods that it would refuse. */
const admitNamespace = (namespace: Namespace, old: Namespace | undefined, { cache, context }: { readonly cache: Pick<WatchCache, 'list'>; readonly context: AdmissionContext }): void => {
  const { policy: { enforce }, errors } = readPolicy(namespace.metadata.labels);
  const before = readPolicy(old?.metadata.labels);
  if (errors.length > 0 && (old === undefined || !deepEqual(errors, before.errors))) throw invalid(context.kind, context.name, errors);
  if (old === undefined || enforce.level === 'privileged' || deepEqual(enforce, before.policy.enforce)) return;
  if (enforce.minor === before.policy.enforce.minor && compareLevels(enforce.level, before.policy.enforce.level) <= 0) return;
  for (const warning of existingViolations(enforce, context.name, cache.list(`/pods/${context.name}/`) as readonly Pod[])) context.warnings.add(warning);
};

/** The warnings about pods that are there already; those with the same faults are told together. */
export const existingViolations = (standard: Standard, namespace: string, pods: readonly Pod[]): readonly string[] => {
  const byReasons = new Map<string, string[]>();
  for (const pod of pods.slice(0, maxPodsChecked)) {
    const reasons = reasonsText(violationsOf(standard, pod));
    if (reasons !== '') byReasons.set(reasons, [...byReasons.get(reasons) ?? [], pod.metadata.name ?? '']);
  }
  const others = (count: number): string => (count === 0 ? '' : ` (and ${count} other ${count === 1 ? 'pod' : 'pods'})`);
  return [
    ...(pods.length > maxPodsChecked ? [`new PodSecurity enforce level only checked against the first ${maxPodsChecked} of ${pods.length} existing pods`] : []),
    ...(byReasons.size === 0 ? [] : [`existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(standardName(standard))}`]),
    ...[...byReasons].map(([reasons, names]) => `${names.toSorted()[0]}${others(names.length - 1)}: ${reasons}`).sort(),
  ];
};

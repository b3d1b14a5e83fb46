import { duplicate, forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { StatefulSetSpec } from '../kinds/apps/stateful-set.ts';
import { whyNotDns1035Label, whyNotDnsLabel } from '../names.ts';
import type { PodTemplateSpec } from '../types/pod-spec.ts';
import { validateAmountOfPods, validateWorkload } from './workload.ts';

/** What of a StatefulSet's spec an update may change. */
const mutable = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds'] as const;

const fixedPart = (spec: StatefulSetSpec): object => Object.fromEntries(Object.entries(spec).filter(([name]) => !(mutable as readonly string[]).includes(name)));

const validateStrategy = ({ updateStrategy: strategy }: StatefulSetSpec): readonly FieldError[] => {
  const rolling = strategy?.rollingUpdate;
  if (rolling === undefined) return [];
  const field = 'spec.updateStrategy.rollingUpdate';
  if (strategy?.type === 'OnDelete') return [wrong(field, rolling, "only allowed for updateStrategy 'RollingUpdate'")];
  const { maxUnavailable } = rolling;
  if (maxUnavailable === undefined) return [];
  return maxUnavailable === 0 || maxUnavailable === '0%' ? [wrong(`${field}.maxUnavailable`, maxUnavailable, 'cannot be 0')]
    : validateAmountOfPods(maxUnavailable, `${field}.maxUnavailable`, 100);
};

/** The template as its pods will be: each claim is a volume of its name, in the place of one that the template has. */
const withClaims = ({ template, volumeClaimTemplates: claims = [] }: StatefulSetSpec): PodTemplateSpec => {
  if (claims.length === 0) return template;
  const volumes = template.spec.volumes ?? [];
  const more = claims.map(({ metadata }) => metadata.name ?? '').filter((name) => !volumes.some((volume) => volume.name === name));
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...more.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))] } };
};

/** Names of claims, which become names of volumes. */
const validateClaims = ({ volumeClaimTemplates: claims = [] }: StatefulSetSpec): readonly FieldError[] => claims.flatMap(({ metadata: { name = '' } }, index) => {
  const field = `spec.volumeClaimTemplates[${index}].metadata.name`;
  if (name === '') return [required(field)];
  return claims.findIndex((one) => one.metadata.name === name) < index ? [duplicate(field, name)] : refused(field, name, whyNotDnsLabel(name));
});

const validatePods = (spec: StatefulSetSpec): readonly FieldError[] => {
  const own = spec.template.spec.volumes?.length ?? 0;
  // What is wrong with a claim is told of the claim, not of the volume that stands for it.
  return validateWorkload({ ...spec, template: withClaims(spec) }, undefined, 'StatefulSet')
    .filter(({ field }) => Number(/^spec\.template\.spec\.volumes\[(\d+)\]/.exec(field)?.[1] ?? -1) < own);
};

/** Every wrong field of a StatefulSet's spec. Most of it cannot change, for its pods and claims are named after it. */
export const validateStatefulSetSpec = (spec: StatefulSetSpec, old: StatefulSetSpec | undefined): readonly FieldError[] => [
  // What may not change is told in one error for the whole spec, so the selector is not compared here.
  ...validatePods(spec),
  ...validateClaims(spec),
  ...validateStrategy(spec),
  ...(old === undefined && (spec.serviceName ?? '') !== '' ? refused('spec.serviceName', spec.serviceName, whyNotDns1035Label(spec.serviceName ?? '')) : []),
  ...(old === undefined || deepEqual(fixedPart(spec), fixedPart(old)) ? []
    : [forbidden('spec', `updates to statefulset spec for fields other than ${mutable.slice(0, -1).map((name) => `'${name}'`).join(', ')} and 'minReadySeconds' are forbidden`)]),
];

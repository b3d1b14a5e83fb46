/** The restricted level: beside what baseline forbids, what hardening asks for must be said. */
import { unconfinedSeccomp } from './baseline.ts';
import { containersOf, containersWhere, containerWords, distinct, notOnWindows, plural, quoted, setters, type Check, type Subject, type Violation } from './check.ts';

const allowPrivilegeEscalation = (subject: Subject): Violation | undefined => {
  const containers = containersWhere(subject, (context) => context.allowPrivilegeEscalation !== false);
  return containers.length === 0 ? undefined
    : { reason: 'allowPrivilegeEscalation != false', detail: `${containerWords(containers)} must set securityContext.allowPrivilegeEscalation=false` };
};

const mayBeAdded = 'NET_BIND_SERVICE';

const capabilities = (subject: Subject): Violation | undefined => {
  const forbidden = (added: readonly string[] | undefined): readonly string[] => (added ?? []).filter((one) => one !== mayBeAdded);
  const keeping = containersWhere(subject, (context) => context.capabilities?.drop?.includes('ALL') !== true);
  const adding = containersWhere(subject, (context) => forbidden(context.capabilities?.add).length > 0);
  const added = distinct(containersOf(subject).flatMap(({ securityContext }) => forbidden(securityContext?.capabilities?.add)));
  const details = [
    ...(keeping.length === 0 ? [] : [`${containerWords(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0 ? [] : [`${containerWords(adding)} must not include ${quoted(added)} in securityContext.capabilities.add`]),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const allowedVolumes: ReadonlySet<string> = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']);

const volumes = ({ spec }: Subject): Violation | undefined => {
  const bad = (spec.volumes ?? []).flatMap((volume) => {
    const type = Object.keys(volume).find((member) => member !== 'name' && (volume as Readonly<Record<string, unknown>>)[member] !== undefined) ?? 'unknown';
    return allowedVolumes.has(type) ? [] : [{ name: volume.name, type }];
  });
  if (bad.length === 0) return undefined;
  const types = distinct(bad.map(({ type }) => type));
  return {
    reason: 'restricted volume types',
    detail: `${plural(bad.length, 'volume', 'volumes')} ${quoted(bad.map(({ name }) => name))} ${plural(bad.length, 'uses', 'use')} restricted volume ${plural(types.length, 'type', 'types')} ${quoted(types)}`,
  };
};

const runAsNonRoot = (subject: Subject): Violation | undefined => {
  const reason = 'runAsNonRoot != true';
  const pod = subject.spec.securityContext?.runAsNonRoot;
  const who = setters({ pod: pod === false, containers: containersWhere(subject, (context) => context.runAsNonRoot === false) });
  if (who !== undefined) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = pod === true ? [] : containersWhere(subject, (context) => context.runAsNonRoot === undefined);
  return silent.length === 0 ? undefined : { reason, detail: `pod or ${containerWords(silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser = (subject: Subject): Violation | undefined => {
  const who = setters({ pod: subject.spec.securityContext?.runAsUser === 0, containers: containersWhere(subject, (context) => context.runAsUser === 0) });
  return who === undefined ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
};

const seccomp = (subject: Subject): Violation | undefined => {
  const unconfined = unconfinedSeccomp(subject);
  if (unconfined !== undefined) return unconfined;
  const silent = subject.spec.securityContext?.seccompProfile === undefined ? containersWhere(subject, (context) => context.seccompProfile === undefined) : [];
  return silent.length === 0 ? undefined : { reason: 'seccompProfile', detail: `pod or ${containerWords(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` };
};

/** The checks that the level adds, in the order in which they are told. */
export const restrictedChecks: readonly Check[] = [
  { id: 'allowPrivilegeEscalation', versions: [{ from: 8, violation: allowPrivilegeEscalation }, { from: 25, violation: notOnWindows(allowPrivilegeEscalation) }] },
  { id: 'capabilities_restricted', replaces: ['capabilities_baseline'], versions: [{ from: 22, violation: capabilities }, { from: 25, violation: notOnWindows(capabilities) }] },
  { id: 'restrictedVolumes', replaces: ['hostPathVolumes'], versions: [{ from: 0, violation: volumes }] },
  { id: 'runAsNonRoot', versions: [{ from: 0, violation: runAsNonRoot }] },
  { id: 'runAsUser', versions: [{ from: 23, violation: runAsUser }] },
  { id: 'seccompProfile_restricted', replaces: ['seccompProfile_baseline'], versions: [{ from: 19, violation: seccomp }, { from: 25, violation: notOnWindows(seccomp) }] },
];

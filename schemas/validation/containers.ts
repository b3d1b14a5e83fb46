import { absent, duplicate, forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { graceSecondsOf } from '../grace.ts';
import { whyNotDnsLabel, whyNotIp, whyNotLocalPath, whyNotPortName, whyNotPortNumber } from '../names.ts';
import type { Container, ContainerPort, EphemeralContainer } from '../types/container.ts';
import type { PodSpec } from '../types/pod-spec.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { validateLifecycle, validateProbe, type ProbeUse } from './probes.ts';
import { validateResources } from './resources.ts';
import { validateSecurityContext } from './security-context.ts';

/** What a container is judged by beside itself. */
export interface PodFrame {
  readonly spec: PodSpec;
  readonly volumes: ReadonlySet<string>;
  /** Volumes that may be mounted as devices: those of claims. */
  readonly claims: ReadonlySet<string>;
  readonly resourceClaims: ReadonlySet<string>;
}

export const frameOf = (spec: PodSpec): PodFrame => ({
  spec,
  volumes: new Set((spec.volumes ?? []).map((volume) => volume.name)),
  claims: new Set((spec.volumes ?? []).filter((one) => one.persistentVolumeClaim !== undefined || one.ephemeral !== undefined).map((volume) => volume.name)),
  resourceClaims: new Set((spec.resourceClaims ?? []).map((claim) => claim.name)),
});

const validatePorts = (ports: readonly ContainerPort[] | undefined, field: string, hostNetwork: boolean): readonly FieldError[] => {
  const names = new Set<string>();
  return (ports ?? []).flatMap((port, index) => {
    const at = `${field}[${index}]`;
    const { name = '', hostPort = 0, hostIP = '', containerPort } = port;
    const errors: FieldError[] = [];
    if (name !== '') {
      const why = whyNotPortName(name);
      if (why !== undefined) errors.push(wrong(`${at}.name`, name, why));
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (hostPort !== 0) errors.push(...refused(`${at}.hostPort`, hostPort, whyNotPortNumber(hostPort)));
    // A template may leave it out: pods made of it are given the same number.
    if (hostNetwork && hostPort !== 0 && hostPort !== containerPort) errors.push(wrong(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    if (hostIP !== '') errors.push(...refused(`${at}.hostIP`, hostIP, whyNotIp(hostIP)));
    return errors;
  });
};

const validateMounts = (container: Container | EphemeralContainer, field: string, frame: PodFrame): readonly FieldError[] => {
  const privileged = container.securityContext?.privileged === true;
  const devices = new Set((container.volumeDevices ?? []).map((device) => device.devicePath));
  const paths = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${field}[${index}]`;
    const { name, mountPath, subPath = '', subPathExpr = '', readOnly } = mount;
    const errors: FieldError[] = [];
    if (name !== '' && !frame.volumes.has(name)) errors.push(absent(`${at}.name`, name));
    if (mountPath !== '' && paths.has(mountPath)) errors.push(wrong(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (devices.has(mountPath)) errors.push(wrong(`${at}.mountPath`, mountPath, 'must not already exist in volumeDevices'));
    if (subPath !== '') errors.push(...refused(`${at}.subPath`, subPath, whyNotLocalPath(subPath)));
    if (subPathExpr !== '') {
      if (subPath !== '') errors.push(wrong(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      errors.push(...refused(`${at}.subPathExpr`, subPathExpr, whyNotLocalPath(subPathExpr)));
    }
    if (mount.mountPropagation === 'Bidirectional' && !privileged) errors.push(forbidden(`${at}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'));
    if (mount.recursiveReadOnly !== undefined && mount.recursiveReadOnly !== 'Disabled') {
      if (readOnly !== true) errors.push(forbidden(`${at}.recursiveReadOnly`, 'may only be specified when readOnly is true'));
      if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') errors.push(forbidden(`${at}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified'));
    }
    return errors;
  });
};

const validateDevices = ({ volumeDevices: devices = [] }: Container | EphemeralContainer, field: string, frame: PodFrame): readonly FieldError[] =>
  devices.flatMap(({ name, devicePath }, index) => [
    ...(name === '' || frame.claims.has(name) ? [] : [frame.volumes.has(name)
      ? wrong(`${field}[${index}].name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode')
      : absent(`${field}[${index}].name`, name)]),
    ...refused(`${field}[${index}].devicePath`, devicePath, whyNotLocalPath(devicePath.replace(/^\//, ''))),
    ...(devicePath !== '' && devices.findIndex((other) => other.devicePath === devicePath) < index ? [wrong(`${field}[${index}].devicePath`, devicePath, 'must be unique')] : []),
  ]);

/** What regular, init and ephemeral containers have in common. */
const validateCommon = (container: Container | EphemeralContainer, field: string, frame: PodFrame): readonly FieldError[] => {
  const { name, image = '' } = container;
  const errors: FieldError[] = name === '' ? [required(`${field}.name`)] : [...refused(`${field}.name`, name, whyNotDnsLabel(name))];
  if (image === '') errors.push(required(`${field}.image`));
  else if (image !== image.trim()) errors.push(wrong(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  errors.push(
    ...validatePorts(container.ports, `${field}.ports`, frame.spec.hostNetwork === true),
    ...validateEnv(container.env ?? [], `${field}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${field}.envFrom`),
    ...validateMounts(container, `${field}.volumeMounts`, frame),
    ...validateDevices(container, `${field}.volumeDevices`, frame),
    ...validateResources(container.resources, `${field}.resources`, frame.resourceClaims),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`, frame.spec.hostUsers),
  );
  const policies = new Set<string>();
  for (const [index, policy] of (container.resizePolicy ?? []).entries()) {
    if (policy.resourceName !== 'cpu' && policy.resourceName !== 'memory') errors.push(unsupported(`${field}.resizePolicy[${index}].resourceName`, policy.resourceName, ['cpu', 'memory']));
    if (policies.has(policy.resourceName)) errors.push(duplicate(`${field}.resizePolicy[${index}]`, policy.resourceName));
    policies.add(policy.resourceName);
  }
  return errors;
};

const probes: readonly ProbeUse[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];

const validateLife = (container: Container, field: string, frame: PodFrame): readonly FieldError[] => [
  ...(container.lifecycle === undefined ? [] : validateLifecycle(container.lifecycle, `${field}.lifecycle`, { graceSeconds: graceSecondsOf(frame.spec), os: frame.spec.os?.name })),
  ...probes.flatMap((use) => {
    const probe = container[use];
    return probe === undefined ? [] : validateProbe(probe, `${field}.${use}`, use);
  }),
];

const validateRegular = (container: Container, field: string, frame: PodFrame): readonly FieldError[] => [
  ...validateCommon(container, field, frame),
  ...validateLife(container, field, frame),
  ...(container.restartPolicy !== undefined && container.restartPolicyRules === undefined ? [forbidden(`${field}.restartPolicy`, 'may not be set for non-init containers')] : []),
];

const validateInit = (container: Container, field: string, frame: PodFrame): readonly FieldError[] => {
  const errors = [...validateCommon(container, field, frame)];
  if (container.restartPolicy !== undefined && container.restartPolicy !== 'Always' && container.restartPolicyRules === undefined) errors.push(unsupported(`${field}.restartPolicy`, container.restartPolicy, ['Always']));
  if (container.restartPolicy === 'Always') return [...errors, ...validateLife(container, field, frame)];
  for (const name of ['lifecycle', ...probes] as const) {
    if (container[name] !== undefined) errors.push(forbidden(`${field}.${name}`, 'may not be set for init containers without restartPolicy=Always'));
  }
  return errors;
};

const notEphemeral = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe', 'ports', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'] as const;

const validateEphemeral = (container: EphemeralContainer, field: string, frame: PodFrame): readonly FieldError[] => {
  const errors = [...validateCommon(container, field, frame)];
  for (const name of notEphemeral) {
    if (container[name] !== undefined) errors.push(forbidden(`${field}.${name}`, 'cannot be set for an Ephemeral Container'));
  }
  if (container.resources !== undefined && Object.keys(container.resources).length > 0) errors.push(forbidden(`${field}.resources`, 'cannot be set for an Ephemeral Container'));
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    for (const name of ['subPath', 'subPathExpr'] as const) {
      if ((mount[name] ?? '') !== '') errors.push(forbidden(`${field}.volumeMounts[${index}].${name}`, 'cannot be set for an Ephemeral Container'));
    }
  }
  const target = container.targetContainerName ?? '';
  if (target !== '' && ![...frame.spec.containers, ...(frame.spec.initContainers ?? [])].some((one) => one.name === target)) {
    errors.push(absent(`${field}.targetContainerName`, target));
  }
  return errors;
};

/** Ports of the node that an earlier container of the pod takes already. */
const validateHostPorts = (container: Container, field: string, seen: Set<string>): readonly FieldError[] =>
  (container.ports ?? []).flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, index) => {
    if (hostPort === 0) return [];
    const text = `${protocol}/${hostIP}/${hostPort}`;
    const again = seen.has(text);
    seen.add(text);
    return again ? [duplicate(`${field}.ports[${index}].hostPort`, text)] : [];
  });

/** All containers of a pod; `field` is the path of its spec. Names repeated within one list are found by the schema. */
export const validateContainers = (spec: PodSpec, field: string): readonly FieldError[] => {
  const frame = frameOf(spec);
  const { containers, initContainers = [], ephemeralContainers = [] } = spec;
  const names = new Set(containers.map((one) => one.name));
  const errors: FieldError[] = [];
  for (const [index, one] of containers.entries()) errors.push(...validateRegular(one, `${field}.containers[${index}]`, frame));
  for (const [index, one] of initContainers.entries()) {
    errors.push(...validateInit(one, `${field}.initContainers[${index}]`, frame));
    if (one.name !== '' && names.has(one.name)) errors.push(duplicate(`${field}.initContainers[${index}].name`, one.name));
  }
  for (const one of initContainers) names.add(one.name);
  for (const [index, one] of ephemeralContainers.entries()) {
    errors.push(...validateEphemeral(one, `${field}.ephemeralContainers[${index}]`, frame));
    if (one.name !== '' && names.has(one.name)) errors.push(duplicate(`${field}.ephemeralContainers[${index}].name`, one.name));
  }
  const ports = new Set<string>();
  for (const [index, one] of containers.entries()) errors.push(...validateHostPorts(one, `${field}.containers[${index}]`, ports));
  // Init containers run one after the other, before the others: each may take the same port again.
  for (const [index, one] of initContainers.entries()) {
    if (one.restartPolicy === 'Always') errors.push(...validateHostPorts(one, `${field}.initContainers[${index}]`, ports));
  }
  return errors;
};

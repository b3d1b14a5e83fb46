/** The baseline level: what lets a pod out of its container is forbidden. */
import { deviceAnnotations } from '../../schemas/devices.ts';
import type { SELinuxOptions } from '../../schemas/types/security-context.ts';
import { containersOf, containersWhere, containerWords, distinct, plural, quoted, setters, type Check, type Subject, type Violation } from './check.ts';

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';

const isOpen = (profile: { readonly type: string } | undefined): boolean => profile?.type === 'Unconfined';

const appArmor = (subject: Subject): Violation | undefined => {
  const pod = subject.spec.securityContext?.appArmorProfile;
  const containers = containersWhere(subject, ({ appArmorProfile }) => isOpen(appArmorProfile));
  const annotations = Object.entries(subject.metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/')).sort();
  const who = [
    ...(isOpen(pod) ? ['pod'] : []), ...(containers.length === 0 ? [] : [containerWords(containers)]),
    ...(annotations.length === 0 ? [] : [`${plural(annotations.length, 'annotation', 'annotations')} ${quoted(annotations.map(([key]) => key))}`]),
  ];
  if (who.length === 0) return undefined;
  const values = distinct([...(isOpen(pod) || containers.length > 0 ? ['Unconfined'] : []), ...annotations.map(([, value]) => value)]);
  return { reason: `forbidden AppArmor ${plural(values.length, 'profile', 'profiles')}`, detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}` };
};

const usualCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
]);

const capabilities = (subject: Subject): Violation | undefined => {
  const unusual = (added: readonly string[] | undefined): readonly string[] => (added ?? []).filter((one) => !usualCapabilities.has(one));
  const containers = containersWhere(subject, (context) => unusual(context.capabilities?.add).length > 0);
  if (containers.length === 0) return undefined;
  const added = distinct(containersOf(subject).flatMap(({ securityContext }) => unusual(securityContext?.capabilities?.add)));
  return { reason: 'non-default capabilities', detail: `${containerWords(containers)} must not include ${quoted(added)} in securityContext.capabilities.add` };
};

/** barge's own: what Docker's `--device` gives is the node's, as a hostPath volume is. */
const devices = ({ metadata }: Subject): Violation | undefined => {
  const keys = Object.keys(deviceAnnotations(metadata?.annotations) ?? {}).sort();
  return keys.length === 0 ? undefined : { reason: 'devices', detail: `${plural(keys.length, 'annotation', 'annotations')} ${quoted(keys)} must not be set` };
};

const hostNamespaces = ({ spec }: Subject): Violation | undefined => {
  const used = (['hostIPC', 'hostNetwork', 'hostPID'] as const).filter((name) => spec[name] === true);
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.map((name) => `${name}=true`).join(', ') };
};

const hostPathVolumes = ({ spec }: Subject): Violation | undefined => {
  const volumes = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  return volumes.length === 0 ? undefined : { reason: 'hostPath volumes', detail: `${plural(volumes.length, 'volume', 'volumes')} ${quoted(volumes)}` };
};

const hostPorts = (subject: Subject): Violation | undefined => {
  const used = containersOf(subject).filter(({ ports }) => (ports ?? []).some(({ hostPort = 0 }) => hostPort !== 0));
  if (used.length === 0) return undefined;
  const ports = distinct(used.flatMap((container) => (container.ports ?? []).flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]))));
  return { reason: 'hostPort', detail: `${containerWords(used.map(({ name }) => name))} ${plural(used.length, 'uses', 'use')} ${plural(ports.length, 'hostPort', 'hostPorts')} ${ports.join(', ')}` };
};

const privileged = (subject: Subject): Violation | undefined => {
  const containers = containersWhere(subject, (context) => context.privileged === true);
  return containers.length === 0 ? undefined : { reason: 'privileged', detail: `${containerWords(containers)} must not set securityContext.privileged=true` };
};

const procMount = (subject: Subject): Violation | undefined => {
  const containers = containersWhere(subject, (context) => (context.procMount ?? 'Default') !== 'Default');
  return containers.length === 0 ? undefined : { reason: 'procMount', detail: `${containerWords(containers)} must not set securityContext.procMount to "Unmasked"` };
};

const seLinux = (types: ReadonlySet<string>) => (subject: Subject): Violation | undefined => {
  const isBad = ({ type = '', user = '', role = '' }: SELinuxOptions): boolean => !types.has(type) || user !== '' || role !== '';
  const pod = subject.spec.securityContext?.seLinuxOptions ?? {};
  const who = setters({ pod: isBad(pod), containers: containersWhere(subject, ({ seLinuxOptions }) => isBad(seLinuxOptions ?? {})) });
  if (who === undefined) return undefined;
  const all = [pod, ...containersOf(subject).map(({ securityContext }) => securityContext?.seLinuxOptions ?? {})];
  const bad = distinct(all.map(({ type = '' }) => type).filter((type) => !types.has(type)));
  const what = [
    ...(bad.length === 0 ? [] : [`${plural(bad.length, 'type', 'types')} ${quoted(bad)}`]),
    ...(all.some(({ user = '' }) => user !== '') ? ['user may not be set'] : []),
    ...(all.some(({ role = '' }) => role !== '') ? ['role may not be set'] : []),
  ];
  return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}` };
};

const oldSeccomp = (subject: Subject): Violation | undefined => {
  const { annotations = {} } = subject.metadata ?? {};
  const keys = [seccompPod, ...containersOf(subject).map(({ name }) => seccompContainer + name)];
  const bad = distinct(keys.flatMap((key) => {
    const value = annotations[key];
    return value === undefined || value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/') ? [] : [`${key}=${JSON.stringify(value)}`];
  }));
  return bad.length === 0 ? undefined : { reason: 'seccompProfile', detail: `forbidden ${plural(bad.length, 'annotation', 'annotations')} ${bad.join(', ')}` };
};

/** Somebody asks to be without a seccomp profile. */
export const unconfinedSeccomp = (subject: Subject): Violation | undefined => {
  const who = setters({ pod: isOpen(subject.spec.securityContext?.seccompProfile), containers: containersWhere(subject, ({ seccompProfile }) => isOpen(seccompProfile)) });
  return who === undefined ? undefined : { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to "Unconfined"` };
};

const safeSysctls = ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'];
const from27 = [...safeSysctls, 'net.ipv4.ip_local_reserved_ports'];
const from29 = [...from27, 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes'];
const from32 = [...from29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

const sysctls = (allowed: readonly string[]) => ({ spec }: Subject): Violation | undefined => {
  const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
};

const hostProcess = (subject: Subject): Violation | undefined => {
  const who = setters({
    pod: subject.spec.securityContext?.windowsOptions?.hostProcess === true, containers: containersWhere(subject, ({ windowsOptions }) => windowsOptions?.hostProcess === true),
  });
  return who === undefined ? undefined : { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

const seLinuxTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

/** The checks of the level, in the order in which they are told. */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', versions: [{ from: 0, violation: appArmor }] },
  { id: 'capabilities_baseline', versions: [{ from: 0, violation: capabilities }] },
  { id: 'devices', versions: [{ from: 0, violation: devices }] },
  { id: 'hostNamespaces', versions: [{ from: 0, violation: hostNamespaces }] },
  { id: 'hostPathVolumes', versions: [{ from: 0, violation: hostPathVolumes }] },
  { id: 'hostPorts', versions: [{ from: 0, violation: hostPorts }] },
  { id: 'privileged', versions: [{ from: 0, violation: privileged }] },
  { id: 'procMount', versions: [{ from: 0, violation: procMount }] },
  { id: 'seLinuxOptions', versions: [{ from: 0, violation: seLinux(new Set(seLinuxTypes)) }, { from: 31, violation: seLinux(new Set([...seLinuxTypes, 'container_engine_t'])) }] },
  { id: 'seccompProfile_baseline', versions: [{ from: 0, violation: oldSeccomp }, { from: 19, violation: unconfinedSeccomp }] },
  { id: 'sysctls', versions: [{ from: 0, violation: sysctls(safeSysctls) }, { from: 27, violation: sysctls(from27) }, { from: 29, violation: sysctls(from29) }, { from: 32, violation: sysctls(from32) }] },
  { id: 'windowsHostProcess', versions: [{ from: 0, violation: hostProcess }] },
];

import test from 'ava';
import type { Subject } from '../../../apiserver/pod-security/check.ts';
import { reasonsText, violationsOf, violationText } from '../../../apiserver/pod-security/evaluate.ts';
import { compareLevels, readPolicy, standardName, type Level } from '../../../apiserver/pod-security/policy.ts';
import type { PodSpec } from '../../../schemas/types/pod-spec.ts';
import type { SecurityContext } from '../../../schemas/types/security-context.ts';

const hardened: SecurityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const pod = (context: SecurityContext = {}, spec: Partial<PodSpec> = {}): Subject => ({ spec: { containers: [{ name: 'c', image: 'a', securityContext: { ...hardened, ...context } }], securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...spec.securityContext }, ...Object.fromEntries(Object.entries(spec).filter(([name]) => name !== 'securityContext')) } });
const plain: Subject = { spec: { containers: [{ name: 'c', image: 'a' }] } };

const textAt = (subject: Subject, level: Level, minor = Infinity): string => violationText(violationsOf({ level, minor }, subject));

test('labels give a policy, and faults in them the strictest or nothing', (t) => {
  t.deepEqual(readPolicy(undefined), { policy: { enforce: { level: 'privileged', minor: Infinity }, audit: { level: 'privileged', minor: Infinity }, warn: { level: 'privileged', minor: Infinity } }, errors: [] });
  const at = 'pod-security.kubernetes.io';
  t.deepEqual(readPolicy({ [`${at}/enforce`]: 'baseline', [`${at}/enforce-version`]: 'v1.24', [`${at}/warn`]: 'restricted', [`${at}/audit`]: 'baseline', [`${at}/audit-version`]: 'latest' }).policy,
    { enforce: { level: 'baseline', minor: 24 }, audit: { level: 'baseline', minor: Infinity }, warn: { level: 'restricted', minor: Infinity } });
  const { policy, errors } = readPolicy({ [`${at}/enforce`]: 'Strict', [`${at}/warn`]: 'much', [`${at}/warn-version`]: '1.24' });
  t.deepEqual([policy.enforce.level, policy.warn.level, policy.warn.minor], ['restricted', 'privileged', Infinity]);
  t.deepEqual(errors.map(({ field, message }) => `${field}: ${message}`), [
    'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "Strict": must be one of privileged, baseline, restricted',
    'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "much": must be one of privileged, baseline, restricted',
    'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.24": must be "latest" or "v1.x"',
  ]);
  t.deepEqual([standardName({ level: 'restricted', minor: Infinity }), standardName({ level: 'baseline', minor: 24 })], ['restricted:latest', 'baseline:v1.24']);
  t.true(compareLevels('privileged', 'baseline') < 0 && compareLevels('restricted', 'baseline') > 0 && compareLevels('baseline', 'baseline') === 0);
});

test('a hardened pod meets every level, a plain one meets baseline', (t) => {
  for (const level of ['privileged', 'baseline', 'restricted'] as const) t.is(textAt(pod(), level), '');
  t.is(textAt(plain, 'baseline'), '');
  t.is(textAt(plain, 'restricted'), 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
    + 'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
    + 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
    + 'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")');
  t.is(reasonsText(violationsOf({ level: 'restricted', minor: Infinity }, plain)), 'allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile');
});

const baseline: readonly [name: string, subject: Subject, expected: string][] = [
  ['host namespaces', pod({}, { hostNetwork: true, hostPID: true, hostIPC: true }), 'host namespaces (hostIPC=true, hostNetwork=true, hostPID=true)'],
  ['privileged', pod({ privileged: true }, { initContainers: [{ name: 'i', securityContext: { ...hardened, privileged: true } }] }), 'privileged (containers "i", "c" must not set securityContext.privileged=true)'],
  ['an ephemeral container', pod({}, { ephemeralContainers: [{ name: 'e', securityContext: { ...hardened, privileged: true } }] }), 'privileged (container "e" must not set securityContext.privileged=true)'],
  ['capabilities', pod({ capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_ADMIN'] } }), 'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add)'],
  ['hostPath', pod({}, { volumes: [{ name: 'root', hostPath: { path: '/' } }, { name: 'x', emptyDir: {} }] }), 'hostPath volumes (volume "root")'],
  ['host ports', pod({}, { containers: [{ name: 'a', securityContext: hardened, ports: [{ containerPort: 80, hostPort: 80 }, { containerPort: 443, hostPort: 443 }] }, { name: 'b', securityContext: hardened, ports: [{ containerPort: 80, hostPort: 80 }, { containerPort: 81 }] }] }),
    'hostPort (containers "a", "b" use hostPorts 443, 80)'],
  ['AppArmor', { ...pod({ appArmorProfile: { type: 'Unconfined' } }), metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' } } },
    'forbidden AppArmor profiles (container "c" and annotation "container.apparmor.security.beta.kubernetes.io/c" must not set AppArmor profile type to "Unconfined", "unconfined")'],
  ['procMount', pod({ procMount: 'Unmasked' }), 'procMount (container "c" must not set securityContext.procMount to "Unmasked")'],
  ['SELinux', pod({ seLinuxOptions: { type: 'bad_t', user: 'me', level: 's0' } }, { securityContext: { seLinuxOptions: { role: 'r' } } }),
    'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "bad_t"; user may not be set; role may not be set)'],
  ['seccomp', pod({ seccompProfile: { type: 'Unconfined' } }, { securityContext: { seccompProfile: { type: 'Unconfined' } } }), 'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")'],
  ['sysctls', pod({}, { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }, { name: 'net.ipv4.tcp_rmem', value: '1' }] } }), 'forbidden sysctls (kernel.msgmax)'],
  ['devices', { ...pod(), metadata: { annotations: { 'devices.barge.dev/c': '/dev/fuse', other: 'x' } } }, 'devices (annotation "devices.barge.dev/c" must not be set)'],
  ['host processes', pod({ windowsOptions: { hostProcess: true } }), 'hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true)'],
];

for (const [name, subject, expected] of baseline) {
  test(`baseline forbids: ${name}`, (t) => {
    t.is(textAt(subject, 'privileged'), '');
    t.is(textAt(subject, 'baseline'), expected);
    t.true(violationsOf({ level: 'restricted', minor: Infinity }, subject).length > 0, 'what baseline forbids restricted forbids too');
  });
}

const restricted: readonly [name: string, subject: Subject, expected: string][] = [
  ['escalation', pod({ allowPrivilegeEscalation: true }), 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)'],
  ['capabilities that are kept and added', pod({ capabilities: { add: ['NET_BIND_SERVICE', 'CHOWN'], drop: ['KILL'] } }),
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)'],
  ['volumes', pod({}, { volumes: [{ name: 'a', hostPath: { path: '/' } }, { name: 'b', nfs: { path: '/', server: 's' } }, { name: 'c', projected: { sources: [] } }] }),
    'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'],
  ['root, said', pod({ runAsNonRoot: false }), 'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)'],
  ['root by number', pod({ runAsUser: 0 }, { securityContext: { runAsUser: 0 } }), 'runAsUser=0 (pod and container "c" must not set runAsUser=0)'],
  ['seccomp', pod({ seccompProfile: { type: 'Unconfined' } }), 'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")'],
];

for (const [name, subject, expected] of restricted) test(`restricted forbids: ${name}`, (t) => t.is(textAt(subject, 'restricted'), expected));

test('a container may say what its pod does not', (t) => {
  t.is(textAt({ spec: { containers: [{ name: 'c', securityContext: { ...hardened, runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'p' } } }] } }, 'restricted'), '');
});

test('a version pins the rules of its time', (t) => {
  const old: Subject = { ...pod({ capabilities: {} }), metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' } } };
  t.is(textAt(old, 'restricted', 21), '');
  t.is(textAt(old, 'restricted', 18), 'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")');
  t.regex(textAt(old, 'restricted', 22), /^unrestricted capabilities/);
  const sysctl = pod({}, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } });
  t.is(textAt(sysctl, 'baseline', 31), 'forbidden sysctls (net.ipv4.tcp_rmem)');
  t.is(textAt(sysctl, 'baseline', 32), '');
  const windows: Subject = { spec: { ...plain.spec, os: { name: 'windows' }, securityContext: { runAsNonRoot: true } } };
  t.is(textAt(windows, 'restricted'), '');
  t.regex(textAt(windows, 'restricted', 24), /allowPrivilegeEscalation/);
  t.is(textAt(plain, 'restricted', 7), 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)');
});

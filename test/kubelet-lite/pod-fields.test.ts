/** Holds docs/design/pod-fields.md: every field of a pod's spec is in it, and what it calls refused is refused. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { whyUnsupported } from '../../kubelet-lite/admission/unsupported.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { JsonSchema } from '../../schemas/schema.ts';
import { PodSpec } from '../../schemas/types/pod-spec.ts';
import { podOf } from './views.ts';

const page = await readFile(new URL('../../docs/design/pod-fields.md', import.meta.url), 'utf8');

/** What the page says, by `Type.field`. */
const said: ReadonlyMap<string, string> = new Map(page.split('\n').flatMap((line) => {
  const [, type, fields, what] = /^\| (\w+): ([^|]+) \| ([^|]+) \|$/.exec(line) ?? [];
  return fields === undefined ? [] : fields.split(', ').map((field) => [`${type}.${field.replaceAll('`', '')}`, what!] as const);
}));

const typeOf = (schema: JsonSchema): string => schema['x-barge-type']?.replace('core.v1.', '') ?? '';
const typesSaid = new Set([...said.keys()].map((field) => field.split('.')[0]!));
/** What is refused as a whole, or another object's, need not be taken apart. */
const endsHere = (field: string, schema: JsonSchema): boolean => /^(refused|elsewhere)/.test(said.get(field) ?? '') && !typesSaid.has(typeOf(schema));

const fieldsOf = (schema: JsonSchema, found: Set<string> = new Set()): ReadonlySet<string> => {
  const type = typeOf(schema);
  for (const [name, inner] of Object.entries(type === '' || type.includes('.') ? {} : schema.properties ?? {})) {
    const field = `${type}.${name}`;
    const value = inner.items ?? inner.additionalProperties ?? inner;
    if (found.has(field)) continue;
    found.add(field);
    if (!endsHere(field, value)) fieldsOf(value, found);
  }
  return found;
};

test('every field of a pod is on the page, with what becomes of it', (t) => {
  t.deepEqual([...fieldsOf(PodSpec)].toSorted(), [...said.keys()].toSorted());
  for (const [field, what] of said) t.regex(what, /^(does|refused|elsewhere|no effect)\b/, field);
});

const appArmor = { appArmor: true, clusterDomain: 'cluster.local' };
const container = (more: object): Partial<Pod['spec']> => ({ containers: [{ name: 'a', image: 'i', ...more }] }) as Partial<Pod['spec']>;
const volume = (source: object): Partial<Pod['spec']> => ({ volumes: [{ name: 'v', ...source }] }) as Partial<Pod['spec']>;

/** A pod that asks for each field that is refused, by the field. */
const asking: Readonly<Record<string, object>> = {
  'PodSpec.hostUsers': { hostUsers: false },
  'PodSpec.os': { os: { name: 'windows' } },
  'PodSpec.resourceClaims': { resourceClaims: [{ name: 'gpu', resourceClaimName: 'x' }] },
  'PodSpec.resources': { resources: { limits: { cpu: '1' } } },
  'PodSpec.runtimeClassName': { runtimeClassName: 'gvisor' },
  'PodSpec.schedulingGroup': { schedulingGroup: { podGroupName: 'g' } },
  'PodSecurityContext.seLinuxOptions': { securityContext: { seLinuxOptions: {} } },
  'PodSecurityContext.supplementalGroupsPolicy': { securityContext: { supplementalGroupsPolicy: 'Strict' } },
  'PodSecurityContext.windowsOptions': { securityContext: { windowsOptions: {} } },
  'SecurityContext.procMount': container({ securityContext: { procMount: 'Unmasked' } }),
  'SecurityContext.seLinuxOptions': container({ securityContext: { seLinuxOptions: {} } }),
  'SecurityContext.windowsOptions': container({ securityContext: { windowsOptions: {} } }),
  'Container.restartPolicyRules': container({ restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] }),
  'Container.volumeDevices': container({ volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }),
  'ResourceRequirements.claims': container({ resources: { claims: [{ name: 'gpu' }] } }),
  'EnvVarSource.fileKeyRef': container({ env: [{ name: 'X', valueFrom: { fileKeyRef: { key: 'X', path: 'f', volumeName: 'v' } } }] }),
  'VolumeMount.recursiveReadOnly': container({ volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'Enabled' }] }),
  'VolumeProjection.clusterTrustBundle': volume({ projected: { sources: [{ clusterTrustBundle: { path: 'ca', name: 'x' } }] } }),
  'VolumeProjection.podCertificate': volume({ projected: { sources: [{ podCertificate: { keyType: 'ED25519', signerName: 'a/b' } }] } }),
};

/** Refused with the field that leads to them, or not allowed for ephemeral containers. */
const within = /^(EphemeralContainer|ContainerRestartRule|ContainerRestartRuleOnExitCodes|ResourceClaim|FileKeySelector|VolumeDevice|PodOS|PodResourceClaim|PodSchedulingGroup)\./;

test('what the page calls refused is refused, with the name of the field', (t) => {
  for (const [field, what] of said) {
    if (!what.startsWith('refused') || within.test(field)) continue;
    const [type = '', name = ''] = field.split('.');
    const spec = type === 'Volume' ? volume({ [name]: {} }) : asking[field];
    if (spec === undefined) { t.fail(`no pod asks for ${field}`); continue; }
    t.regex(whyUnsupported(podOf(spec as Partial<Pod['spec']>), appArmor) ?? 'is taken', new RegExp(name === 'runtimeClassName' ? 'RuntimeClass "gvisor" not found' : `${name}\\b[^;]* is not supported by this node`), field);
  }
});

for (const [what, spec, appArmorIsOn, why] of [
  ['a pod that asks for nothing odd', {}, false, undefined],
  ['hostUsers that says what is so', { hostUsers: true }, false, undefined],
  ['sysctls of the pod', { securityContext: { sysctls: ['net.ipv4.tcp_syncookies', 'kernel.shm_rmid_forced', 'kernel/msgmax', 'fs.mqueue.msg_max'].map((name) => ({ name, value: '1' })) } }, false, undefined],
  ['a sysctl of the machine', { securityContext: { sysctls: [{ name: 'vm.swappiness', value: '1' }] } }, false, /sysctls: vm\.swappiness is no parameter of a pod's own/],
  ['AppArmor where it is', { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }, true, undefined],
  ['AppArmor where it is not', { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }, false, /AppArmor is not enabled where the engine runs/],
  ['no AppArmor where it is not', container({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }), false, undefined],
  ['huge pages as a volume', volume({ emptyDir: { medium: 'HugePages-2Mi' } }), false, /volume "v": an emptyDir with medium HugePages-2Mi/],
  ['an init container', { initContainers: [{ name: 'i', image: 'i', securityContext: { procMount: 'Unmasked' } }] }, false, /container i: securityContext\.procMount/],
  ['an ephemeral container, which is refused by itself', { ephemeralContainers: [{ name: 'e', image: 'i', securityContext: { procMount: 'Unmasked' } }] }, false, undefined],
  ['a full name that fits without the cluster\'s domain alone', { hostname: 'h'.repeat(30), subdomain: 's'.repeat(15), setHostnameAsFQDN: true }, false, /setHostnameAsFQDN: h+\.s+\.default\.svc\.cluster\.local is longer than the 64 characters/],
  ['everything at once', { hostUsers: false, runtimeClassName: 'x' }, false, /RuntimeClass "x" not found; spec\.hostUsers: false/],
] as const) {
  test(`refused or not: ${what}`, (t) => {
    const found = whyUnsupported(podOf(spec as Partial<Pod['spec']>), { appArmor: appArmorIsOn, clusterDomain: 'cluster.local' });
    if (why === undefined) t.is(found, undefined);
    else t.regex(found ?? '', why);
  });
}

/** The kinds of the groups beside core and apps: what is wrong with bad ones, what is filled in, what is printed. */
import test from 'ava';
import type { AnyKind } from '../../schemas/kind.ts';
import { MutatingAdmissionPolicy } from '../../schemas/kinds/admissionregistration/mutating-admission-policy.ts';
import { MutatingAdmissionPolicyBinding } from '../../schemas/kinds/admissionregistration/mutating-admission-policy-binding.ts';
import { MutatingWebhookConfiguration } from '../../schemas/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingAdmissionPolicy } from '../../schemas/kinds/admissionregistration/validating-admission-policy.ts';
import { ValidatingAdmissionPolicyBinding } from '../../schemas/kinds/admissionregistration/validating-admission-policy-binding.ts';
import { ValidatingWebhookConfiguration } from '../../schemas/kinds/admissionregistration/validating-webhook-configuration.ts';
import { APIService } from '../../schemas/kinds/apiregistration/api-service.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { Event as CoreEvent } from '../../schemas/kinds/core/event.ts';
import { Event } from '../../schemas/kinds/events/event.ts';
import { Ingress } from '../../schemas/kinds/networking/ingress.ts';
import { IngressClass } from '../../schemas/kinds/networking/ingress-class.ts';
import { IPAddress } from '../../schemas/kinds/networking/ip-address.ts';
import { NetworkPolicy } from '../../schemas/kinds/networking/network-policy.ts';
import { ServiceCIDR } from '../../schemas/kinds/networking/service-cidr.ts';
import { RuntimeClass } from '../../schemas/kinds/node/runtime-class.ts';
import { ClusterRole } from '../../schemas/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../schemas/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../schemas/kinds/rbac/role.ts';
import { RoleBinding } from '../../schemas/kinds/rbac/role-binding.ts';
import { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import { CSIDriver } from '../../schemas/kinds/storage/csi-driver.ts';
import { CSINode } from '../../schemas/kinds/storage/csi-node.ts';
import { CSIStorageCapacity } from '../../schemas/kinds/storage/csi-storage-capacity.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { VolumeAttachment } from '../../schemas/kinds/storage/volume-attachment.ts';
import { VolumeAttributesClass } from '../../schemas/kinds/storage/volume-attributes-class.ts';
import { organizationsIn } from '../../schemas/pkcs10.ts';
import { validateStatus } from '../../schemas/validate.ts';
import { stored, testFaults, type Json } from '../helpers/object-faults.ts';

const rbac = 'rbac.authorization.k8s.io';
const immutable = 'invalid' as const;

// Roles

const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
testFaults(Role, {
  'good': [{ rules: [rule] }], 'no rules': [{}], 'a name that is a part of a path': [{ metadata: { name: 'system:a_B' } }], 'no part of a path': [{ metadata: { name: 'a/b' } }, 'invalid metadata.name'],
  'rules that say nothing': [{ rules: [{}, { verbs: ['get'] }, { ...rule, verbs: [] }] },
    'required rules[0].apiGroups', 'required rules[0].resources', 'required rules[0].verbs', 'required rules[1].apiGroups', 'required rules[1].resources', 'required rules[2].verbs'],
  'paths': [{ rules: [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }] }, 'invalid rules[0].nonResourceURLs'],
});
testFaults(ClusterRole, {
  'paths': [{ rules: [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }] }], 'paths and resources': [{ rules: [{ ...rule, nonResourceURLs: ['/x'] }] }, 'invalid rules[0].nonResourceURLs'],
  'nothing to aggregate': [{ aggregationRule: {} }, 'required aggregationRule.clusterRoleSelectors'],
  'a selector that is none': [{ aggregationRule: { clusterRoleSelectors: [{}, { matchLabels: { 'a b': 'c' } }] } }, 'invalid aggregationRule.clusterRoleSelectors[1].matchLabels'],
});
const roleRef = { kind: 'Role', name: 'r' };
testFaults(RoleBinding, {
  'good': [{ roleRef, subjects: [{ kind: 'User', name: 'u' }, { kind: 'ServiceAccount', name: 'default' }] }],
  'nothing': [{}, 'required roleRef'], 'no role': [{ roleRef: {} }, 'required roleRef.kind', 'required roleRef.name'],
  'another role': [{ roleRef: { apiGroup: 'x', kind: 'Pod', name: 'a/b' } }, 'invalid roleRef.name', 'unsupported roleRef.apiGroup', 'unsupported roleRef.kind'],
  'subjects': [{ roleRef, subjects: [{ kind: 'Robot', name: '' }, { kind: 'User', name: 'u', apiGroup: 'x' }, { kind: 'ServiceAccount', name: 'A', apiGroup: rbac }] },
    'invalid subjects[2].name', 'required subjects[0].name', 'unsupported subjects[0].kind', 'unsupported subjects[1].apiGroup', 'unsupported subjects[2].apiGroup'],
});
testFaults(RoleBinding, { 'another role': [{ roleRef: { kind: 'ClusterRole', name: 'r' } }, `${immutable} roleRef`], 'the group that was meant': [{ roleRef: { ...roleRef, apiGroup: rbac } }] }, { roleRef });
testFaults(ClusterRoleBinding, {
  'a role of a namespace': [{ roleRef }, 'unsupported roleRef.kind'],
  'an account of nowhere': [{ roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, 'required subjects[0].namespace'],
});

// Networking

const backend = { service: { name: 'web', port: { number: 80 } } };
const path = (more: Json = {}): Json => ({ path: '/', pathType: 'Prefix', backend, ...more });
const ingress = (...paths: readonly Json[]): Json => ({ spec: { rules: [{ host: 'a.example.com', http: { paths } }] } });
const at = 'spec.rules[0].http.paths';
testFaults(Ingress, {
  'good': [ingress(path())], 'a default alone': [{ spec: { defaultBackend: backend } }], 'nothing': [{}, 'invalid spec'], 'no paths': [ingress(), `required ${at}`],
  'hosts': [{ spec: { rules: [{ host: '10.0.0.1' }, { host: 'A.b' }, { host: '*.example.com' }, { host: 'a.*.com' }] } }, 'invalid spec.rules[0].host', 'invalid spec.rules[1].host', 'invalid spec.rules[3].host'],
  'paths': [ingress(path({ path: 'a' }), path({ path: '/a//b/../c' }), path({ path: '/a/..', pathType: 'Exact' }), path({ path: '', pathType: 'ImplementationSpecific' }), path({ path: '', pathType: 'Exact' }), path({ path: '(', pathType: 'ImplementationSpecific' }), path({ pathType: 'Regex' }), { path: '/', backend }),
    `invalid ${at}[0].path`, `invalid ${at}[1].path`, `invalid ${at}[1].path`, `invalid ${at}[2].path`, `invalid ${at}[4].path`, `invalid ${at}[5].path`, `required ${at}[7].pathType`, `unsupported ${at}[6].pathType`],
  'backends': [ingress(...[{}, { ...backend, resource: { kind: 'B', name: 'b' } }, { resource: { kind: '', name: 'a/b', apiGroup: 'X' } }, { service: { name: '1', port: {} } }, { service: { name: '', port: { name: 'a', number: 1 } } }, { service: { name: 'a', port: { name: 'A' } } }, { service: { name: 'a', port: { number: 70_000 } } }].map((one) => path({ backend: one }))),
    `invalid ${at}[0].backend`, `invalid ${at}[1].backend`, `invalid ${at}[2].backend.resource.apiGroup`, `invalid ${at}[2].backend.resource.name`, `invalid ${at}[3].backend.service.name`, `invalid ${at}[4].backend`,
    `invalid ${at}[5].backend.service.port.name`, `invalid ${at}[6].backend.service.port.number`, `required ${at}[2].backend.resource.kind`, `required ${at}[3].backend`, `required ${at}[4].backend.service.name`],
  'certificates': [{ spec: { defaultBackend: backend, tls: [{ hosts: ['a.b', '*.b', 'B'], secretName: 'S' }] } }, 'invalid spec.tls[0].hosts[2]', 'invalid spec.tls[0].secretName'],
  'classes': [{ spec: { defaultBackend: backend, ingressClassName: 'A' }, metadata: { annotations: { 'kubernetes.io/ingress.class': 'b' } } }, 'invalid annotations.kubernetes.io/ingress.class', 'invalid spec.ingressClassName'],
});
const parameters = (more: Json): Json => ({ spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', ...more } } });
testFaults(IngressClass, {
  'good': [parameters({})], 'nothing': [{}, 'required spec.controller'], 'controller': [{ spec: { controller: 'nginx' } }, 'invalid spec.controller'], 'long': [{ spec: { controller: `a/${'b'.repeat(250)}` } }, 'long spec.controller'],
  'a namespace for the cluster': [parameters({ namespace: 'n' }), 'forbidden spec.parameters.namespace'], 'no namespace': [parameters({ scope: 'Namespace' }), 'required spec.parameters.namespace'],
  'scope': [parameters({ scope: 'World', name: '' }), 'required spec.parameters.name', 'unsupported spec.parameters.scope'],
});
testFaults(IngressClass, { 'another controller': [{ spec: { controller: 'a.b/d' } }, `${immutable} spec.controller`] }, { spec: { controller: 'a.b/c' } });
const peers = (...from: readonly Json[]): Json => ({ spec: { ingress: [{ from }] } });
testFaults(NetworkPolicy, {
  'good': [peers({ podSelector: {}, namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } })], 'nothing': [{}],
  'peers': [peers({}, { podSelector: { matchLabels: { a: '-' } } }, { podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }), 'forbidden spec.ingress[0].from[2]', 'invalid spec.ingress[0].from[1].podSelector.matchLabels', 'required spec.ingress[0].from[0]'],
  'blocks': [{ spec: { egress: [{ to: ['', '10.0.0.0', 'fd00::/8', '10.0.0.0/16'].map((cidr) => ({ ipBlock: { cidr, except: ['10.0.0.0/16', 'x'] } })) }] } },
    'invalid spec.egress[0].to[1].ipBlock.cidr', 'invalid spec.egress[0].to[2].ipBlock.except[0]', 'invalid spec.egress[0].to[2].ipBlock.except[1]', 'invalid spec.egress[0].to[3].ipBlock.except[0]', 'invalid spec.egress[0].to[3].ipBlock.except[1]', 'required spec.egress[0].to[0].ipBlock.cidr'],
  'ports': [{ spec: { ingress: [{ ports: [{ port: 0 }, { port: 'A' }, { endPort: 5 }, { port: 'a', endPort: 5 }, { port: 6, endPort: 5 }, { port: 6, endPort: 70_000 }, { port: 6, endPort: 7, protocol: 'X' }] }] } },
    'invalid spec.ingress[0].ports[0].port', 'invalid spec.ingress[0].ports[1].port', 'invalid spec.ingress[0].ports[2].endPort', 'invalid spec.ingress[0].ports[3].endPort', 'invalid spec.ingress[0].ports[4].endPort', 'invalid spec.ingress[0].ports[5].endPort', 'unsupported spec.ingress[0].ports[6].protocol'],
  'types': [{ spec: { podSelector: {}, policyTypes: ['Ingress', 'Sideways'] } }, 'unsupported spec.policyTypes[1]'], 'many types': [{ spec: { policyTypes: ['Ingress', 'Egress', 'Ingress'] } }, 'invalid spec.policyTypes'],
});
const address = (name: string, parentRef: Json = { resource: 'services', name: 'a' }): Json => ({ metadata: { name }, spec: { parentRef } });
testFaults(IPAddress, {
  'good': [address('10.0.0.1')], 'IPv6': [address('fd00::1')], 'zeros': [address('010.0.0.1'), 'invalid metadata.name'], 'long form': [address('fd00:0:0::1'), 'invalid metadata.name'], 'no address': [address('a'), 'invalid metadata.name'],
  'parent': [address('10.0.0.1', { group: 'X', resource: '', name: 'a/b' }), 'invalid spec.parentRef.group', 'invalid spec.parentRef.name', 'required spec.parentRef.resource'], 'no parent': [{ metadata: { name: '10.0.0.1' } }, 'required spec'],
});
testFaults(IPAddress, { 'another parent': [address('10.0.0.1', { resource: 'services', name: 'b' }), `${immutable} spec.parentRef`] }, address('10.0.0.1'));
const cidrs = (...list: readonly string[]): Json => ({ spec: { cidrs: list } });
testFaults(ServiceCIDR, {
  'good': [cidrs('10.0.0.0/16', 'fd00::/64')], 'none': [{}, 'required spec.cidrs'], 'one family': [cidrs('10.0.0.0/16', '10.1.0.0/16'), 'invalid spec.cidrs'], 'three': [cidrs('a', 'b', 'c'), 'invalid spec.cidrs'], 'no range': [cidrs('10.0.0.0'), 'invalid spec.cidrs[0]'],
});
testFaults(ServiceCIDR, { 'a second': [cidrs('10.0.0.0/16', 'fd00::/64')], 'another': [cidrs('10.1.0.0/16'), `${immutable} spec.cidrs[0]`], 'none': [cidrs(), `${immutable} spec.cidrs`, 'required spec.cidrs'] }, cidrs('10.0.0.0/16'));

// Storage, scheduling, runtimes

testFaults(StorageClass, {
  'good': [{ provisioner: 'a.b/C', parameters: { a: 'b' } }], 'no provisioner': [{}, 'required provisioner'], 'words': [{ provisioner: 'a b', reclaimPolicy: 'Burn', volumeBindingMode: 'Later' }, 'invalid provisioner', 'unsupported reclaimPolicy', 'unsupported volumeBindingMode'],
  'parameters': [{ provisioner: 'p', parameters: { '': 'a', b: 'x'.repeat(256 * 1024) } }, 'invalid parameters', 'long parameters'],
  'topologies': [{ provisioner: 'p', allowedTopologies: [{ matchLabelExpressions: [{ key: 'a b', values: [] }, { key: 'z', values: ['a', 'a'] }, { key: 'z', values: ['b'] }] }, { matchLabelExpressions: [] }, {}] },
    'duplicate allowedTopologies[0].matchLabelExpressions[1].values[1]', 'duplicate allowedTopologies[0].matchLabelExpressions[2].key', 'duplicate allowedTopologies[2].matchLabelExpressions', 'invalid allowedTopologies[0].matchLabelExpressions[0].key', 'required allowedTopologies[0].matchLabelExpressions[0].values'],
});
testFaults(StorageClass, {
  'what can change': [{ provisioner: 'p', allowVolumeExpansion: true, mountOptions: ['ro'] }],
  'what cannot': [{ provisioner: 'q', parameters: { a: 'b' }, reclaimPolicy: 'Retain', volumeBindingMode: 'WaitForFirstConsumer' }, 'forbidden parameters', 'forbidden provisioner', 'forbidden reclaimPolicy', 'invalid volumeBindingMode'],
}, { provisioner: 'p' });
testFaults(VolumeAttributesClass, { 'good': [{ driverName: 'a.b', parameters: { a: 'b' } }], 'nothing': [{}, 'required driverName', 'required parameters'], 'driver': [{ driverName: 'a/b', parameters: { a: '' } }, 'invalid driverName'] });
testFaults(VolumeAttributesClass, { 'anything': [{ driverName: 'b', parameters: { a: 'c' } }, 'forbidden driverName', 'forbidden parameters'] }, { driverName: 'a', parameters: { a: 'b' } });
testFaults(CSIDriver, {
  'good': [{ spec: {} }], 'nothing': [{}, 'required spec'], 'name': [{ metadata: { name: 'a'.repeat(64) }, spec: {} }, 'invalid metadata.name'],
  'words': [{ spec: { fsGroupPolicy: 'Some', volumeLifecycleModes: ['Eternal', 'Eternal'], nodeAllocatableUpdatePeriodSeconds: 9 } }, 'duplicate spec.volumeLifecycleModes[1]', 'invalid spec.nodeAllocatableUpdatePeriodSeconds', 'unsupported spec.fsGroupPolicy', 'unsupported spec.volumeLifecycleModes[0]'],
  'tokens': [{ spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 599 }, { audience: 'a' }, { audience: 'b', expirationSeconds: 2 ** 32 + 1 }] } }, 'duplicate spec.tokenRequests[1].audience', 'invalid spec.tokenRequests[0].expirationSeconds', 'invalid spec.tokenRequests[2].expirationSeconds'],
});
testFaults(CSIDriver, { 'what can change': [{ spec: { podInfoOnMount: true } }], 'what cannot': [{ spec: { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] } }, 'invalid spec.attachRequired', 'invalid spec.volumeLifecycleModes'] }, { spec: {} });
const drivers = (...list: readonly Json[]): Json => ({ spec: { drivers: list } });
testFaults(CSINode, {
  'good': [drivers({ name: 'a', nodeID: 'n' })], 'no list': [{ spec: {} }, 'required spec.drivers'],
  'drivers': [drivers({ name: 'a/b', nodeID: 'x'.repeat(193), topologyKeys: ['', 'a', 'a', 'a b'], allocatable: { count: -1 } }, { name: 'b', nodeID: '' }, { name: 'b', nodeID: 'n' }),
    'duplicate spec.drivers[0].topologyKeys', 'duplicate spec.drivers[2].name', 'invalid spec.drivers[0].allocatable.count', 'invalid spec.drivers[0].name', 'invalid spec.drivers[0].nodeID', 'invalid spec.drivers[0].topologyKeys', 'required spec.drivers[0].topologyKeys', 'required spec.drivers[1].nodeID'],
});
testFaults(CSINode, { 'counts, and a driver more': [drivers({ name: 'a', nodeID: 'n', allocatable: { count: 5 } }, { name: 'b', nodeID: 'n' })], 'another id': [drivers({ name: 'a', nodeID: 'm' }), 'invalid spec.drivers[0]'] }, drivers({ name: 'a', nodeID: 'n' }));
testFaults(CSIStorageCapacity, { 'good': [{ storageClassName: 'a', capacity: '1Gi' }], 'amounts': [{ storageClassName: 'A', capacity: '-1', maximumVolumeSize: '-1', nodeTopology: { matchLabels: { a: '-' } } }, 'invalid capacity', 'invalid maximumVolumeSize', 'invalid nodeTopology.matchLabels', 'invalid storageClassName'] });
testFaults(CSIStorageCapacity, { 'elsewhere': [{ storageClassName: 'b', nodeTopology: {}, capacity: '2' }, 'invalid nodeTopology', 'invalid storageClassName'] }, { storageClassName: 'a' });
const attachment = (more: Json = {}): Json => ({ spec: { attacher: 'a.b', nodeName: 'n', source: { persistentVolumeName: 'pv' }, ...more } });
const csiVolume = { accessModes: ['ReadWriteOnce'], csi: { driver: 'a.b', volumeHandle: 'h' } };
testFaults(VolumeAttachment, {
  'good': [attachment()], 'inline': [attachment({ source: { inlineVolumeSpec: csiVolume } })], 'nothing': [{ spec: {} }, 'required spec.attacher', 'required spec.nodeName', 'required spec.source'],
  'sources': [attachment({ source: {}, attacher: 'a/b', nodeName: 'N' }), 'invalid spec.attacher', 'invalid spec.nodeName', 'required spec.source'], 'both sources': [attachment({ source: { inlineVolumeSpec: csiVolume, persistentVolumeName: 'pv' } }), 'forbidden spec.source'],
  'more than inline': [attachment({ source: { inlineVolumeSpec: { ...csiVolume, capacity: { storage: '1Gi' }, storageClassName: 'c' } } }), 'forbidden spec.source.inlineVolumeSpec.capacity', 'forbidden spec.source.inlineVolumeSpec.storageClassName'],
});
testFaults(VolumeAttachment, { 'another node': [attachment({ nodeName: 'm' }), 'invalid spec'] }, attachment());
testFaults(PriorityClass, {
  'good': [{ value: 1_000_000_000 }], 'no value': [{}], 'negative': [{ value: -5, preemptionPolicy: 'Never' }], 'too high': [{ value: 1_000_000_001 }, 'forbidden value'], 'policy': [{ preemptionPolicy: 'Maybe' }, 'unsupported preemptionPolicy'],
  'a name of the system': [{ metadata: { name: 'system-mine' }, value: 1 }, 'forbidden metadata.name'], 'a class of the system': [{ metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }],
  'a class of the system as default': [{ metadata: { name: 'system-node-critical' }, value: 2_000_001_000, globalDefault: true }, 'forbidden metadata.name'], 'another value for it': [{ metadata: { name: 'system-node-critical' }, value: 1 }, 'forbidden metadata.name'],
});
testFaults(PriorityClass, { 'what can change': [{ value: 5, globalDefault: true, description: 'd' }], 'what cannot': [{ value: 6, preemptionPolicy: 'Never' }, 'forbidden value', 'invalid preemptionPolicy'] }, { value: 5 });
testFaults(RuntimeClass, {
  'good': [{ handler: 'runsc', overhead: { podFixed: { cpu: '10m' } } }], 'no handler': [{}, 'required handler'],
  'fields': [{ handler: 'A', overhead: { podFixed: { cpu: '-1', space: '1' } }, scheduling: { nodeSelector: { 'a b': '' }, tolerations: [{ value: 'x', operator: 'Exists', key: 'k' }] } },
    'invalid handler', 'invalid overhead.podFixed[cpu]', 'invalid overhead.podFixed[space]', 'invalid scheduling.nodeSelector', 'invalid scheduling.tolerations[0].operator'],
});
testFaults(RuntimeClass, { 'another handler': [{ handler: 'b' }, 'invalid handler'] }, { handler: 'a' });

// Webhooks, policies, API services

const webhook = (more: Json = {}): Json => ({ name: 'a.b.c', clientConfig: { url: 'https://a/b' }, sideEffects: 'None', admissionReviewVersions: ['v1'], ...more });
const hooks = (...list: readonly Json[]): Json => ({ webhooks: list });
const ruleOf = (more: Json = {}): Json => ({ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], ...more });
for (const kind of [ValidatingWebhookConfiguration, MutatingWebhookConfiguration] as readonly AnyKind[]) {
  testFaults(kind, {
    'good': [hooks(webhook({ rules: [ruleOf()] }))], 'nothing': [{}],
    'left out': [hooks({}), ...['admissionReviewVersions', 'clientConfig', 'name', 'sideEffects'].map((name) => `required webhooks[0].${name}` as const)],
    'names': [hooks(webhook({ name: 'a.b' }), webhook({ name: 'A.b.c' }), webhook(), webhook()), 'duplicate webhooks[3].name', 'invalid webhooks[0].name', 'invalid webhooks[1].name'],
    'words': [hooks(webhook({ failurePolicy: 'Cry', matchPolicy: 'Sort of', sideEffects: 'Some', timeoutSeconds: 31 })), 'invalid webhooks[0].timeoutSeconds', 'unsupported webhooks[0].failurePolicy', 'unsupported webhooks[0].matchPolicy', 'unsupported webhooks[0].sideEffects'],
    'versions': [hooks(webhook({ admissionReviewVersions: ['v2', 'v2', '1'] }), webhook({ name: 'b.b.b', admissionReviewVersions: [] })), 'invalid webhooks[0].admissionReviewVersions', 'invalid webhooks[0].admissionReviewVersions[1]', 'invalid webhooks[0].admissionReviewVersions[2]', 'required webhooks[1].admissionReviewVersions'],
    'clients': [hooks(...[{}, { url: 'https://a', service: { name: 'a', namespace: 'b' } }, { url: 'a' }, { url: 'http://u:p@a/?q#f' }, { service: { name: '', namespace: '', path: '/a//B', port: 70_000 } }].map((clientConfig, index) => webhook({ name: `a.b.c${index}`, clientConfig }))),
      'required webhooks[0].clientConfig', 'required webhooks[1].clientConfig', 'required webhooks[2].clientConfig.url', 'invalid webhooks[3].clientConfig.url', 'invalid webhooks[3].clientConfig.url', 'invalid webhooks[3].clientConfig.url', 'invalid webhooks[3].clientConfig.url',
      'required webhooks[4].clientConfig.service.name', 'required webhooks[4].clientConfig.service.namespace', 'invalid webhooks[4].clientConfig.service.path', 'invalid webhooks[4].clientConfig.service.path', 'invalid webhooks[4].clientConfig.service.port'],
    'rules': [hooks(webhook({ rules: [{}, ruleOf({ operations: ['*', 'CREATE'], apiGroups: ['*', 'a'], apiVersions: ['*', ''], resources: ['*', 'pods'], scope: 'All' }), ruleOf({ operations: ['READ'], resources: ['pods/*', 'pods/log', '*/scale', 'a/scale', ''] }), ruleOf({ resources: ['*/*', 'pods'] })] })),
      ...['apiGroups', 'apiVersions', 'operations', 'resources'].map((name) => `required webhooks[0].rules[0].${name}` as const), ...['apiGroups', 'apiVersions', 'operations', 'resources'].map((name) => `invalid webhooks[0].rules[1].${name}` as const),
      'required webhooks[0].rules[1].apiVersions[1]', 'unsupported webhooks[0].rules[1].scope', 'unsupported webhooks[0].rules[2].operations[0]', 'invalid webhooks[0].rules[2].resources[1]', 'invalid webhooks[0].rules[2].resources[3]', 'required webhooks[0].rules[2].resources[4]', 'invalid webhooks[0].rules[3].resources'],
    'conditions and selectors': [hooks(webhook({ namespaceSelector: { matchLabels: { a: '-' } }, matchConditions: [{ name: 'a b', expression: ' ' }, { name: 'c', expression: 'true' }, { name: 'c', expression: 'true' }] })),
      'duplicate webhooks[0].matchConditions[2].name', 'invalid webhooks[0].matchConditions[0].name', 'invalid webhooks[0].namespaceSelector.matchLabels', 'required webhooks[0].matchConditions[0].expression'],
  });
}
const policy = (more: Json = {}): Json => ({ spec: { matchConstraints: { resourceRules: [ruleOf()] }, ...more } });
testFaults(ValidatingAdmissionPolicy, {
  'good': [policy({ validations: [{ expression: 'true' }] })], 'nothing': [{}, 'required spec.auditAnnotations', 'required spec.matchConstraints', 'required spec.validations'],
  'no rules': [{ spec: { matchConstraints: {}, validations: [{ expression: 'true' }] } }, 'required spec.matchConstraints.resourceRules'],
  'expressions': [policy({ validations: [{ expression: ' ', message: ' ', reason: 'Why' }, { expression: 'true', message: 'a\nb', messageExpression: ' ' }], auditAnnotations: [{ key: 'a b', valueExpression: '' }, { key: 'k', valueExpression: "'v'" }, { key: 'k', valueExpression: "'v'" }], variables: [{ name: '1', expression: '' }] }),
    'duplicate spec.auditAnnotations[2].key', 'invalid spec.auditAnnotations[0].key', 'invalid spec.validations[0].message', 'invalid spec.validations[1].message', 'invalid spec.validations[1].messageExpression', 'invalid spec.variables[0].name',
    'required spec.auditAnnotations[0].valueExpression', 'required spec.validations[0].expression', 'required spec.variables[0].expression', 'unsupported spec.validations[0].reason'],
  'parameters and names': [{ spec: { paramKind: { apiVersion: 'a/b/c' }, validations: [{ expression: 'true' }], matchConstraints: { resourceRules: [{ ...ruleOf(), resourceNames: ['a', 'a', 'b/c'] }] } } },
    'duplicate spec.matchConstraints.resourceRules[0].resourceNames[1]', 'invalid spec.matchConstraints.resourceRules[0].resourceNames[2]', 'invalid spec.paramKind.apiVersion', 'required spec.paramKind.kind'],
});
testFaults(ValidatingAdmissionPolicyBinding, {
  'good': [{ spec: { policyName: 'p', validationActions: ['Deny', 'Audit'], paramRef: { name: 'x' } } }], 'nothing': [{ spec: {} }, 'required spec.policyName', 'required spec.validationActions'],
  'fields': [{ spec: { policyName: 'P', validationActions: ['Deny', 'Warn', 'Laugh', 'Warn'], paramRef: { name: 'a', selector: {}, namespace: 'A', parameterNotFoundAction: 'Guess' } } },
    'duplicate spec.validationActions[3]', 'forbidden spec.paramRef.name', 'forbidden spec.paramRef.selector', 'invalid spec.paramRef.namespace', 'invalid spec.policyName', 'invalid spec.validationActions', 'unsupported spec.paramRef.parameterNotFoundAction', 'unsupported spec.validationActions[2]'],
});
testFaults(MutatingAdmissionPolicy, {
  'good': [policy({ reinvocationPolicy: 'Never', mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }] })], 'nothing': [policy(), 'required spec.mutations', 'required spec.reinvocationPolicy'],
  'changes': [policy({ reinvocationPolicy: 'Often', mutations: [{ patchType: 'Magic' }, { patchType: 'JSONPatch', applyConfiguration: {} }, { patchType: 'ApplyConfiguration', applyConfiguration: { expression: '' } }] }),
    'invalid spec.mutations[1].applyConfiguration', 'required spec.mutations[1].jsonPatch', 'required spec.mutations[2].applyConfiguration.expression', 'unsupported spec.mutations[0].patchType', 'unsupported spec.reinvocationPolicy'],
});
testFaults(MutatingAdmissionPolicyBinding, { 'nothing': [{}, 'required spec.policyName'], 'no parameters': [{ spec: { policyName: 'p', paramRef: {} } }, 'required spec.paramRef'] });
const apiService = (more: Json = {}, name = 'v1.a.b'): Json => ({ metadata: { name }, spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...more } });
testFaults(APIService, {
  'good': [apiService()], 'name': [apiService({}, 'v2.a.b'), 'invalid metadata.name'], 'nothing': [{ metadata: { name: '.' } }, 'invalid metadata.name', 'invalid spec.groupPriorityMinimum', 'invalid spec.version', 'invalid spec.versionPriority', 'required spec.group'],
  'local': [apiService({ caBundle: 'YQ==', insecureSkipTLSVerify: true }), 'invalid spec.caBundle', 'invalid spec.insecureSkipTLSVerify'],
  'remote': [apiService({ service: { port: 70_000 }, caBundle: 'YQ==', insecureSkipTLSVerify: true, groupPriorityMinimum: 20_001, versionPriority: 1_001 }),
    'invalid spec.groupPriorityMinimum', 'invalid spec.insecureSkipTLSVerify', 'invalid spec.service.port', 'invalid spec.versionPriority', 'required spec.service.name', 'required spec.service.namespace'],
});

// Requests for certificates

// Made by openssl with one P-256 key: a request of /CN=jane/O=devs/O=system:masters, and a certificate of /CN=jane.
const inPem = (type: string, content: string): string => `-----BEGIN ${type}-----\n${content.replace(/.{64}/g, '$&\n')}\n-----END ${type}-----\n`;
const requestDer = 'MIHxMIGZAgEAMDcxDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEM4EqQXpKdceOEu/gOZFLcipJXKNMbSbgcSqftlfHZS9KfNLYtd/T4MLxixdUeHqYM5YsAkIdx8jBToO4JSV1pqAAMAoGCCqGSM49BAMCA0cAMEQCICvvRSF026dEY1fHJ5k3liYgSUEptPA0f9fhQ0zzx9dgAiAOTb3zAons9wQgITEGgOkRk3ZWtL6tHXa3hxjrqbaiQw==';
const pem = inPem('CERTIFICATE REQUEST', requestDer);
const certificate = inPem('CERTIFICATE', 'MIIBdDCCARugAwIBAgIUHvzHcuZ53T+CHWRIIbmT9OFzH0YwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEamFuZTAgFw0yNjExMjEwODU2MTVaGA8yMTI2MTAyODA4NTYxNVowDzENMAsGA1UEAwwEamFuZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDOBKkF6SnXHjhLv4DmRS3IqSVyjTG0m4HEqn7ZXx2UvSnzS2LXf0+DC8YsXVHh6mDOWLAJCHcfIwU6DuCUldaajUzBRMB0GA1UdDgQWBBQo5fgEHdtVIgEfG6GixHxAyV2ffzAfBgNVHSMEGDAWgBQo5fgEHdtVIgEfG6GixHxAyV2ffzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIH9LlMJMNVSeqet3nj5J/fLrpfVB57f6+fLK1/jjK3v+AiBa/rYm3hcf66RdSWYUraSuZ9p/8kce72Byqxm4U+1pGg==');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const spoilt = (byte: number): string => {
  const der = Buffer.from(requestDer, 'base64');
  der[byte < 0 ? der.length + byte : byte]! ^= 1;
  return inPem('CERTIFICATE REQUEST', der.toString('base64'));
};
const csr = (more: Json = {}): Json => ({ spec: { request: base64(pem), signerName: 'a.b/c', usages: ['client auth'], ...more } });
testFaults(CertificateSigningRequest, {
  'good': [csr()], 'nothing': [{ spec: {} }, 'required spec.request', 'required spec.signerName', 'required spec.usages'],
  ...Object.fromEntries(Object.entries({ 'no PEM': 'x', 'a certificate': certificate, 'cut off': pem.replace(/\n.*\n-----END/, '\n-----END'), 'another signature': spoilt(-3), 'another subject': spoilt(30), 'no sequence': spoilt(0) })
    .map(([name, text]) => [name, [csr({ request: base64(text) }), 'invalid spec.request'] as [Json, 'invalid spec.request']])),
  'fields': [csr({ signerName: 'a', usages: ['client auth', 'fun', 'client auth'], expirationSeconds: 599 }), 'duplicate spec.usages[2]', 'invalid spec.expirationSeconds', 'invalid spec.signerName', 'unsupported spec.usages[1]'],
  'signers': [csr({ signerName: 'local/c' }), 'invalid spec.signerName'], 'old signer': [csr({ signerName: 'kubernetes.io/legacy-unknown' }), 'invalid spec.signerName'],
});

test('the organizations of a request can be read', (t) => {
  t.deepEqual(organizationsIn(pem), ['devs', 'system:masters']);
  for (const text of ['', 'x', certificate, spoilt(0), spoilt(3)]) t.notThrows(() => organizationsIn(text));
});

test('what is asked for stays, and a signer can neither decide nor take decisions back', (t) => {
  const asked = stored(CertificateSigningRequest, csr());
  t.deepEqual(stored(CertificateSigningRequest, csr({ signerName: 'x.y/z' }), asked), asked);
  const approved = { type: 'Approved', status: 'True' };
  const write = (status: Json, old: Json = {}): readonly string[] =>
    validateStatus(CertificateSigningRequest, { ...asked, status } as never, { ...asked, status: old } as never).map(({ field, message }) => `${field}: ${message}`);
  t.deepEqual(write({ certificate: base64(certificate), conditions: [approved] }, { conditions: [approved] }), []);
  t.deepEqual(write({ conditions: [approved] }), ['status.conditions: Forbidden: updates may not add a condition of type "Approved"']);
  t.deepEqual(write({}, { conditions: [approved] }), ['status.conditions: Forbidden: updates may not remove a condition of type "Approved"']);
  t.deepEqual(write({ conditions: [{ type: 'Failed', status: 'False' }] }), ['status.conditions[0].status: Unsupported value: "False": supported values: "True"']);
  t.regex(write({ certificate: base64(pem) }).join(), /^status.certificate: Invalid value: "<certificate data>"/);
  t.regex(write({ certificate: base64(certificate) }, { certificate: base64('x') }).join(), /^status.certificate: Forbidden/);
});

test('a status of an ingress names addresses and hosts', (t) => {
  const object = stored(Ingress, ingress(path()));
  const write = (...list: readonly Json[]): readonly string[] => validateStatus(Ingress, { ...object, status: { loadBalancer: { ingress: list } } } as never, object).map(({ field }) => field.slice('status.loadBalancer.'.length));
  t.deepEqual(write({ ip: '10.0.0.1' }, { hostname: 'a.b' }, { ip: 'x' }, { hostname: '10.0.0.1' }, { hostname: 'A' }), ['ingress[2].ip', 'ingress[3].hostname', 'ingress[4].hostname']);
});

// What is filled in

test('defaults', (t) => {
  const filled = (kind: AnyKind, body: Json): unknown => stored(kind, body);
  t.like(filled(RoleBinding, { roleRef, subjects: [{ kind: 'Group', name: 'g' }, { kind: 'ServiceAccount', name: 's' }] }), { roleRef: { apiGroup: rbac }, subjects: [{ kind: 'Group', name: 'g', apiGroup: rbac }, { kind: 'ServiceAccount', name: 's' }] } as never);
  t.like(filled(NetworkPolicy, { spec: { egress: [{ ports: [{ port: 53 }] }] } }), { spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP' }] }] } });
  t.like(filled(NetworkPolicy, { spec: { egress: [] } }), { spec: { policyTypes: ['Ingress'] } });
  t.like(filled(IngressClass, parameters({})), { spec: { parameters: { scope: 'Cluster' } } });
  t.like(filled(StorageClass, { provisioner: 'p' }), { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });
  t.like(filled(CSIDriver, { spec: {} }), { spec: { attachRequired: true, podInfoOnMount: false, storageCapacity: false, fsGroupPolicy: 'ReadWriteOnceWithFSType', volumeLifecycleModes: ['Persistent'], requiresRepublish: false, seLinuxMount: false } });
  t.like(filled(PriorityClass, {}), { preemptionPolicy: 'PreemptLowerPriority' });
  t.like(filled(MutatingWebhookConfiguration, hooks(webhook({ rules: [ruleOf()], clientConfig: { service: { name: 'a', namespace: 'b' } } }))), { webhooks: [{
    failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10, reinvocationPolicy: 'Never', rules: [{ scope: '*' }], clientConfig: { service: { port: 443 } },
  }] });
  t.like(filled(ValidatingAdmissionPolicy, policy()), { spec: { failurePolicy: 'Fail', matchConstraints: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, resourceRules: [{ scope: '*' }] } } });
  t.like(filled(ValidatingAdmissionPolicyBinding, { spec: { policyName: 'p', paramRef: { name: 'x' }, validationActions: ['Deny'] } }), { spec: { paramRef: { parameterNotFoundAction: 'Deny' } } });
});

test('an event is the same in both forms', (t) => {
  const core = stored(CoreEvent, { involvedObject: { kind: 'Pod', name: 'p', namespace: 'ns' }, message: 'm', reason: 'R', count: 2, firstTimestamp: '2026-01-01T00:00:00Z', source: { component: 'c' }, type: 'Normal' });
  const served = Event.storedAs!.fromStored(core);
  t.like(served, { regarding: { kind: 'Pod', name: 'p', namespace: 'ns' }, note: 'm', reason: 'R', deprecatedCount: 2, deprecatedFirstTimestamp: '2026-01-01T00:00:00Z', deprecatedSource: { component: 'c' }, reportingController: 'c' });
  t.false('message' in served || 'eventTime' in served);
  t.deepEqual({ ...Event.storedAs!.toStored(served as never), kind: 'Event', apiVersion: 'v1' }, core as never);
  t.is(Event.fields['regarding.name']?.(served as never), 'p');
});

// What is printed

const nowMs = Date.parse('2026-01-31T12:05:00Z');
const cells = (kind: AnyKind, body: Json): string =>
  kind.columns.map((column) => String(column.cell({ ...stored(kind, body), metadata: { name: 'x', namespace: 'ns', creationTimestamp: '2026-01-31T12:00:00Z', ...(body['metadata'] as object | undefined) }, ...(body['status'] === undefined ? {} : { status: body['status'] }) } as never, nowMs))).join(' | ');

test('columns are those of kubectl', (t) => {
  const headers = (kind: AnyKind): string => kind.columns.map(({ name, priority, type }) => `${name}${priority === 1 ? '*' : ''}${type === 'string' ? '' : `:${type}`}`).join(', ');
  const table: readonly (readonly [AnyKind, string])[] = [
    [Ingress, 'Name, Class, Hosts, Address, Ports, Age'], [NetworkPolicy, 'Name, Pod-Selector, Age'], [IngressClass, 'Name, Controller, Parameters, Age'], [IPAddress, 'Name, ParentRef, Age'], [ServiceCIDR, 'Name, CIDRs, Age'],
    [StorageClass, 'Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age'], [VolumeAttributesClass, 'Name, DriverName, Age'], [CSINode, 'Name, Drivers:integer, Age'], [VolumeAttachment, 'Name, Attacher, PV, Node, Attached:boolean, Age'], [CSIStorageCapacity, 'Name, StorageClassName, Capacity'],
    [CSIDriver, 'Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests, RequiresRepublish:boolean, Modes, Age'],
    [PriorityClass, 'Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy'], [RuntimeClass, 'Name, Handler, Age'], [Role, 'Name, Created At:date'], [ClusterRole, 'Name, Created At:date'],
    [RoleBinding, 'Name, Role, Age, Users*, Groups*, ServiceAccounts*'], [ClusterRoleBinding, 'Name, Role, Age, Users*, Groups*, ServiceAccounts*'], [CertificateSigningRequest, 'Name, Age, SignerName, Requestor, RequestedDuration, Condition'],
    [APIService, 'Name, Service, Available, Age'], [ValidatingWebhookConfiguration, 'Name, Webhooks:integer, Age'], [MutatingWebhookConfiguration, 'Name, Webhooks:integer, Age'],
    [ValidatingAdmissionPolicy, 'Name, Validations:integer, ParamKind, Age'], [ValidatingAdmissionPolicyBinding, 'Name, PolicyName, ParamRef, Age'],
  ];
  for (const [kind, wanted] of table) t.is(headers(kind), wanted, kind.kind);
  t.is(headers(Event), headers(CoreEvent));
});

test('cells', (t) => {
  const rules = ['a.b', '', 'c.d', 'e.f', 'g.h'].map((host) => ({ host }));
  const table: readonly (readonly [AnyKind, Json, string])[] = [
    [Ingress, { spec: { ingressClassName: 'nginx', rules, tls: [{}] }, status: { loadBalancer: { ingress: [{ hostname: 'z.y' }, { ip: '10.0.0.1' }] } } }, 'x | nginx | a.b,c.d,e.f + 2 more... | 10.0.0.1,z.y | 80, 443 | 5m'],
    [Ingress, { spec: { defaultBackend: backend } }, 'x | <none> | * |  | 80 | 5m'],
    [IngressClass, parameters({ apiGroup: 'g.h' }), 'x | a.b/c | K.g.h/n | 5m'], [IngressClass, { spec: { controller: 'a.b/c' } }, 'x | a.b/c | <none> | 5m'],
    [NetworkPolicy, { spec: { podSelector: { matchLabels: { a: 'b' } } } }, 'x | a=b | 5m'], [NetworkPolicy, {}, 'x | <none> | 5m'],
    [IPAddress, address('10.0.0.1', { resource: 'Services', group: 'a.b', namespace: 'ns', name: 'web' }), '10.0.0.1 | services.a.b/ns/web | 5m'],
    [StorageClass, { provisioner: 'p', metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } }, 'x (default) | p | Delete | Immediate | false | 5m'],
    [CSIDriver, { spec: { tokenRequests: [{ audience: 'a' }, { audience: 'b' }] } }, 'x | true | false | false | a,b | false | Persistent | 5m'], [CSIStorageCapacity, { storageClassName: 'c' }, 'x | c | <unset>'],
    [VolumeAttachment, attachment(), 'x | a.b | pv | n | false | 5m'], [PriorityClass, { value: 7 }, 'x | 7 | false | 5m | PreemptLowerPriority'], [Role, {}, 'x | 2026-01-31T12:00:00Z'],
    [RoleBinding, { roleRef, subjects: [{ kind: 'User', name: 'u' }, { kind: 'User', name: 'v' }, { kind: 'ServiceAccount', name: 's', namespace: 'n' }] }, 'x | Role/r | 5m | u, v |  | n/s'],
    [CertificateSigningRequest, csr({ username: 'jane', expirationSeconds: 86_400 }), 'x | 5m | a.b/c | jane | 24h | Pending'],
    [CertificateSigningRequest, { ...csr(), status: { certificate: 'YQ==', conditions: [{ type: 'Approved', status: 'True' }] } }, 'x | 5m | a.b/c |  | <none> | Approved,Issued'],
    [CertificateSigningRequest, { ...csr(), status: { conditions: [{ type: 'Failed', status: 'True' }, { type: 'Denied', status: 'True' }] } }, 'x | 5m | a.b/c |  | <none> | Denied,Failed'],
    [APIService, { ...apiService({ service: { name: 'a', namespace: 'b' } }), status: { conditions: [{ type: 'Available', status: 'False', reason: 'Gone' }] } }, 'v1.a.b | b/a | False (Gone) | 5m'], [APIService, apiService(), 'v1.a.b | Local | Unknown | 5m'],
    [ValidatingAdmissionPolicy, policy({ validations: [{ expression: 'true' }], paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }), 'x | 1 | v1/ConfigMap | 5m'],
    [ValidatingAdmissionPolicyBinding, { spec: { policyName: 'p', validationActions: [], paramRef: { name: 'a', namespace: 'b' } } }, 'x | p | b/a | 5m'],
  ];
  for (const [kind, body, wanted] of table) t.is(cells(kind, body), wanted, kind.kind);
});

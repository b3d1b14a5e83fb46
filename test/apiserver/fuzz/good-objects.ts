/** A small valid object of every built-in kind, without its metadata: what fuzzed objects begin as. */
import type { AnyKind } from '../../../schemas/kind.ts';

type Body = Readonly<Record<string, unknown>>;

const labels = { app: 'web' };
const container = {
  name: 'c', image: 'web:1', env: [{ name: 'A', value: 'b' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }], ports: [{ containerPort: 80, name: 'http' }],
  resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: 1 } }, volumeMounts: [{ name: 'v', mountPath: '/v' }],
  readinessProbe: { httpGet: { path: '/', port: 'http' } }, livenessProbe: { exec: { command: ['true'] } }, securityContext: { runAsUser: 1, capabilities: { add: ['NET_ADMIN'] } },
};
const podSpec = {
  containers: [container], initContainers: [{ name: 'i', image: 'web:1' }], volumes: [{ name: 'v', emptyDir: {} }], nodeSelector: { a: 'b' },
  tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] } } },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: labels } }],
};
const template = { metadata: { labels }, spec: podSpec };
const once = { metadata: { labels }, spec: { ...podSpec, restartPolicy: 'Never' } };
const selector = { matchLabels: labels, matchExpressions: [{ key: 'app', operator: 'Exists' }] };
const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: 'r' });
const subjects = [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount', name: 's', namespace: 'default' }];
const matchResources = { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE'], resources: ['configmaps'] }] };
const webhook = { name: 'w.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Ignore', clientConfig: { url: 'https://w.example.com/x' }, rules: [{ apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }] };
const about = { kind: 'Pod', namespace: 'default', name: 'p' };

/** A certificate request that was made once; its key is lost. */
const der = 'MIHxMIGZAgEAMDcxDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEM4EqQXpKdceOEu/gOZFLcipJXKNMbSbgcSqftlfHZS9KfNLYtd/T4MLxixdUeHqYM5YsAkIdx8jBToO4JSV1pqAAMAoGCCqGSM49BAMCA0cAMEQCICvvRSF026dEY1fHJ5k3liYgSUEptPA0f9fhQ0zzx9dgAiAOTb3zAons9wQgITEGgOkRk3ZWtL6tHXa3hxjrqbaiQw==';
const certificateRequest = Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${der}\n-----END CERTIFICATE REQUEST-----\n`).toString('base64');

const good: Readonly<Record<string, Body>> = {
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': { spec: { matchConstraints: matchResources, failurePolicy: 'Ignore', reinvocationPolicy: 'Never', mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }] } },
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': { spec: { policyName: 'p' } },
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': { webhooks: [webhook] },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': { spec: { matchConstraints: matchResources, failurePolicy: 'Ignore', validations: [{ expression: 'true' }] } },
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': { spec: { policyName: 'p', validationActions: ['Audit'] } },
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': { webhooks: [webhook] },
  'apiregistration.k8s.io/APIService': { metadata: { name: 'v1.example.com' }, spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 1, service: { name: 's', namespace: 'default' }, insecureSkipTLSVerify: true } },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    metadata: { name: 'goods.example.com' },
    spec: {
      group: 'example.com', scope: 'Namespaced', names: { plural: 'goods', kind: 'Good', shortNames: ['gd'] },
      versions: [{
        name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } }, additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }], selectableFields: [{ jsonPath: '.spec.color' }],
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.size < 10' }], properties: { size: { type: 'integer', default: 1 }, color: { type: 'string', pattern: '^[a-z]*$' }, replicas: { type: 'integer' }, any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }, status: { type: 'object', properties: { replicas: { type: 'integer' } } } } } },
      }],
    },
  },
  'apps/ControllerRevision': { revision: 1, data: { a: 1 } },
  'apps/DaemonSet': { spec: { selector, template } },
  'apps/Deployment': { spec: { replicas: 1, selector, template, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } } } },
  'apps/ReplicaSet': { spec: { selector, template } },
  'apps/StatefulSet': { spec: { serviceName: 's', selector, template, volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] } },
  'authentication.k8s.io/SelfSubjectReview': {},
  'authentication.k8s.io/TokenReview': { spec: { token: 'x' } },
  'authorization.k8s.io/LocalSubjectAccessReview': { spec: { user: 'u', resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } } },
  'authorization.k8s.io/SelfSubjectAccessReview': { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  'authorization.k8s.io/SelfSubjectRulesReview': { spec: { namespace: 'default' } },
  'authorization.k8s.io/SubjectAccessReview': { spec: { user: 'u', groups: ['g'], extra: { a: ['b'] }, nonResourceAttributes: { path: '/', verb: 'get' } } },
  'autoscaling/HorizontalPodAutoscaler': { spec: { minReplicas: 1, maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } },
  'batch/CronJob': { spec: { schedule: '*/5 * * * *', timeZone: 'Etc/UTC', jobTemplate: { spec: { template: once } } } },
  'batch/Job': { spec: { completions: 2, parallelism: 1, template: once } },
  'certificates.k8s.io/CertificateSigningRequest': { spec: { signerName: 'example.com/signer', usages: ['client auth'], request: certificateRequest } },
  'coordination.k8s.io/Lease': { spec: { holderIdentity: 'me', leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.000000Z' } },
  '/Binding': { target: { kind: 'Node', name: 'n' } },
  '/ConfigMap': { data: { a: 'b' }, binaryData: { c: 'AAE=' } },
  '/Endpoints': { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80, name: 'http' }] }] },
  '/Event': { involvedObject: about, reason: 'R', message: 'm', type: 'Normal', count: 1, firstTimestamp: '2026-01-01T00:00:00Z' },
  '/LimitRange': { spec: { limits: [{ type: 'Container', default: { cpu: '1' }, max: { cpu: '2' } }] } },
  '/Namespace': {},
  '/Node': { spec: { taints: [{ key: 'k', effect: 'NoSchedule', value: 'v' }] }, status: { capacity: { cpu: '2' } } },
  '/PersistentVolume': { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/v' } } },
  '/PersistentVolumeClaim': { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  '/Pod': { spec: podSpec },
  '/PodTemplate': { template },
  '/ReplicationController': { spec: { selector: labels, template } },
  '/ResourceQuota': { spec: { hard: { pods: '1000', 'requests.cpu': '1000' } } },
  '/Secret': { type: 'Opaque', data: { a: 'Yg==' }, stringData: { c: 'd' } },
  '/Service': { spec: { selector: labels, ports: [{ port: 80, targetPort: 'http', name: 'http' }, { port: 81, targetPort: 81, name: 'more' }] } },
  '/ServiceAccount': { secrets: [{ name: 's' }] },
  'discovery.k8s.io/EndpointSlice': { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }], ports: [{ port: 80, name: 'http', protocol: 'TCP' }] },
  'events.k8s.io/Event': { eventTime: '2026-01-01T00:00:00.000000Z', regarding: about, reason: 'R', action: 'A', note: 'n', type: 'Warning', reportingController: 'c', reportingInstance: 'i', series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
  // Of the definition above.
  'example.com/Good': { spec: { size: 2, color: 'red', any: { a: [1, { b: null }] } }, status: { replicas: 1 } },
  'networking.k8s.io/IPAddress': { metadata: { name: '10.9.8.7' }, spec: { parentRef: { resource: 'services', name: 's', namespace: 'default' } } },
  'networking.k8s.io/Ingress': { spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }], tls: [{ hosts: ['a.example.com'], secretName: 's' }] } },
  'networking.k8s.io/IngressClass': { spec: { controller: 'example.com/c' } },
  'networking.k8s.io/NetworkPolicy': { spec: { podSelector: selector, policyTypes: ['Ingress'], ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] }] } },
  'networking.k8s.io/ServiceCIDR': { spec: { cidrs: ['10.200.0.0/16'] } },
  'node.k8s.io/RuntimeClass': { handler: 'h', overhead: { podFixed: { cpu: '1m' } } },
  'policy/PodDisruptionBudget': { spec: { minAvailable: '50%', selector } },
  'rbac.authorization.k8s.io/ClusterRole': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, { nonResourceURLs: ['/x'], verbs: ['get'] }] },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { roleRef: roleRef('ClusterRole'), subjects },
  'rbac.authorization.k8s.io/Role': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['p'] }] },
  'rbac.authorization.k8s.io/RoleBinding': { roleRef: roleRef('Role'), subjects },
  'scheduling.k8s.io/PriorityClass': { value: 10, description: 'd' },
  'storage.k8s.io/CSIDriver': { spec: { attachRequired: true, volumeLifecycleModes: ['Persistent'] } },
  'storage.k8s.io/CSINode': { spec: { drivers: [{ name: 'd', nodeID: 'n', topologyKeys: ['zone'] }] } },
  'storage.k8s.io/CSIStorageCapacity': { storageClassName: 's', capacity: '1Gi', nodeTopology: selector },
  'storage.k8s.io/StorageClass': { provisioner: 'example.com/p', parameters: { a: 'b' }, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }] },
  'storage.k8s.io/VolumeAttachment': { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
  'storage.k8s.io/VolumeAttributesClass': { driverName: 'd', parameters: { a: 'b' } },
};

/** The good object of a kind, or undefined for a kind that it does not know: that one begins empty. */
export const goodObject = ({ group, kind }: AnyKind): Body | undefined => good[`${group}/${kind}`];

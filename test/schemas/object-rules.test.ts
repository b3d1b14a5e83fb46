/** Rules for services and for what controllers report, as Kubernetes has them. */
import test from 'ava';
import type { AnyKind } from '../../schemas/kind.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { ReplicationController } from '../../schemas/kinds/core/replication-controller.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { statusFaults, testFaults, type Json } from '../helpers/object-faults.ts';

const service = (more: Json = {}): Json => ({ spec: { ports: [{ port: 80 }], selector: { a: 'b' }, ...more } });
const balanced = (more: Json = {}): Json => service({ type: 'LoadBalancer', clusterIP: '10.0.0.1', ...more });

testFaults(Service, {
  "the agents' port": [balanced({ ports: [{ port: 10_250 }] }), 'invalid spec.ports[0]'],
  'the same port in the cluster alone': [service({ ports: [{ port: 10_250 }] })],
  'the class of the balancer': [balanced({ loadBalancerClass: 'a b' }), 'invalid spec.loadBalancerClass'],
});

testFaults(Service, {
  'another class': [balanced({ loadBalancerClass: 'x.y/b', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001 }), 'invalid spec.loadBalancerClass'],
  'no class': [balanced({ externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001 }), 'invalid spec.loadBalancerClass'],
  'another port for health': [balanced({ loadBalancerClass: 'x.y/a', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_002 }), 'forbidden spec.healthCheckNodePort'],
  'no need of such a port': [balanced({ loadBalancerClass: 'x.y/a' })],
  'no balancer any more': [service({ clusterIP: '10.0.0.1' })],
  'another family': [balanced({ loadBalancerClass: 'x.y/a', ipFamilies: ['IPv6'] }), 'invalid spec.clusterIPs[0]', 'invalid spec.ipFamilies[0]'],
}, balanced({ loadBalancerClass: 'x.y/a', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001, ipFamilies: ['IPv4'] }));

test('Service status: where a balancer takes traffic', (t) => {
  const at = 'status.loadBalancer.ingress[0]';
  t.deepEqual(statusFaults(Service, balanced(), { loadBalancer: { ingress: [{ ip: 'x', hostname: 'A_' }, { ip: '1.2.3.4' }] } }), [`invalid ${at}.hostname`, `invalid ${at}.ip`]);
});

testFaults(Namespace, { 'finalizers without a domain': [{ spec: { finalizers: ['kubernetes', 'x', 'example.com/x', 'a b'] } }, 'invalid spec.finalizers[1]', 'invalid spec.finalizers[3]'] });
testFaults(Endpoints, { 'protocols of applications': [{ subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 1, appProtocol: 'a b' }] }] }, 'invalid subsets[0].ports[0].appProtocol'] });
testFaults(LimitRange, { 'what no container of a pod can have': [{ spec: { limits: [{ type: 'Pod', max: { 'cpu': '1', 'requests.cpu': '1' } }] } }, 'invalid spec.limits[0].max[requests.cpu]'] });

testFaults(StorageClass, { 'a policy that only volumes made by hand have': [{ provisioner: 'x.y/z', reclaimPolicy: 'Recycle' }, 'unsupported reclaimPolicy'] });

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } };
const workload = { spec: { selector: { matchLabels: { a: 'b' } }, template, serviceName: 's' } };
const controller = { spec: { selector: { a: 'b' }, template } };
const zeros = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

const statuses: readonly (readonly [kind: AnyKind, body: object, status: Json, before: Json | undefined, ...faults: string[]])[] = [
  [Deployment, workload, { replicas: 2, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }, undefined, 'availableReplicas', 'readyReplicas', 'updatedReplicas'],
  [Deployment, workload, { replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 2 }, undefined, 'availableReplicas'],
  [Deployment, workload, { replicas: -1, observedGeneration: -1, unavailableReplicas: -1 }, undefined, 'observedGeneration', 'replicas', 'unavailableReplicas'],
  [Deployment, workload, { collisionCount: 1 }, { collisionCount: 2 }, 'collisionCount'],
  [Deployment, workload, {}, { collisionCount: 2 }, 'collisionCount'],
  [Deployment, workload, { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 1, collisionCount: 3 }, { collisionCount: 2 }],
  [ReplicaSet, workload, { replicas: 1, readyReplicas: 2, availableReplicas: 2, fullyLabeledReplicas: 2 }, undefined, 'availableReplicas', 'fullyLabeledReplicas', 'readyReplicas'],
  [ReplicationController, controller, { replicas: 1, readyReplicas: 0, availableReplicas: 1 }, undefined, 'availableReplicas'],
  [StatefulSet, workload, { replicas: 1, currentReplicas: 2, collisionCount: 0 }, { collisionCount: 1 }, 'collisionCount', 'currentReplicas'],
  [DaemonSet, workload, { ...zeros, collisionCount: 0 }, { ...zeros, collisionCount: 1 }, 'collisionCount'],
];
for (const [kind, body, status, before, ...wanted] of statuses) {
  test(`${kind.kind} status: ${JSON.stringify(status)}${before === undefined ? '' : ` after ${JSON.stringify(before)}`}`, (t) =>
    t.deepEqual(statusFaults(kind, body, status, before), wanted.map((name) => `invalid status.${name}`)));
}

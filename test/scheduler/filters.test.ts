import test from 'ava';
import type { Filter } from '../../scheduler/framework.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { nodeAffinity } from '../../scheduler/filters/node-affinity.ts';
import { nodeName } from '../../scheduler/filters/node-name.ts';
import { ports } from '../../scheduler/filters/ports.ts';
import { resources } from '../../scheduler/filters/resources.ts';
import { taints } from '../../scheduler/filters/taints.ts';
import { unschedulable } from '../../scheduler/filters/unschedulable.ts';
import type { NodeInfo } from '../../scheduler/node-info.ts';
import type { PodInfo } from '../../scheduler/pod-info.ts';
import { requestsOf } from '../../scheduler/amounts.ts';
import type { NodeSelectorTerm, Toleration } from '../../schemas/types/affinity.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { nodeInfo, pod, podInfo, withPorts, type NodeWords, type Requests } from './objects.ts';

const refusal = (filter: Filter, info: PodInfo, node: NodeInfo) => filter.prepare(info, new Cluster())?.(node);

test('resources: what is asked for must be free', (t) => {
  const words: NodeWords = { allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', 'example.com/gpu': '2', 'hugepages-2Mi': '8Mi', pods: '3' } };
  const held = [podInfo('a', { cpu: '500m', memory: '512Mi', 'example.com/gpu': '1', 'hugepages-2Mi': '4Mi' })];
  const cases: readonly (readonly [Requests, readonly string[] | undefined])[] = [
    [{}, undefined],
    [{ cpu: '1500m', memory: '512Mi', 'ephemeral-storage': '10Gi', 'example.com/gpu': '1' }, undefined],
    [{ cpu: '1501m' }, ['Insufficient cpu']],
    [{ memory: '536870913' }, ['Insufficient memory']],
    [{ cpu: '3', memory: '3Gi', 'ephemeral-storage': '11Gi' }, ['Insufficient cpu', 'Insufficient memory', 'Insufficient ephemeral-storage']],
    [{ 'example.com/gpu': '2' }, ['Insufficient example.com/gpu']],
    [{ 'example.com/other': '1' }, ['Insufficient example.com/other']],
    [{ 'hugepages-2Mi': '4Mi' }, undefined],
    [{ 'hugepages-2Mi': '6Mi' }, ['Insufficient hugepages-2Mi']],
  ];
  for (const [requests, expected] of cases) t.deepEqual(refusal(resources, podInfo('p', requests), nodeInfo('n', words, held)), expected, JSON.stringify(requests));
  const crowded = nodeInfo('n', words, [podInfo('a'), podInfo('b'), podInfo('c')]);
  t.deepEqual(refusal(resources, podInfo('p', { cpu: '3' }), crowded), ['Too many pods', 'Insufficient cpu']);
  const over = nodeInfo('n', words, [podInfo('a', { cpu: '9' })]);
  t.is(refusal(resources, podInfo('p', { memory: '1Mi' }), over), undefined, 'a node that is over its CPUs still takes a pod that asks for none');
});

test('resources: what a pod takes', (t) => {
  const container = (cpu: string, restartPolicy?: 'Always') => ({ name: 'c', image: 'i', resources: { requests: { cpu } }, ...(restartPolicy === undefined ? {} : { restartPolicy }) });
  const cases: readonly (readonly [string, Partial<PodSpec>, number])[] = [
    ['containers add up', { containers: [container('1'), container('500m')] }, 1500],
    ['the largest init container counts alone', { initContainers: [container('2'), container('3')], containers: [container('1')] }, 3000],
    ['sidecars run on', { initContainers: [container('1', 'Always')], containers: [container('1')] }, 2000],
    ['an init container runs beside the sidecars before it', { initContainers: [container('1', 'Always'), container('2'), container('5', 'Always')], containers: [container('100m')] }, 6100],
    ['and not beside those after it', { initContainers: [container('6'), container('1', 'Always')], containers: [container('1')] }, 6000],
    ['overhead comes on top', { containers: [container('1')], overhead: { cpu: '250m' } }, 1250],
    ['a limit is a request where there is none', { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '700m' } } }] }, 700],
    ['the request goes before the limit', { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '700m' }, requests: { cpu: '100m' } } }] }, 100],
    ['requests of the whole pod go before all', { containers: [container('1')], resources: { requests: { cpu: '3' } } }, 3000],
  ];
  for (const [what, spec, cpuMilli] of cases) t.is(requestsOf(pod('p', {}, spec)).cpuMilli, cpuMilli, what);
});

test('a pod whose resources are being changed takes the most of what it asks for, was given and has', (t) => {
  const taken = (wanted: string, given: string, has: string, reason?: string): number => requestsOf({
    ...pod('p', {}, { containers: [{ name: 'a', resources: { requests: { cpu: wanted } } }, { name: 'b', resources: { requests: { cpu: '1' } } }] }),
    status: {
      containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: given }, resources: { requests: { cpu: has } } }],
      ...(reason === undefined ? {} : { conditions: [{ type: 'PodResizePending', status: 'True', reason }] }),
    },
  }).cpuMilli;
  t.is(taken('500m', '500m', '500m'), 1_500);
  t.is(taken('900m', '500m', '500m', 'Deferred'), 1_900);
  t.is(taken('100m', '500m', '500m'), 1_500);
  t.is(taken('100m', '100m', '700m'), 1_700);
  t.is(taken('64', '500m', '500m', 'Infeasible'), 1_500, 'what the node can never give');
});

test('taints: each must be tolerated, by key, value and effect', (t) => {
  const taint = { key: 'team', value: 'a', effect: 'NoSchedule' } as const;
  const reason = 'node(s) had untolerated taint {team: a}';
  const cases: readonly (readonly [readonly Toleration[], string | undefined])[] = [
    [[], reason],
    [[{ key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' }], undefined],
    [[{ key: 'team', value: 'a' }], undefined],
    [[{ key: 'team', operator: 'Equal', value: 'b' }], reason],
    [[{ key: 'team', operator: 'Exists' }], undefined],
    [[{ key: 'team', operator: 'Exists', effect: 'NoExecute' }], reason],
    [[{ operator: 'Exists' }], undefined],
    [[{ operator: 'Equal', value: 'a' }], reason],
    [[{ key: 'other', operator: 'Exists' }], reason],
  ];
  for (const [tolerations, expected] of cases) t.is(refusal(taints, podInfo('p', {}, { tolerations }), nodeInfo('n', { taints: [taint] })), expected, JSON.stringify(tolerations));
  const none = podInfo('p');
  t.is(refusal(taints, none, nodeInfo('n', { taints: [{ key: 'k', effect: 'NoExecute' }] })), 'node(s) had untolerated taint {k: }');
  t.is(refusal(taints, none, nodeInfo('n', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] })), undefined);
  t.is(refusal(taints, podInfo('p', {}, { tolerations: [{ key: 'team', operator: 'Exists' }] }), nodeInfo('n', { taints: [taint, { key: 'k', effect: 'NoExecute' }] })), 'node(s) had untolerated taint {k: }');
});

test('unschedulable: cordoned nodes take only pods that tolerate it', (t) => {
  t.is(refusal(unschedulable, podInfo('p'), nodeInfo('n')), undefined);
  t.is(refusal(unschedulable, podInfo('p'), nodeInfo('n', { unschedulable: true })), 'node(s) were unschedulable');
  const daemon = podInfo('p', {}, { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] });
  t.is(refusal(unschedulable, daemon, nodeInfo('n', { unschedulable: true })), undefined);
});

test('node name', (t) => {
  t.is(nodeName.prepare(podInfo('p'), new Cluster()), undefined);
  t.is(refusal(nodeName, podInfo('p', {}, { nodeName: 'n' }), nodeInfo('n')), undefined);
  t.is(refusal(nodeName, podInfo('p', {}, { nodeName: 'm' }), nodeInfo('n')), "node(s) didn't match the requested node name");
});

const term = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt', ...values: readonly string[]): NodeSelectorTerm => ({ matchExpressions: [{ key, operator, values }] });
const required = (...nodeSelectorTerms: readonly NodeSelectorTerm[]): Partial<PodSpec> => ({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } });

test('node affinity: selector and all operators', (t) => {
  const labels = { zone: 'a', disk: 'ssd', cores: '16', odd: 'x1' };
  const cases: readonly (readonly [string, Partial<PodSpec>, boolean])[] = [
    ['a selector that matches', { nodeSelector: { zone: 'a', disk: 'ssd' } }, true],
    ['a selector that does not', { nodeSelector: { zone: 'a', disk: 'hdd' } }, false],
    ['a selector of a label that is not there', { nodeSelector: { toString: 'x' } }, false],
    ['In', required(term('zone', 'In', 'b', 'a')), true],
    ['In, other value', required(term('zone', 'In', 'b')), false],
    ['In, no label', required(term('rack', 'In', '')), false],
    ['NotIn', required(term('zone', 'NotIn', 'b')), true],
    ['NotIn, same value', required(term('zone', 'NotIn', 'a')), false],
    ['NotIn, no label', required(term('rack', 'NotIn', 'a')), true],
    ['Exists', required(term('disk', 'Exists')), true],
    ['Exists, no label', required(term('rack', 'Exists')), false],
    ['Exists, a name that every object has', required(term('constructor', 'Exists')), false],
    ['DoesNotExist', required(term('rack', 'DoesNotExist')), true],
    ['DoesNotExist, label', required(term('disk', 'DoesNotExist')), false],
    ['Gt', required(term('cores', 'Gt', '8')), true],
    ['Gt, equal', required(term('cores', 'Gt', '16')), false],
    ['Gt, longer but smaller text', required(term('cores', 'Gt', '9')), true],
    ['Lt', required(term('cores', 'Lt', '17')), true],
    ['Lt, equal', required(term('cores', 'Lt', '16')), false],
    ['Gt of a label that is no number', required(term('odd', 'Gt', '0')), false],
    ['Gt than what is no number', required(term('cores', 'Gt', 'x')), false],
    ['all requirements of a term', required({ matchExpressions: [...term('zone', 'In', 'a').matchExpressions!, ...term('disk', 'In', 'hdd').matchExpressions!] }), false],
    ['any of the terms', required(term('zone', 'In', 'b'), term('disk', 'In', 'ssd')), true],
    ['an empty term matches nothing', required({}), false],
    ['no terms match nothing', required(), false],
    ['a field', required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }), true],
    ['a field, other name', required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['m'] }] }), false],
    ['a field, not this name', required({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n'] }] }), false],
    ['selector and affinity', { nodeSelector: { zone: 'a' }, ...required(term('zone', 'In', 'b')) }, false],
  ];
  for (const [what, spec, fits] of cases) t.is(refusal(nodeAffinity, podInfo('p', {}, spec), nodeInfo('n', { labels })), fits ? undefined : "node(s) didn't match Pod's node affinity/selector", what);
  t.is(nodeAffinity.prepare(podInfo('p'), new Cluster()), undefined);
  t.deepEqual(nodeAffinity.narrow?.(podInfo('p', {}, required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] })))?.names, ['n']);
  t.is(nodeAffinity.narrow?.(podInfo('p', {}, required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }, term('zone', 'Exists')))), undefined);
});

test('host ports: one owner for each address, protocol and number', (t) => {
  const reason = "node(s) didn't have free ports for the requested pod ports";
  const cases: readonly (readonly [string, Partial<PodSpec>, Partial<PodSpec>, boolean])[] = [
    ['no host port', withPorts({}), withPorts({}), true],
    ['the same', withPorts({ hostPort: 80 }), withPorts({ hostPort: 80 }), false],
    ['another number', withPorts({ hostPort: 80 }), withPorts({ hostPort: 81 }), true],
    ['another protocol', withPorts({ hostPort: 53 }), withPorts({ hostPort: 53, protocol: 'UDP' }), true],
    ['another address', withPorts({ hostPort: 80, hostIP: '10.0.0.1' }), withPorts({ hostPort: 80, hostIP: '10.0.0.2' }), true],
    ['all addresses after one', withPorts({ hostPort: 80, hostIP: '10.0.0.1' }), withPorts({ hostPort: 80, hostIP: '0.0.0.0' }), false],
    ['one address after all', withPorts({ hostPort: 80 }), withPorts({ hostPort: 80, hostIP: '10.0.0.1' }), false],
    ['one of two', withPorts({ hostPort: 80 }), withPorts({ hostPort: 90 }, { hostPort: 80 }), false],
    ['the host network', { hostNetwork: true, ...withPorts({ containerPort: 80 }) }, withPorts({ hostPort: 80 }), false],
    ['a sidecar', withPorts({ hostPort: 80 }), { initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 80 }] }] }, false],
    ['an init container that ends', withPorts({ hostPort: 80 }), { initContainers: [{ name: 's', image: 'i', ports: [{ containerPort: 1, hostPort: 80 }] }] }, true],
  ];
  for (const [what, held, wanted, fits] of cases) {
    const info = nodeInfo('n', {}, [podInfo('held', {}, held)]);
    const node = refusal(ports, podInfo('p', {}, wanted), info);
    t.is(node, fits ? undefined : reason, what);
    info.remove('uid-held');
    t.is(refusal(ports, podInfo('p', {}, wanted), info), undefined, `${what}: free again`);
  }
  const shared = nodeInfo('n', {}, [podInfo('a', {}, withPorts({ hostPort: 80 }, { hostPort: 80 }))]);
  shared.remove('uid-a');
  t.false(shared.ports.conflicts([{ ip: '0.0.0.0', protocol: 'TCP', port: 80 }]));
});

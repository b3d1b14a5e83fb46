// Real command lines over HTTPS against a real API server: what users read about pods that wait, and about those that are placed.
import test from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import type { NewObject } from '../../client/client.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { ClusterRoleBinding } from '../../schemas/kinds/rbac/cluster-role-binding.ts';
import { ClusterRole } from '../../schemas/kinds/rbac/cluster-role.ts';
import { RoleBinding } from '../../schemas/kinds/rbac/role-binding.ts';
import type { Taint } from '../../schemas/types/affinity.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { testCli, type Cli } from '../helpers/cli.ts';

interface NodeWords { readonly cpu?: string; readonly memory?: string; readonly pods?: string; readonly labels?: Record<string, string>; readonly taints?: readonly Taint[]; readonly unschedulable?: boolean }

const addNode = async ({ api: { client } }: Cli, name: string, { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints = [], unschedulable = false }: NodeWords = {}): Promise<void> => {
  await client.of(Node).create({ metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec: { taints: [...taints], unschedulable } } as NewObject<Node>);
  await client.of(Node).modifyStatus({ name }, (draft) => void (draft.status = { ...draft.status, allocatable: { cpu, memory, pods } }));
};

const addPod = async ({ api: { client } }: Cli, name: string, { cpu, namespace = 'default', ...spec }: Partial<PodSpec> & { readonly cpu?: string; readonly namespace?: string } = {}, metadata: object = {}): Promise<void> => {
  await client.of(Pod).create({
    metadata: { name, namespace, ...metadata },
    spec: { containers: [{ name: 'c', image: 'i', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }], ...spec },
  } as NewObject<Pod>);
};

const begun = async (t: { teardown(fn: () => Promise<void>): void }, options: Parameters<typeof testCli>[0] = {}): Promise<Cli> => {
  const cli = await testCli(options);
  t.teardown(cli.close);
  return cli;
};

const strategyNote = 'Note: which strategy the scheduler was started with cannot be read: scores are those of spread where the pod asks for no other; --strategy names another.\n';

test('a pod that waits: each filter, its nodes, what would have to change, and what is nearest', async (t) => {
  const cli = await begun(t);
  await addNode(cli, 'a', { cpu: '1' });
  await addNode(cli, 'b', { cpu: '2' });
  await addNode(cli, 'c', { cpu: '500m', taints: [{ key: 'team', value: 'db', effect: 'NoSchedule' }] });
  await addNode(cli, 'd', { unschedulable: true });
  await addPod(cli, 'held-a', { cpu: '700m', nodeName: 'a' });
  await addPod(cli, 'held-b', { cpu: '1700m', nodeName: 'b' });
  await addPod(cli, 'web', { cpu: '500m' });
  const { code, out, err } = await cli.barge('explain-scheduling web');
  t.is(code, 0, err);
  t.is(out, `Pod default/web cannot be placed: 0/4 nodes are available: 1 node(s) had untolerated taint {team: db}, 1 node(s) were unschedulable, 2 Insufficient cpu.

FILTER          NODES   REFUSED BECAUSE
Unschedulable   1       node(s) were unschedulable: d
Taints          1       node(s) had untolerated taint {team: db}: c
Resources       2       Insufficient cpu: a, b

What would have to change (all that refuse one and the same node):
  Unschedulable: take the cordon off d (kubectl uncordon NODE)
  Taints: let the pod tolerate team=db:NoSchedule, or take that taint off c
  Resources: 2 nodes lack 500m cpu: the most that is free is 300m (a); ask for at most 300m, or free 200m on a

Nearest to fitting:
  a, b: Resources alone is in the way
  c: Taints alone is in the way
  d: Unschedulable alone is in the way

${strategyNote}`);
});

test('a pod that is placed: the ranking, and whether it would be chosen again', async (t) => {
  const cli = await begun(t);
  for (const name of ['a', 'b', 'c']) await addNode(cli, name);
  await addPod(cli, 'other', { cpu: '2', nodeName: 'a' });
  await addPod(cli, 'web', { cpu: '1', nodeName: 'b' });
  await addPod(cli, 'odd', { cpu: '1', nodeName: 'a' }, { annotations: { 'swarm.barge.dev/constraints': 'node==~c' } });
  const web = await cli.barge('explain-scheduling pod/web --strategy binpack');
  t.true(web.out.startsWith('Pod default/web is on node b. As the cluster is now, strategy binpack would choose a; 3 of 3 nodes fit.\n'), web.out + web.err);
  const lines = (await cli.barge('explain-scheduling pod web')).out.split('\n');
  t.is(lines[0], 'Pod default/web is on node b: 3 of 3 nodes fit, and of them strategy spread ranks b first, with 1 more: chance decides among equals.');
  t.deepEqual(lines.slice(3, 7).map((line) => line.split(/ {2,}/)).map(([node, ...rest]) => [node, rest.at(-1)]).sort(), [['NODE', 'TOTAL'], ['a', lines.find((line) => line.startsWith('a '))!.split(/ {2,}/).at(-1)], ['b', 'the pod is here'], ['c', lines.find((line) => line.startsWith('c '))!.split(/ {2,}/).at(-1)]]);
  const odd = await cli.barge('explain-scheduling odd');
  t.regex(odd.out, /^Pod default\/odd is on node a\. As the cluster is now, strategy spread would choose c; 3 of 3 nodes fit\.\n/);
  t.regex(odd.out, /\na .* passed over by SwarmSoft\n/);
});

test('for programs, as JSON and YAML', async (t) => {
  const cli = await begun(t);
  await addNode(cli, 'a', { cpu: '1' });
  await addPod(cli, 'web', { cpu: '2' });
  const found = JSON.parse((await cli.barge('explain-scheduling po/web -o json --strategy spread')).out) as unknown;
  t.deepEqual(found, {
    pod: 'default/web', strategy: 'spread', nodeCount: 1, message: '0/1 nodes are available: 1 Insufficient cpu.',
    filters: [{ filter: 'Resources', nodeCount: 1, reasons: [{ reason: 'Insufficient cpu', nodes: ['a'] }],
      remedies: ['1 node lacks 2 cpu: none has that much at all, the largest has 1 of which 1 is free (a); ask for at most 1, or add a larger node'] }],
    nearest: [{ node: 'a', filter: 'Resources' }], ranking: [], notes: [],
  });
  t.regex((await cli.barge('explain-scheduling web -o yaml')).out, /^filters:\n- filter: Resources\n/);
});

const cases = [
  ['labels', { nodeSelector: { disk: 'ssd' } }, {}, 'NodeAffinity: 2 nodes lack the label disk=ssd: label one that should have it, such as a (now hdd), or take it out of spec.nodeSelector'],
  ['node affinity', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['hdd'] }, { key: 'gpu', operator: 'Exists' }] }] } } } }, {},
    'NodeAffinity: no term of the required node affinity is met on 2 nodes: nearest is a, which does not meet gpu exists; change its labels, or the affinity'],
  ['host ports', { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }] }, {}, 'Ports: host port 80/TCP is taken by default/port-a on a and default/port-b on b: use another port, or a Service in place of a host port'],
  ['affinity to pods', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } }] } } }, {},
    'PodAffinity: there are no pods that match {"matchLabels":{"app":"db"}} on any node: start one first, or drop the affinity to them'],
  ['topology spread', { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }] }, {}, 'TopologySpread: a and b have no label rack: give it one, or spread by another key'],
  ['a Swarm constraint', {}, { annotations: { 'swarm.barge.dev/constraints': 'disk==ssd' } }, 'SwarmConstraint: 2 nodes do not meet disk==ssd: there is hdd (a), nothing (b); change the nodes, or make the constraint soft (disk==~ssd)'],
  ['a Swarm whitelist', {}, { annotations: { 'swarm.barge.dev/whitelists': 'node==x|y' } }, 'SwarmWhitelist: there is no node x or y: name other nodes, or add one of that name'],
  ['a Swarm affinity', {}, { annotations: { 'swarm.barge.dev/affinities': 'container!=port-*' } }, 'SwarmAffinity: 2 nodes have a container port-*: add a node without it, or make the affinity soft (container!=~port-*)'],
  ['a Swarm dependency', {}, { annotations: { 'swarm.barge.dev/dependencies': 'link=db:x' } }, 'SwarmDependency: the pod depends on db, which is on no node: start it first'],
] as const;

test('what would have to change, for every filter', async (t) => {
  const cli = await begun(t);
  await addNode(cli, 'a', { labels: { disk: 'hdd' } });
  await addNode(cli, 'b');
  for (const name of ['a', 'b']) await addPod(cli, `port-${name}`, { nodeName: name, containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }] } as Partial<PodSpec>);
  for (const [index, [what, spec, metadata, remedy]] of cases.entries()) {
    await addPod(cli, `web-${index}`, spec as Partial<PodSpec>, metadata);
    const { out, err } = await cli.barge(`explain-scheduling web-${index}`);
    t.true(out.includes(`\nWhat would have to change:\n  ${remedy}\n`), `${what}: ${out}${err}`);
  }
});

test('what needs no decision is said in a line, and wrong arguments are refused', async (t) => {
  const cli = await begun(t);
  await addPod(cli, 'gated', { schedulingGates: [{ name: 'example.com/quota' }] });
  t.is((await cli.barge('explain-scheduling gated')).out, 'Pod default/gated is held back by the scheduling gate example.com/quota: who set it takes it out of spec.schedulingGates when the pod may go.\n');
  await addPod(cli, 'done', {});
  await cli.api.client.of(Pod).modifyStatus({ namespace: 'default', name: 'done' }, (draft) => void (draft.status = { ...draft.status, phase: 'Succeeded' }));
  t.is((await cli.barge('explain-scheduling done')).out, 'Pod default/done has ended (Succeeded) and takes no room.\n');
  await addPod(cli, 'alone', { schedulerName: 'mine' });
  const alone = await cli.barge('explain-scheduling alone');
  t.true(alone.out.startsWith('Pod default/alone cannot be placed: no nodes available to schedule pods\n'), alone.out);
  t.true(alone.out.includes("Note: the pod asks for the scheduler mine, whose profile is not known here: this is what the default scheduler's filters say.\n"));
  t.like(await cli.barge('explain-scheduling none'), { code: 1, err: 'Error from server (NotFound): pods "none" not found\n' });
  for (const line of ['explain-scheduling', 'explain-scheduling a b', 'explain-scheduling deployment/web', 'explain-scheduling a/b/c']) t.like(await cli.barge(line), { code: 1 }, line);
});

test('with the rights of the user, and what could not be read is said', async (t) => {
  const cli = await begun(t, { authorizer: createClusterAuthorizer });
  const { client } = cli.api;
  await addNode(cli, 'a', { cpu: '1' });
  await client.of(Namespace).create({ metadata: { name: 'other' } });
  await addPod(cli, 'hidden', { cpu: '900m', nodeName: 'a', namespace: 'other' });
  await addPod(cli, 'web', { cpu: '500m' });
  await client.of(ClusterRole).create({ metadata: { name: 'pods' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] });
  await client.of(RoleBinding).create({ metadata: { name: 'pods', namespace: 'default' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'pods' }, subjects: [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }] });
  const without = await cli.barge('explain-scheduling web --context bob');
  t.is(without.code, 1);
  t.true(without.err.startsWith('error: you may not list nodes'), without.err);
  await client.of(ClusterRole).create({ metadata: { name: 'nodes' }, rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }] });
  await client.of(ClusterRoleBinding).create({ metadata: { name: 'nodes' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nodes' }, subjects: [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }] });
  const bob = await cli.barge('explain-scheduling web --context bob');
  t.is(bob.code, 0, bob.err);
  t.true(bob.out.startsWith('Pod default/web has no node yet, and 1 of 1 node fits: it will be placed by strategy spread.\n'), bob.out);
  t.true(bob.out.includes('Note: pods of other namespaces than default could not be read: what they take of the nodes, and affinity to them, is not counted.\n'));
  t.true(bob.out.includes('Note: namespaces could not be read: affinity that chooses namespaces by labels finds none.\n'));
  t.true((await cli.barge('explain-scheduling web')).out.startsWith('Pod default/web cannot be placed: 0/1 nodes are available: 1 Insufficient cpu.\n'));
});

test('volumes: what a claim lacks, where its volume is, and who has it', async (t) => {
  const cli = await begun(t);
  const { client } = cli.api;
  await addNode(cli, 'a');
  await addNode(cli, 'b', { unschedulable: true });
  const using = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
  await addPod(cli, 'lost', using('none'));
  t.regex((await cli.barge('explain-scheduling lost')).out, /cannot be placed: 0\/2 nodes are available: persistentvolumeclaim "none" not found\.[^]*VolumeBinding: make claim none, or name another\n/);
  await client.of(PersistentVolumeClaim).create({ metadata: { name: 'data', namespace: 'default' }, spec: { accessModes: ['ReadWriteOncePod'], storageClassName: '', resources: { requests: { storage: '1Gi' } } } });
  await addPod(cli, 'p', using('data'));
  t.regex((await cli.barge('explain-scheduling p')).out, /pod has unbound immediate PersistentVolumeClaims\.[^]*VolumeBinding: claim data has no volume: make one of at least 1Gi without a storage class/);
  const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: ['b'] }] }] } };
  await client.of(PersistentVolume).create({ metadata: { name: 'pv' }, spec: { accessModes: ['ReadWriteOncePod'], capacity: { storage: '1Gi' }, hostPath: { path: '/srv', type: '' }, nodeAffinity } });
  await client.of(PersistentVolumeClaim).modify({ namespace: 'default', name: 'data' }, (draft) => {
    draft.metadata.annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
    draft.spec.volumeName = 'pv';
  });
  t.regex((await cli.barge('explain-scheduling p')).out, /VolumeBinding +1 +node\(s\) had volume node affinity conflict: a\n[^]*volume pv of claim data can be reached from b only: the pod must fit there/);
  await addPod(cli, 'first', { ...using('data'), nodeName: 'b' });
  t.regex((await cli.barge('explain-scheduling p')).out, /claim default\/data is for one pod \(ReadWriteOncePod\), which is default\/first: wait for its end/);
});

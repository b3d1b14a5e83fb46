// Docker Swarm's language: filters and sieves, with the cases that the systems' own tests hold.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parseYaml } from '../../cli/manifest-yaml.ts';
import { Cluster } from '../../scheduler/cluster.ts';
import { explain } from '../../scheduler/explain.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { Decider } from '../../scheduler/schedule.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { validateSwarmAnnotations } from '../../schemas/swarm/placement.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import { seededRandom } from '../helpers/api.ts';
import { node, pod } from './objects.ts';

type Texts = Readonly<Record<string, string>>;

interface Words {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PodSpec>;
}

const made = (name: string, { metadata = {}, spec = {} }: Words = {}): PodInfo => {
  const one = pod(name, {}, spec);
  return new PodInfo({ ...one, metadata: { ...one.metadata, ...metadata } });
};

/** A pod that says these things in Swarm's language. */
const asking = (swarm: Texts, { metadata = {}, spec }: Words = {}): PodInfo =>
  made('asking', { metadata: { ...metadata, annotations: Object.fromEntries(Object.entries(swarm).map(([name, value]) => [`swarm.barge.dev/${name}`, value])) }, ...(spec === undefined ? {} : { spec }) });

const engine = (name: string, { labels = {}, annotations = {}, status = {} }: { readonly labels?: Texts; readonly annotations?: Texts; readonly status?: Partial<Node['status'] & object> } = {}): Node => {
  const one = node(name, { labels });
  return { ...one, metadata: { ...one.metadata, annotations }, status: { ...one.status, ...status } };
};

const clusterOf = (nodes: readonly Node[], placed: Readonly<Record<string, readonly PodInfo[]>> = {}): Cluster => {
  const cluster = new Cluster();
  for (const one of nodes) cluster.setNode(one);
  for (const [name, pods] of Object.entries(placed)) for (const one of pods) cluster.place(one, name);
  return cluster;
};

/** Names of the nodes that take the pod, or why none does. */
const fits = (cluster: Cluster, one: PodInfo): readonly string[] | string => {
  const decider = new Decider(profileOf('random'), cluster, () => 0);
  const decision = decider.decide(one);
  if ('misread' in decision) return decision.misread;
  return 'refusal' in decision ? explain(decision.refusal) : cluster.nodes.filter((info) => decider.refusedBy(one, info) === undefined).map(({ name }) => name);
};

/** All nodes that the pod may be put on, of many tries: those that chance can choose. */
const chosen = (cluster: Cluster, one: PodInfo): readonly string[] => {
  const decider = new Decider(profileOf('random'), cluster, seededRandom(7));
  const names = new Set<string>();
  for (let tries = 0; tries < 60; tries++) {
    const decision = decider.decide(one);
    if ('node' in decision) names.add(decision.node.name);
  }
  return [...names].sort();
};

const info = (kernelVersion: string, osImage: string, architecture = 'amd64') => ({
  architecture, kernelVersion, osImage, operatingSystem: 'linux', bootID: '', containerRuntimeVersion: '', kubeProxyVersion: '', kubeletVersion: '', machineID: '', systemUUID: '',
});

const four = [
  engine('n0', { labels: { name: 'node0', group: '1', region: 'us-west' } }),
  engine('n1', { labels: { name: 'node1', group: '1', region: 'us-east' } }),
  engine('n2', { labels: { name: 'node2', group: '2', region: 'eu' } }),
  engine('n3'),
];

for (const [constraints, expected] of [
  ['', ['n0', 'n1', 'n2', 'n3']],
  ['does_not_exist==true', '0/4 nodes are available: 4 node(s) didn\'t match Swarm constraint does_not_exist==true.'],
  ['name==node1', ['n1']], ['group==1', ['n0', 'n1']], ['node==uid-n2', ['n2']], ['node==n1', ['n1']], ['name==node0\ngroup==1', ['n0']],
  ['region==us', '0/4 nodes are available: 4 node(s) didn\'t match Swarm constraint region==us.'], ['region==us*', ['n0', 'n1']], ['region==*us*', ['n0', 'n1']],
  ['name!=node0', ['n1', 'n2', 'n3']], ['name!=does_not_exist', ['n0', 'n1', 'n2', 'n3']], ['name!=n*', ['n3']], ['region!=us*', ['n2', 'n3']],
  ['name==/node\\d/', ['n0', 'n1', 'n2']], ['name==/node[12]/', ['n1', 'n2']], ['name!=/node[12]/', ['n0', 'n3']], ['node!=/n[01]$/', ['n2', 'n3']],
  ['name==/NODE0/', '0/4 nodes are available: 4 node(s) didn\'t match Swarm constraint name==/NODE0/.'], ['name==/(?i)NODE0/', ['n0']],
  ['name==node1\nregion==eu', '0/4 nodes are available: 1 node(s) didn\'t match Swarm constraint region==eu, 3 node(s) didn\'t match Swarm constraint name==node1.'],
  ['node.labels.region==US-West', ['n0']], ['node.labels.region!=eu', ['n0', 'n1', 'n3']], ['node.labels.region==us*', '0/4 nodes are available: 4 node(s) didn\'t match Swarm constraint node.labels.region==us*.'],
  ['node.id==UID-n3', ['n3']], ['node.hostname!=N0', ['n1', 'n2', 'n3']], ['node.hostname==n0', ['n0']],
] as const) {
  test(`constraints ${JSON.stringify(constraints)}`, (t) => {
    t.deepEqual(fits(clusterOf(four), asking({ constraints })), expected);
  });
}

const engines = [
  engine('a', { annotations: { 'swarm.barge.dev/storagedriver': 'overlay2', 'swarm.barge.dev/executiondriver': 'runc', 'swarm.barge.dev/engine-labels': '{"storage":"ssd","rack":"1"}' },
    labels: { 'node-role.kubernetes.io/control-plane': '' }, status: { nodeInfo: info('6.1.0-18-amd64', 'Debian GNU/Linux 12'), addresses: [{ type: 'InternalIP', address: '10.1.2.3' }, { type: 'Hostname', address: 'host-a' }] } }),
  engine('b', { annotations: { 'swarm.barge.dev/storagedriver': 'btrfs', 'swarm.barge.dev/engine-labels': 'no json' },
    labels: { rack: '2' }, status: { nodeInfo: info('5.10.0', 'Ubuntu 22.04 LTS', 'arm64'), addresses: [{ type: 'InternalIP', address: 'fd00::7' }] } }),
  engine('c'),
];

for (const [constraints, expected] of [
  ['storagedriver==overlay2', ['a']], ['storagedriver!=overlay2', ['b', 'c']], ['executiondriver==runc', ['a']], ['kernelversion==/^6\\./', ['a']], ['operatingsystem==*Debian*', ['a']], ['ostype==linux', ['a', 'b']],
  ['storage==ssd', ['a']], ['rack==/[12]/', ['a', 'b']], ['rack!=1', ['b', 'c']], ['engine.labels.storage==SSD', ['a']], ['engine.labels.rack!=1', ['b', 'c']], ['node.labels.rack==2', ['b']],
  ['node.role==manager', ['a']], ['node.role!=Manager', ['b', 'c']], ['node.platform.os==LINUX', ['a', 'b']], ['node.platform.arch==x86_64', ['a']], ['node.platform.arch==amd64', ['a']], ['node.platform.arch!=aarch64', ['a', 'c']],
  ['node.hostname==host-a', ['a']], ['node.ip==10.1.2.3', ['a']], ['node.ip==10.0.0.0/8', ['a']], ['node.ip!=10.0.0.0/8', ['b', 'c']], ['node.ip==fd00::/16', ['b']], ['node.ip==0:0::1', '0/3 nodes are available: 3 node(s) didn\'t match Swarm constraint node.ip==0:0::1.'],
] as const) {
  test(`facts of the engine: ${constraints}`, (t) => {
    t.deepEqual(fits(clusterOf(engines), asking({ constraints })), expected);
  });
}

for (const [constraints, expected] of [
  ['node==~n1', ['n1']], ['name!=~/(?i)xyz*/', ['n0', 'n1', 'n2', 'n3']], ['region!=~us*', ['n2', 'n3']], ['region==~canada', ['n0', 'n1', 'n2', 'n3']],
  ['region==~canada\nname==~node1', ['n0', 'n1', 'n2', 'n3']], ['group==1\nregion==~us-east', ['n1']], ['node.labels.group==~2', ['n2']],
] as const) {
  test(`soft constraints ${JSON.stringify(constraints)}`, (t) => {
    t.deepEqual(chosen(clusterOf(four), asking({ constraints })), expected);
  });
}

for (const [whitelists, expected] of [
  ['node==n5|n6|n7', '0/4 nodes are available: 4 node(s) weren\'t on Swarm whitelist node==n5|n6|n7.'], ['node==n1', ['n1']], ['node==n1|n2', ['n1', 'n2']], ['node==n1|n2|n5', ['n1', 'n2']],
  ['any==n0|n1|n2\nnode==n1|n2|n3', ['n1', 'n2']],
] as const) {
  test(`whitelists ${JSON.stringify(whitelists)}`, (t) => {
    t.deepEqual(fits(clusterOf(four), asking({ whitelists })), expected);
  });
}

test('a soft whitelist prefers, and any node will do where none is on it', (t) => {
  t.deepEqual(chosen(clusterOf(four), asking({ whitelists: 'node==~n1|n2' })), ['n1', 'n2']);
  t.deepEqual(chosen(clusterOf(four), asking({ whitelists: 'node==~n8' })), ['n0', 'n1', 'n2', 'n3']);
});

const labelled = (name: string, labels: Texts): PodInfo => made(name, { metadata: { labels } });
const running = (name: string, image: string): PodInfo => made(name, { spec: { containers: [{ name: 'main', image }] } });
const three = (): Cluster => clusterOf([
  engine('n0', { status: { images: [{ names: ['image-0:tag1', 'image-0:tag2'] }] } }), engine('n1', { status: { images: [{ names: ['image-1:tag1', 'image-0:tag3', 'registry:5000/team/app:1', 'docker.io/library/redis:7'] }] } }), engine('n2'),
], { n0: [made('c0-0'), labelled('c0-1', { type: 'frontend' })], n1: [made('c1-0'), labelled('c1-1', { type: 'backend' }), running('db', 'postgres:16@sha256:00')] });

for (const [affinities, expected] of [
  ['container==does_not_exist', '0/3 nodes are available: 3 node(s) didn\'t match Swarm affinity container==does_not_exist.'],
  ['container==c0*', ['n0']], ['container==c*', ['n0', 'n1']], ['container==uid-c0-0', ['n0']], ['container!=uid-c0-0', ['n1', 'n2']], ['container!=c1-0', ['n0', 'n2']], ['container==main', ['n1']],
  ['container!=c0-1\ncontainer!=c1-1', ['n2']], ['container==c0-1\ncontainer==c1-1', '0/3 nodes are available: 1 node(s) didn\'t match Swarm affinity container==c1-1, 2 node(s) didn\'t match Swarm affinity container==c0-1.'],
  ['image==image-0:tag3', ['n1']], ['image!=image-0:tag3', ['n0', 'n2']], ['image==image-0', ['n0', 'n1']], ['image!=image-1', ['n0', 'n2']], ['image==registry:5000/team/app', ['n1']], ['image==redis', ['n1']], ['image==redis:7', ['n1']],
  ['image==postgres', ['n1']], ['image==postgres:16', ['n1']],
  ['type==frontend', ['n0']], ['type!=frontend', ['n1', 'n2']], ['type==*end', ['n0', 'n1']], ['type!=/end$/', ['n2']],
] as const) {
  test(`affinities ${JSON.stringify(affinities)}`, (t) => {
    t.deepEqual(fits(three(), asking({ affinities })), expected);
  });
}

test('soft affinities prefer, containers of other namespaces are not meant, and what is gone no longer counts', (t) => {
  const cluster = three();
  t.deepEqual(chosen(cluster, asking({ affinities: 'container==~c1-0' })), ['n1']);
  t.deepEqual(chosen(cluster, asking({ affinities: 'image==~nothing' })), ['n0', 'n1', 'n2']);
  const other = asking({ affinities: 'container==c0-0' }, { metadata: { namespace: 'other' } });
  t.is(fits(cluster, other), "0/3 nodes are available: 3 node(s) didn't match Swarm affinity container==c0-0.");
  const decider = new Decider(profileOf('random'), cluster, () => 0);
  const near = asking({ affinities: 'container==c0-0' });
  t.true('node' in decider.decide(near));
  cluster.unplace('uid-c0-0');
  t.true('refusal' in decider.decide(near));
  t.true(decider.isHelpedBy(near, made('c0-0')));
  t.false(decider.isHelpedBy(near, made('c0-9')));
});

for (const [dependencies, expected] of [
  ['volumes-from=c0-0', ['n0']], ['link=c1-0:alias', ['n1']], ['net=container:db', ['n1']], ['volumes-from=c0-0\nlink=c0-1', ['n0']],
  ['volumes-from=c0-0\nlink=c1-0', "0/3 nodes are available: 1 node(s) didn't have Swarm dependency c1-0, 2 node(s) didn't have Swarm dependency c0-0."],
] as const) {
  test(`dependencies ${JSON.stringify(dependencies)}`, (t) => {
    t.deepEqual(fits(three(), asking({ dependencies })), expected);
  });
}

test('container slots: a number is a limit, other texts are none', (t) => {
  const slots = (n0: string | undefined): Cluster => clusterOf([engine('n0', { labels: n0 === undefined ? {} : { containerslots: n0 } }), engine('n1', { annotations: { 'swarm.barge.dev/engine-labels': '{"containerslots":"1"}' } })],
    { n0: [made('a'), made('b'), made('c')], n1: [made('d')] });
  const why = "0/2 nodes are available: 2 node(s) didn't have enough free container slots.";
  t.is(fits(slots('3'), made('p')), why);
  t.deepEqual(fits(slots('4'), made('p')), ['n0']);
  t.deepEqual(fits(slots('foo'), made('p')), ['n0']);
  t.deepEqual(fits(slots(undefined), made('p')), ['n0']);
  t.is(fits(slots('4'), made('p', { spec: { containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i' }] } })), why);
});

test('a label of slots that comes and goes is looked at, also for pods that were decided about before', (t) => {
  const cluster = clusterOf([engine('n0')], { n0: [made('a')] });
  const decider = new Decider(profileOf('random'), cluster, () => 0);
  const takes = (): boolean => 'node' in decider.decide(made('p'));
  t.true(takes());
  cluster.setNode(engine('n0', { labels: { containerslots: '1' } }));
  t.false(takes());
  cluster.setNode(engine('n0'));
  t.true(takes());
});

const replica = (name: string, hash: string, swarm: Texts = {}): PodInfo => {
  const one = asking(swarm, { metadata: { name, uid: `uid-${name}`, labels: { 'pod-template-hash': hash }, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${hash}`, uid: hash, controller: true }] } });
  return one;
};

test('max replicas per node counts the pods of all versions of a Deployment', (t) => {
  const cluster = clusterOf([engine('n0'), engine('n1')], { n0: [replica('a', 'v1')], n1: [replica('b', 'v2'), made('other')] });
  t.is(fits(cluster, replica('c', 'v2', { 'max-replicas-per-node': '1' })), "0/2 nodes are available: 2 node(s) had the most replicas per node (1) of the pod's service.");
  cluster.unplace('uid-a');
  t.deepEqual(fits(cluster, replica('c', 'v2', { 'max-replicas-per-node': '1' })), ['n0']);
  t.deepEqual(fits(cluster, replica('c', 'v2', { 'max-replicas-per-node': '0' })), ['n0', 'n1']);
  t.deepEqual(fits(cluster, asking({ 'max-replicas-per-node': '1' })), ['n0', 'n1'], 'a pod without a controller is alone');
});

/** Places so many replicas one after the other and counts them by node. */
const spreadOver = (cluster: Cluster, preferences: string, count: number): Readonly<Record<string, number>> => {
  const decider = new Decider(profileOf('spread'), cluster, seededRandom(3));
  const counts: Record<string, number> = Object.fromEntries(cluster.nodes.map(({ name }) => [name, 0]));
  for (let index = 0; index < count; index++) {
    const one = replica(`r${index}`, 'v1', { preferences });
    const decision = decider.decide(one);
    if (!('node' in decision)) throw new Error('no node');
    cluster.place(one, decision.node.name);
    counts[decision.node.name]!++;
  }
  return counts;
};

const sum = (counts: Readonly<Record<string, number>>, ...names: readonly string[]): number => names.reduce((total, name) => total + counts[name]!, 0);

test('spread preferences make the branches even, level by level, and nodes without the label are a branch', (t) => {
  const labels = (zone: string | undefined, rack?: string): Texts => ({ ...(zone === undefined ? {} : { zone }), ...(rack === undefined ? {} : { rack }) });
  const nodes = [engine('a1', { labels: labels('a', '1') }), engine('a2', { labels: labels('a', '1') }), engine('a3', { labels: labels('a', '2') }), engine('b1', { labels: labels('b', '1') }), engine('c1')];
  const zones = spreadOver(clusterOf(nodes), 'spread=node.labels.zone', 9);
  t.deepEqual([sum(zones, 'a1', 'a2', 'a3'), sum(zones, 'b1'), sum(zones, 'c1')], [3, 3, 3]);
  const nested = spreadOver(clusterOf(nodes), 'spread=node.labels.zone\nspread=node.labels.rack', 12);
  t.deepEqual([sum(nested, 'a1', 'a2'), sum(nested, 'a3'), sum(nested, 'b1'), sum(nested, 'c1')], [2, 2, 4, 4]);
});

test('a branch without room is passed over', (t) => {
  const cluster = clusterOf([engine('a', { labels: { zone: 'a' } }), engine('b', { labels: { zone: 'b', containerslots: '2' } })]);
  t.deepEqual(spreadOver(cluster, 'node.labels.zone', 8), { a: 6, b: 2 });
});

test('all nodes are looked at for what a pod wants most, however many there are', (t) => {
  const nodes = Array.from({ length: 300 }, (_, index) => engine(`n${index}`, { labels: index === 299 ? { disk: 'ssd' } : {} }));
  t.deepEqual(chosen(clusterOf(nodes), asking({ constraints: 'disk==~ssd' })), ['n299']);
});

test('what cannot be read is said, also where it came past admission', (t) => {
  t.is(fits(clusterOf(four), asking({ constraints: 'storage=ssd' })), 'metadata.annotations[swarm.barge.dev/constraints]: Invalid value: "storage=ssd": "storage=ssd": must have one of the operators == and != (for example storage==ssd)');
});

test('the example says what it means', async (t) => {
  const [document] = parseYaml(await readFile(join(import.meta.dirname, '../../examples/swarm/web.yaml'), 'utf8'), 'web.yaml');
  const { metadata } = (document!.value as Deployment).spec.template;
  t.deepEqual(validateSwarmAnnotations(metadata?.annotations, 'annotations'), []);
  const web = made('web', { metadata: { annotations: { ...metadata?.annotations } } });
  const said = (name: string, labels: Texts, driver: string) => engine(name, { labels, annotations: { 'swarm.barge.dev/storagedriver': driver }, status: { nodeInfo: info('6', 'Debian') } });
  const cluster = clusterOf([said('slow', {}, 'overlay2'), said('fast', { disk: 'ssd' }, 'overlay2'), said('old', { disk: 'ssd' }, 'vfs')], { slow: [running('x', 'barge/hello:1')], fast: [running('y', 'barge/hello:1')] });
  t.deepEqual(fits(cluster, web), ['slow', 'fast']);
  t.deepEqual(chosen(cluster, web), ['fast']);
  cluster.place(made('noisy-neighbour-1'), 'fast');
  t.deepEqual(chosen(cluster, web), ['slow']);
});

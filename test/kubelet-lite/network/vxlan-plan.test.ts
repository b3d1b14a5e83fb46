import test from 'ava';
import { array, assert, boolean, constantFrom, property, record, uniqueArray } from 'fast-check';
import type { KernelNetwork, LinkState, RouteState } from '../../../kubelet-lite/network/kernel-network.ts';
import type { Peer, Self } from '../../../kubelet-lite/network/overlay.ts';
import { lineOf, macOf, planOverlay, planRemoval, vxlan, type OverlayInput, type RouteWanted, type Step } from '../../../kubelet-lite/network/vxlan-plan.ts';

const self: Self = { nodeName: 'n1', nodeIp: '192.0.2.1', podCidr: '10.244.0.0/24', clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' };
const near: Peer = { nodeName: 'near', nodeIp: '192.0.2.2', podCidr: '10.244.1.0/24' };
const far: Peer = { nodeName: 'far', nodeIp: '198.51.100.3', podCidr: '10.244.2.0/24' };

const eth0: LinkState = { name: 'eth0', mac: '02:00:00:00:00:01', mtuBytes: 1_500, up: true, hasNeighbours: true, addresses: ['192.0.2.1/24'] };
const route = (to: string, more: Partial<RouteState> = {}): RouteState => ({ to, type: 'unicast', device: 'eth0', protocol: '2', metric: 0, ...more });
const bare: KernelNetwork = { links: [eth0], routes: [route('0.0.0.0/0', { via: '192.0.2.254', protocol: '3' }), route('192.0.2.0/24')], neighbours: [], forwarding: [] };

const input = (peers: readonly Peer[], more: Partial<OverlayInput> = {}): OverlayInput => ({ self, peers, mtuBytes: 1_450, direct: true, ...more });
const lines = (steps: readonly Step[]): readonly string[] => steps.map((step) => lineOf(step)).map(({ program, line }) => `${program} ${line}`);

/** What the kernel has after a step; throws where the kernel would refuse it. */
const after = (kernel: KernelNetwork, step: Step): KernelNetwork => {
  const device = kernel.links.find(({ name }) => name === vxlan.device);
  const others = kernel.links.filter((link) => link !== device);
  const must = (condition: boolean, why: string): void => {
    if (!condition) throw new Error(`${JSON.stringify(step)}: ${why}`);
  };
  const changed = (link: Partial<LinkState>): KernelNetwork => {
    must(device !== undefined, 'there is no device');
    return { ...kernel, links: [...others, { ...device!, ...link }] };
  };
  const stateOf = (wanted: RouteWanted): RouteState => ('unreachable' in wanted
    ? { to: wanted.to, type: '7', protocol: vxlan.protocol, metric: 4_278_198_272 }
    : { to: wanted.to, type: 'unicast', via: wanted.via, device: wanted.device, protocol: vxlan.protocol, metric: 0 });
  switch (step.do) {
    case 'add-device':
      must(device === undefined, 'it is there');
      return { ...kernel, links: [...others, { name: vxlan.device, mac: step.mac, mtuBytes: step.mtuBytes, up: false, hasNeighbours: true, addresses: [], vxlan: { vni: vxlan.vni, port: vxlan.port, localIp: step.localIp, learning: false } }] };
    case 'delete-device':
      must(device !== undefined, 'it is not there');
      return { links: others, routes: kernel.routes.filter((one) => one.device !== vxlan.device), neighbours: [], forwarding: [] };
    case 'set-mtu': return changed({ mtuBytes: step.mtuBytes });
    case 'up': return changed({ up: true });
    case 'add-address':
      must(device?.addresses.includes(step.address) === false, 'it has the address');
      return changed({ addresses: [...device!.addresses, step.address] });
    case 'delete-address':
      must(device?.addresses.includes(step.address) === true, 'it has no such address');
      return changed({ addresses: device!.addresses.filter((one) => one !== step.address) });
    case 'set-neighbour':
      must(device !== undefined, 'there is no device');
      return { ...kernel, neighbours: [...kernel.neighbours.filter(({ ip }) => ip !== step.neighbour.ip), step.neighbour] };
    case 'delete-neighbour':
      must(kernel.neighbours.some(({ ip }) => ip === step.neighbour.ip), 'it is not there');
      return { ...kernel, neighbours: kernel.neighbours.filter(({ ip }) => ip !== step.neighbour.ip) };
    case 'set-forwarding':
      must(device !== undefined, 'there is no device');
      return { ...kernel, forwarding: [...kernel.forwarding.filter(({ mac }) => mac !== step.forwarding.mac), step.forwarding] };
    case 'delete-forwarding':
      must(kernel.forwarding.some(({ mac }) => mac === step.forwarding.mac), 'it is not there');
      return { ...kernel, forwarding: kernel.forwarding.filter(({ mac }) => mac !== step.forwarding.mac) };
    case 'set-route': {
      const state = stateOf(step.route);
      must(state.device === undefined || kernel.links.some(({ name, up }) => name === state.device && up), 'its device is not up');
      // The kernel knows routes apart by network and metric.
      return { ...kernel, routes: [...kernel.routes.filter(({ to, metric }) => to !== state.to || metric !== state.metric), state] };
    }
    case 'delete-route': {
      const { to, metric, protocol, type } = stateOf(step.route);
      const found = kernel.routes.find((one) => one.to === to && one.metric === metric && one.protocol === protocol && one.type === type);
      must(found !== undefined, 'there is no such route');
      return { ...kernel, routes: kernel.routes.filter((one) => one !== found) };
    }
  }
};
const carriedOut = (kernel: KernelNetwork, steps: readonly Step[]): KernelNetwork => steps.reduce(after, kernel);

test('a node alone makes nothing', (t) => {
  t.deepEqual(planOverlay(input([]), bare), { steps: [], reached: [], refused: [] });
});

test('peers of the link are reached straight, others through VXLAN with three entries each', (t) => {
  t.deepEqual(lines(planOverlay(input([far, near]), bare).steps), [
    'ip link add barge-vxlan address 0e:b1:0a:f4:00:00 mtu 1450 type vxlan id 2794 dstport 8472 local 192.0.2.1 nolearning',
    'ip address add 10.244.0.0/32 dev barge-vxlan',
    'ip link set dev barge-vxlan up',
    'ip neighbour replace 10.244.2.0 lladdr 0e:b1:0a:f4:02:00 dev barge-vxlan nud permanent',
    'bridge fdb replace 0e:b1:0a:f4:02:00 dev barge-vxlan dst 198.51.100.3 self permanent',
    'ip route replace 10.244.2.0/24 via 10.244.2.0 dev barge-vxlan onlink proto 97',
    'ip route replace 10.244.1.0/24 via 192.0.2.2 dev eth0 proto 97',
    'ip route replace unreachable 10.244.0.0/16 proto 97 metric 4278198272',
  ]);
});

test('a change takes only what changed', (t) => {
  const stands = carriedOut(bare, planOverlay(input([far, near]), bare).steps);
  const cases: readonly (readonly [string, OverlayInput, readonly string[]])[] = [
    ['nothing', input([far, near]), []],
    ['another order', input([near, far]), []],
    ['a peer goes', input([near]), ['ip route delete 10.244.2.0/24 via 10.244.2.0 dev barge-vxlan onlink proto 97', 'ip neighbour delete 10.244.2.0 dev barge-vxlan', 'bridge fdb delete 0e:b1:0a:f4:02:00 dev barge-vxlan dst 198.51.100.3 self']],
    ['a peer has another address', input([{ ...far, nodeIp: '198.51.100.9' }, near]), ['bridge fdb replace 0e:b1:0a:f4:02:00 dev barge-vxlan dst 198.51.100.9 self permanent']],
    ['a peer moves to the link', input([{ ...far, nodeIp: '192.0.2.3' }, near]), ['ip neighbour delete 10.244.2.0 dev barge-vxlan', 'bridge fdb delete 0e:b1:0a:f4:02:00 dev barge-vxlan dst 198.51.100.3 self', 'ip route replace 10.244.2.0/24 via 192.0.2.3 dev eth0 proto 97']],
    ['packets have another size', input([far, near], { mtuBytes: 8_950 }), ['ip link set dev barge-vxlan mtu 8950']],
    ['all go', input([]), ['ip route delete 10.244.1.0/24 via 192.0.2.2 dev eth0 proto 97', 'ip route delete unreachable 10.244.0.0/16 proto 97 metric 4278198272', 'ip link delete dev barge-vxlan']],
  ];
  for (const [title, wanted, expected] of cases) t.deepEqual(lines(planOverlay(wanted, stands).steps), expected, title);
});

test('this node with another address makes its device anew, with all entries', (t) => {
  const stands = carriedOut(bare, planOverlay(input([far]), bare).steps);
  const moved = { ...self, nodeIp: '192.0.2.8' };
  const { steps } = planOverlay(input([far], { self: moved }), { ...stands, links: stands.links.map((link) => (link.name === 'eth0' ? { ...link, addresses: ['192.0.2.8/24'] } : link)) });
  t.deepEqual(steps.map((step) => step.do), ['delete-device', 'add-device', 'add-address', 'up', 'set-neighbour', 'set-forwarding', 'set-route']);
});

test('routes that a link took with it come back', (t) => {
  const stands = carriedOut(bare, planOverlay(input([far, near]), bare).steps);
  const { steps } = planOverlay(input([far, near]), { ...stands, routes: stands.routes.filter(({ device }) => device !== 'eth0').concat(bare.routes) });
  t.deepEqual(lines(steps), ['ip route replace 10.244.1.0/24 via 192.0.2.2 dev eth0 proto 97']);
});

test('a link that finds no neighbours, or that must not be used, leads through VXLAN', (t) => {
  const through = (kernel: KernelNetwork, direct = true): boolean => planOverlay(input([near], { direct }), kernel).steps.some((step) => step.do === 'set-forwarding');
  t.false(through(bare));
  t.true(through(bare, false), '--overlay vxlan');
  t.true(through({ ...bare, links: [{ ...eth0, hasNeighbours: false }] }), 'a tunnel');
  t.true(through({ ...bare, routes: [...bare.routes, route('192.0.2.2/32', { via: '192.0.2.254', protocol: '4' })] }), 'a router is nearer');
});

test('nodes that say what cannot be are left out, with the reason', (t) => {
  const cases: readonly (readonly [Partial<Peer>, RegExp])[] = [
    [{ podCidr: '10.96.0.0/24' }, /none of the cluster's/],
    [{ podCidr: '0.0.0.0/0' }, /is no pod network/],
    [{ podCidr: '10.244.0.0/16' }, /overlap this node's/],
    [{ podCidr: '10.244.1.0/25' }, /overlap those of node near/],
    [{ nodeIp: '192.0.2.1' }, /this machine's own/],
    [{ nodeIp: '127.0.0.1' }, /this machine's own/],
    [{ nodeIp: 'fd00::1' }, /not of IPv4/],
  ];
  for (const [words, why] of cases) {
    const { reached, refused } = planOverlay(input([near, { ...far, ...words }]), bare);
    t.deepEqual(reached, [near]);
    t.is(refused.length, 1);
    t.regex(refused[0]!.why, why);
  }
});

test("others' routes are left alone", (t) => {
  const theirs = route(far.podCidr, { via: '192.0.2.77', protocol: '186' });
  const kernel = { ...bare, routes: [...bare.routes, theirs] };
  const { steps, refused } = planOverlay(input([far, near]), kernel);
  t.regex(refused[0]!.why, /is not barge's/);
  const done = carriedOut(kernel, steps);
  t.true(done.routes.includes(theirs));
  t.true(carriedOut(done, planRemoval(done)).routes.includes(theirs));
});

const peer = record({
  nodeName: constantFrom('a', 'b', 'c', 'd'),
  nodeIp: constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.3', '198.51.100.4', '203.0.113.5'),
  podCidr: constantFrom('10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24', '10.244.3.0/25', '10.244.0.0/16', '10.96.0.0/24', 'x'),
});
const world = record({ peers: uniqueArray(peer, { selector: ({ nodeName }) => nodeName }), mtuBytes: constantFrom(1_450, 8_950), direct: boolean() });

test('whatever stood before, a second plan after the first is empty, and removal leaves what was there', (t) => {
  assert(property(array(world, { minLength: 1, maxLength: 5 }), (worlds) => {
    let kernel = bare;
    for (const one of worlds) {
      const { steps, reached } = planOverlay(input(one.peers, one), kernel);
      kernel = carriedOut(kernel, steps);
      t.deepEqual(planOverlay(input(one.peers, one), kernel).steps, []);
      for (const { podCidr } of reached) t.is(kernel.routes.filter(({ to }) => to === podCidr).length, 1);
      t.is(kernel.neighbours.length, kernel.forwarding.length);
    }
    const left = carriedOut(kernel, planRemoval(kernel));
    t.deepEqual(left, bare);
  }));
});

test('each node has a MAC of its own that is local and of one machine', (t) => {
  t.is(macOf('10.244.17.128/25'), '0e:b1:0a:f4:11:80');
  const first = Number.parseInt(macOf('10.244.1.0/24').slice(0, 2), 16);
  t.is(first & 3, 2);
});

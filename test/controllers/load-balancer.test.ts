import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { AddressPool } from '../../controllers/load-balancer/address-pool.ts';
import { planAddress, type Holder } from '../../controllers/load-balancer/plan.ts';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { testApi } from '../helpers/api.ts';
import { rest, startControllers, until } from '../helpers/control-plane.ts';
import { service } from '../helpers/workloads.ts';

test('a pool is networks, without their own and their broadcast address, and ranges', (t) => {
  const addresses = (text: string): readonly string[] => {
    const pool = new AddressPool(text);
    const found: string[] = [];
    for (let ip = pool.free(() => false); ip !== undefined; ip = pool.free((one) => found.includes(one))) found.push(ip);
    t.true(found.every((ip) => pool.has(ip)));
    return found;
  };
  t.deepEqual(addresses('192.0.2.4/30'), ['192.0.2.5', '192.0.2.6']);
  t.deepEqual(addresses('192.0.2.4/31, 192.0.2.9/32'), ['192.0.2.4', '192.0.2.5', '192.0.2.9']);
  t.deepEqual(addresses('192.0.2.255-192.0.3.1,192.0.2.255/32'), ['192.0.2.255', '192.0.3.0', '192.0.3.1']);
  t.false(new AddressPool('192.0.2.0/24').has('192.0.2.255'));
  t.false(new AddressPool('192.0.2.0/24').has('fd00::1'));
  for (const bad of ['', '192.0.2.1', '192.0.2.1/24', '192.0.2.0/33', '192.0.2.0/', '0.0.0.0/0', '192.0.2.9-192.0.2.8', '192.0.2.1-', 'a-b', '192.0.2.0/24,', '192.0.2.1-192.0.2.2-192.0.2.3', 'fd00::/64']) {
    t.throws(() => new AddressPool(bad), { message: /is neither an IPv4 network .* nor a range/ }, bad);
  }
});

const pool = new AddressPool('192.0.2.1-192.0.2.3');
const plan = (spec: Partial<Service['spec']>, ips: readonly string[] = [], holders: Readonly<Record<string, Holder>> = {}) => planAddress({
  service: { ...service({ type: 'LoadBalancer', ...spec }), status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } } }, pool, holderOf: (ip) => holders[ip],
});
const [older, younger]: readonly [Holder, Holder] = [{ what: 'Service shop/old', isFirst: true }, { what: 'Service shop/new', isFirst: false }];

for (const [what, spec, ips, holders, expected] of [
  ['the first free one', {}, [], { '192.0.2.1': younger }, { ip: '192.0.2.2', trouble: undefined }],
  ['what the status says stays', {}, ['192.0.2.3'], { '192.0.2.3': younger }, { ip: '192.0.2.3', trouble: undefined }],
  ['unless an older one has it', {}, ['192.0.2.1'], { '192.0.2.1': older }, { ip: '192.0.2.2', trouble: undefined }],
  ['an address that somebody else wrote', {}, ['198.51.100.1'], {}, undefined],
  ['the one that is asked for', { loadBalancerIP: '192.0.2.3' }, ['192.0.2.1'], {}, { ip: '192.0.2.3', trouble: undefined }],
  ['it has it already', { loadBalancerIP: '192.0.2.3' }, ['192.0.2.3'], { '192.0.2.3': younger }, { ip: '192.0.2.3', trouble: undefined }],
  ['one that is taken', { loadBalancerIP: '192.0.2.3' }, ['192.0.2.1'], { '192.0.2.3': younger }, { ip: '192.0.2.1', trouble: 'spec.loadBalancerIP 192.0.2.3 is taken: Service shop/new has it' }],
  ['one of elsewhere', { loadBalancerIP: '198.51.100.1' }, [], {}, { ip: undefined, trouble: 'spec.loadBalancerIP 198.51.100.1 is not in the pool 192.0.2.1-192.0.2.3: name an address of it, or none' }],
  ['none is free', {}, [], { '192.0.2.1': older, '192.0.2.2': younger, '192.0.2.3': older }, { ip: undefined, trouble: 'no address of the pool 192.0.2.1-192.0.2.3 is free: start barge with a larger --load-balancer-pool, or delete a Service that has one' }],
  ['our class by name', { loadBalancerClass: 'barge.dev/address-pool' }, [], {}, { ip: '192.0.2.1', trouble: undefined }],
  ['another class', { loadBalancerClass: 'example.com/lb' }, ['192.0.2.1'], {}, undefined],
  ['another type', { type: 'ClusterIP' }, ['192.0.2.1'], {}, { ip: undefined, trouble: undefined }],
  ['another type, with an address of others', { type: 'ClusterIP' }, ['198.51.100.1'], {}, undefined],
  ['another type, without one', { type: 'NodePort' }, [], {}, undefined],
] as const) {
  test(`the address of a service: ${what}`, (t) => t.deepEqual(plan(spec, ips, holders), expected));
}

test('a second look after the first changes nothing', (t) => {
  const ip = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.1');
  fc.assert(fc.property(fc.option(ip), fc.option(ip), fc.dictionary(ip, fc.constantFrom(older, younger)), (wish, has, holders) => {
    const spec = wish === null ? {} : { loadBalancerIP: wish };
    const first = plan(spec, has === null ? [] : [has], holders);
    if (first !== undefined) t.deepEqual(plan(spec, first.ip === undefined ? [] : [first.ip], holders), first);
  }));
});

const cluster = async (t: ExecutionContext, { loadBalancerPool }: { readonly loadBalancerPool?: string }) => {
  const api = await testApi({ authorizer: createBuiltinAuthorizer() });
  let controllers = await startControllers(api, { loadBalancerPool });
  t.teardown(async () => {
    await controllers.stop();
    await api.close();
  });
  const services = api.client.of(Service);
  return {
    api, services,
    create: (name: string, spec: Partial<Service['spec']> = {}) => services.create({ metadata: { name, namespace: 'default' }, spec: { type: 'LoadBalancer', selector: { app: name }, ports: [{ port: 80 }], ...spec } }),
    /** `name address` of each service that has one. */
    addresses: async () => (await services.list({ namespace: 'default' })).items.flatMap(({ metadata, status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip, ipMode }) => `${metadata.name} ${ip} ${ipMode}`)).toSorted(),
    troubles: async () => (await api.client.of(Event).list({ namespace: 'default' })).items.filter(({ reason }) => reason === 'AllocationFailed').map(({ type, message }) => `${type} ${message}`),
    restart: async () => {
      await controllers.stop();
      controllers = await startControllers(api, { loadBalancerPool });
    },
  };
};

test('services get addresses, keep them over a restart, and give them back to those that wait', async (t) => {
  const { api, services, create, addresses, troubles, restart } = await cluster(t, { loadBalancerPool: pool.text });
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => create(name)));
  const three = await until(api.clock, async () => {
    const found = await addresses();
    if (found.length !== 3 || (await troubles()).length === 0) throw new Error(found.join());
    return found;
  });
  t.deepEqual(three.map((one) => one.split(' ')[1]).toSorted(), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  t.true(three.every((one) => one.endsWith(' VIP')));
  t.regex((await troubles()).join(), /^Warning Service default\/[a-d]: no address of the pool 192.0.2.1-192.0.2.3 is free: start barge with a larger/);
  await restart();
  await rest();
  t.deepEqual(await addresses(), three);

  const [gone, changed] = three.map((one) => one.split(' ')) as [string[], string[]];
  await services.delete({ namespace: 'default', name: gone[0]! });
  await until(api.clock, async () => {
    const after = await addresses();
    if (after.length !== 3 || !after.includes(three[1]!) || !after.includes(three[2]!)) throw new Error(after.join());
  });
  await create('e');
  await services.modify({ namespace: 'default', name: changed[0]! }, (draft) => {
    draft.spec.type = 'ClusterIP';
  });
  await until(api.clock, async () => {
    const after = await addresses();
    if (!after.includes(`e ${changed[1]} VIP`) || after.some((one) => one.startsWith(changed[0]!))) throw new Error(after.join());
  });
  t.is((await addresses()).length, 3);
});

test('an address of a node is given to nobody, and of two services with one address the older keeps it', async (t) => {
  const { api, services, create, addresses } = await cluster(t, { loadBalancerPool: pool.text });
  await api.client.of(Node).create({ metadata: { name: 'n1' } });
  await api.client.of(Node).modifyStatus({ name: 'n1' }, (draft) => {
    draft.status = { ...draft.status, addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] };
  });
  await create('a');
  await until(api.clock, async () => {
    if ((await addresses()).join() !== 'a 192.0.2.2 VIP') throw new Error((await addresses()).join());
  });
  await api.clock.advance(1_000);
  await create('b', { loadBalancerClass: 'example.com/lb' });
  await create('c');
  await until(api.clock, async () => {
    if ((await addresses()).join() !== 'a 192.0.2.2 VIP,c 192.0.2.3 VIP') throw new Error((await addresses()).join());
  });
  await services.modifyStatus({ namespace: 'default', name: 'c' }, (draft) => {
    draft.status = { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } };
  });
  await until(api.clock, async () => {
    if ((await addresses()).join() !== 'a 192.0.2.2 VIP,c 192.0.2.3 VIP') throw new Error((await addresses()).join());
  });
  t.pass();
});

test('without a pool a status is left to others', async (t) => {
  const { api, services, create, addresses } = await cluster(t, {});
  await create('a');
  await services.modifyStatus({ namespace: 'default', name: 'a' }, (draft) => {
    draft.status = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } };
  });
  await services.modify({ namespace: 'default', name: 'a' }, (draft) => {
    draft.spec.type = 'ClusterIP';
  });
  await rest();
  await api.clock.advance(1_000);
  t.deepEqual(await addresses(), ['a 192.0.2.1 VIP']);
});

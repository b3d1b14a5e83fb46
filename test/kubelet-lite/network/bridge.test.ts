import test from 'ava';
import type Docker from 'dockerode';
import { silentLog } from '../../../base/log.ts';
import { BridgeOverlay } from '../../../kubelet-lite/network/bridge.ts';
import { contains, overlaps, parseSubnet } from '../../../kubelet-lite/network/subnets.ts';

interface Network extends Docker.NetworkCreateOptions { readonly Id: string; readonly Containers: Record<string, { Name: string }> }

/** The engine's networks, as far as the overlay asks for them. */
const engine = (): { readonly docker: Docker; readonly networks: Network[] } => {
  const networks: Network[] = [];
  const docker = {
    listNetworks: async ({ filters }: { readonly filters: { readonly name: readonly string[] } }) => networks.filter(({ Name }) => filters.name.some((part) => Name.includes(part))),
    createNetwork: async (options: Docker.NetworkCreateOptions) => {
      if (networks.some(({ Name }) => Name === options.Name)) throw new Error('network exists');
      networks.push({ ...options, Id: `id${networks.length}`, Containers: {} });
    },
    getNetwork: (id: string) => ({
      inspect: async () => networks.find(({ Id }) => Id === id),
      remove: async () => void networks.splice(networks.findIndex(({ Id }) => Id === id), 1),
    }),
  };
  return { docker: docker as unknown as Docker, networks };
};
const self = (podCidr: string) => ({ nodeName: 'n1', nodeIp: '192.0.2.1', podCidr, clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' });

test('makes the network once, with the node at its first address', async (t) => {
  const { docker, networks } = engine();
  const overlay = new BridgeOverlay({ docker, log: silentLog, owner: 'me' });
  t.deepEqual(await overlay.prepare(self('10.244.3.0/24')), { gatewayIp: '10.244.3.1' });
  t.deepEqual(await overlay.prepare(self('10.244.3.0/24')), { gatewayIp: '10.244.3.1' });
  t.is(networks.length, 1);
  t.like(networks[0], { Name: 'barge', Driver: 'bridge', IPAM: { Config: [{ Subnet: '10.244.3.0/24', Gateway: '10.244.3.1' }] }, Labels: { 'barge.dev/owner': 'me' } });
  t.is(networks[0]!.Options?.['com.docker.network.bridge.name'], 'barge0');
});

test('follows the node\'s addresses, but not from under containers', async (t) => {
  const { docker, networks } = engine();
  const overlay = new BridgeOverlay({ docker, log: silentLog, owner: 'me' });
  await overlay.prepare(self('10.244.3.0/24'));
  networks[0]!.Containers['c'] = { Name: 'web' };
  await t.throwsAsync(overlay.prepare(self('10.244.4.0/24')), { message: /10\.244\.4\.0\/24.*1 containers.*web/ });
  delete networks[0]!.Containers['c'];
  t.is((await overlay.prepare(self('10.244.4.0/24'))).gatewayIp, '10.244.4.1');
  t.is(networks.length, 1);
});

test('changes the size of packets when nobody uses the network, and goes on as it is otherwise', async (t) => {
  const { docker, networks } = engine();
  const overlay = new BridgeOverlay({ docker, log: silentLog, owner: 'me' });
  const mtu = (): string | undefined => networks[0]!.Options?.['com.docker.network.driver.mtu'];
  await overlay.prepare(self('10.244.3.0/24'));
  t.is(mtu(), undefined);
  networks[0]!.Containers['c'] = { Name: 'web' };
  t.deepEqual(await overlay.prepare(self('10.244.3.0/24'), 1_450), { gatewayIp: '10.244.3.1' });
  t.is(mtu(), undefined, 'in use');
  delete networks[0]!.Containers['c'];
  await overlay.prepare(self('10.244.3.0/24'), 1_450);
  t.is(mtu(), '1450');
  const [kept] = networks;
  await overlay.prepare(self('10.244.3.0/24'), 1_450);
  t.is(networks[0], kept, 'right already');
});

test('leaves other clusters\' networks alone', async (t) => {
  const { docker, networks } = engine();
  await new BridgeOverlay({ docker, log: silentLog, owner: 'other' }).prepare(self('10.244.3.0/24'));
  await docker.createNetwork({ Name: 'barge-of-mine' });
  const overlay = new BridgeOverlay({ docker, log: silentLog, owner: 'me' });
  await t.throwsAsync(overlay.prepare(self('10.244.3.0/24')), { message: /belongs to another cluster/ });
  t.true(await overlay.isAnothers());
  await overlay.remove();
  t.is(networks.length, 2);
  await new BridgeOverlay({ docker, log: silentLog, owner: 'other' }).remove();
  t.deepEqual(networks.map(({ Name }) => Name), ['barge-of-mine']);
  t.false(await overlay.isAnothers());
});

test('pod networks are read, and wrong ones told what would be right', (t) => {
  t.deepEqual(parseSubnet('10.244.1.64/26'), { cidr: '10.244.1.64/26', firstIp: '10.244.1.64', gatewayIp: '10.244.1.65', bits: 26 });
  t.throws(() => parseSubnet('10.244.1.5/24'), { message: /write 10\.244\.1\.0\/24/ });
  for (const bad of ['', '10.244.0.0', '10.244.0.0/31', '10.244.0.0/7', '256.0.0.0/24', 'fd00::/64']) t.throws(() => parseSubnet(bad), { message: /no pod network/ }, bad);
});

test('networks overlap where they share an address', (t) => {
  t.true(overlaps('10.244.0.0/16', '10.244.3.0/24'));
  t.true(overlaps('10.244.3.0/24', '10.244.0.0/16'));
  t.false(overlaps('10.244.0.0/24', '10.244.1.0/24'));
  t.true(overlaps('0.0.0.0/0', '10.96.0.1'));
});

test('a network is part of another one where all its addresses are', (t) => {
  t.true(contains('10.244.0.0/16', '10.244.3.0/24'));
  t.true(contains('10.244.3.0/24', '10.244.3.7'));
  t.true(contains('0.0.0.0/0', '10.244.0.0/16'));
  t.false(contains('10.244.3.0/24', '10.244.0.0/16'));
  t.false(contains('10.244.0.0/16', '10.245.0.0/24'));
});

import test from 'ava';
import { runCommand, type RunCommand } from '../../../base/commands.ts';
import { silentLog } from '../../../base/log.ts';
import type { Endpoint, ServicePort, ServiceTable } from '../../../proxy/backend.ts';
import { NftablesBackend } from '../../../proxy/nftables.ts';
import type { NetPeer } from '../../helpers/net-peer.ts';
import { must, openPodBridge, podBridgeName, podIp, podServerPort, type PodBridge } from '../../helpers/pod-bridge.ts';
import { servicePort } from '../../helpers/service-port.ts';
import { proxyBackendSuite, type ProxyWorld } from '../../suites/proxy-backend.ts';

const serviceCidr = '10.96.0.0/16';

interface Net extends ProxyWorld, Omit<PodBridge, 'client' | 'close'> {
  readonly backend: NftablesBackend;
  readonly newBackend: () => NftablesBackend;
}

const open = async (mark: string, tracked: boolean): Promise<Net> => {
  const bridge = await openPodBridge(mark);
  const { sh } = bridge;
  // Public addresses are not this machine's own; it sends what is for them to its router.
  await sh('ip route add 203.0.113.0/24 via 198.51.100.2');
  await must('ip', '-n', bridge.outsideName, 'route', 'add', '203.0.113.0/24', 'via', '198.51.100.1');
  if (!tracked) await sh('if [ -d /proc/sys/net/bridge ]; then echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi');
  const run: RunCommand = tracked ? bridge.run : async (command, args, input) => {
    // A kernel that cannot track bridged packets.
    const result = await bridge.run(command, args, input);
    if (command !== 'sh') return result;
    await sh('echo 0 > /sys/class/net/barge0/bridge/nf_call_iptables');
    return { ...result, stdout: result.stdout.replace('tracked', '') };
  };
  const newBackend = (): NftablesBackend => new NftablesBackend({ run, serviceCidr, podInterface: podBridgeName, log: silentLog });
  const endpoints = { a: at('a'), b: at('b'), c: at('c') };
  return {
    ...bridge, backend: newBackend(), newBackend, tcp: endpoints, udp: endpoints,
    clusterIp: (n) => `10.96.0.${n}`,
    publicIp: (n) => `203.0.113.${n}`,
    clientNetwork: '198.51.100.0/24',
    nodePorts: [30_001, 30_002],
  };
};

const at = (name: 'a' | 'b' | 'c'): Endpoint => ({ ip: podIp(name), port: podServerPort });

const tableOf = (...ports: readonly ServicePort[]): ServiceTable => new Map(ports.map((port) => [port.name, port]));
const web = (endpoints: readonly Endpoint[]): ServiceTable => tableOf(servicePort({ name: 'ns/web:', clusterIps: ['10.96.0.1'], nodePort: 30_001, endpoints }));

/** For tests of what the program `conntrack` does. */
const serial = await runCommand('conntrack', ['--version']).then(() => test.serial, () => test.serial.skip);
const isRoot = process.getuid?.() === 0;

if (!isRoot) test.skip('nftables: needs root', (t) => t.pass());
else {
  for (const tracked of [true, false]) {
    const mark = tracked ? 't' : 'u';
    let world: Net;
    const title = `nftables, bridged packets ${tracked ? 'tracked' : 'not tracked'}`;
    proxyBackendSuite(title, async () => world = await open(mark, tracked));

    test.serial(`${title}: pods reach services, their own too`, async (t) => {
      const { backend, pods, tcp } = world;
      const service = { host: '10.96.0.1', port: 80 };
      await backend.apply(web([tcp.b]));
      // Masqueraded only where replies would otherwise miss the way back.
      t.is(await pods.a.ask(service), `b ${tracked ? '10.244.0.11' : '10.244.0.1'} end b`);
      await backend.apply(web([tcp.a]));
      t.is(await pods.a.ask(service), 'a 10.244.0.1 end a');
      await backend.apply(web([tcp.a, tcp.b, tcp.c]));
      const answers = new Set<string>();
      for (let n = 0; n < 3; n++) answers.add((await pods.a.ask(service))[0]!);
      t.is(answers.size, 3);
      await backend.apply(web([]));
      t.is(await pods.a.ask(service), 'refused', 'no endpoints');
      t.is(await pods.a.ask({ host: '10.96.0.77', port: 80 }), 'refused', 'no service');
      // Without tracking of bridged packets the kernel's ICMP message does not get back to the pod (docs/design/proxy.md).
      if (tracked) t.is(await pods.a.ask({ protocol: 'UDP', host: '10.96.0.1', port: 53 }), 'refused', 'UDP');
    });

    test.serial(`${title}: strangers reach node ports past the firewall, and nothing else`, async (t) => {
      const { backend, outside, outsideName, pods, tcp, sh } = world;
      await backend.apply(web([tcp.b]));
      t.is(await outside.ask({ host: '198.51.100.1', port: 30_001 }), 'b 198.51.100.2 end b');
      await must('ip', '-n', outsideName, 'route', 'replace', 'default', 'via', '198.51.100.1');
      t.is(await outside.ask({ host: '10.244.0.12', port: podServerPort, timeoutMs: 300 }), 'timeout');
      t.is((await pods.a.ask({ host: '10.244.0.1', port: 30_001 }))[0], 'b');
      await backend.apply(web([]));
      t.is(await outside.ask({ host: '198.51.100.1', port: 30_001 }), 'refused');
      t.is((await sh('iptables -S DOCKER-USER | grep -c "barge services"')).trim(), '1');
    });

    test.serial(`${title}: at a node port strangers meet the endpoints of the node, or silence, where the policy says so; its pods and the node meet all`, async (t) => {
      const { backend, client, outside, pods, tcp } = world;
      const [inside, stranger] = [{ host: '10.244.0.1', port: 30_001 }, { host: '198.51.100.1', port: 30_001 }];
      const local = (...endpoints: readonly Endpoint[]): ServiceTable => tableOf(
        servicePort({ name: 'ns/web:', clusterIps: ['10.96.0.1'], insideNodePort: 30_001, endpoints: [tcp.a, tcp.c] }), servicePort({ name: 'ns/web:#outside', insideNodePort: 0, nodePort: 30_001, endpoints }),
      );
      const met = async (peer: NetPeer, at = inside): Promise<readonly string[]> => [(await peer.ask(at))[0]!, (await peer.ask(at))[0]!].toSorted();
      await backend.apply(local(tcp.b));
      for (let n = 0; n < 2; n++) t.is(await outside.ask(stranger), 'b 198.51.100.2 end b', 'a stranger keeps its address');
      t.deepEqual([await met(client), await met(pods.b), await met(client, { ...inside, host: '127.0.0.1' })], [['a', 'c'], ['a', 'c'], ['a', 'c']]);
      await backend.apply(local());
      t.is(await outside.ask({ ...stranger, timeoutMs: 300 }), 'timeout');
      t.deepEqual([await met(client), await met(pods.b)], [['a', 'c'], ['a', 'c']]);
    });

    test.serial(`${title}: a public address serves strangers, pods and this machine, past the firewall`, async (t) => {
      const { backend, client, outside, pods, tcp } = world;
      const open = { host: '203.0.113.1', port: 80 };
      const at = { name: 'ns/web:', clusterIps: ['10.96.0.1'], insideIps: [open.host], outsideIps: [open.host] };
      await backend.apply(tableOf(servicePort({ ...at, endpoints: [tcp.b] })));
      t.is(await outside.ask(open), 'b 198.51.100.2 end b', 'a stranger keeps its address');
      t.is((await client.ask(open))[0], 'b');
      t.is(await pods.a.ask(open), `b ${tracked ? '10.244.0.11' : '10.244.0.1'} end b`);
      t.is(await pods.b.ask(open), 'b 10.244.0.1 end b', 'its own service');
      t.is(await outside.ask({ ...open, port: 81 }), 'refused', 'a port that no service has');
      await backend.apply(tableOf(servicePort(at)));
      for (const peer of [outside, client, pods.a]) t.is(await peer.ask(open), 'refused', 'no endpoints');
    });

    test.serial(`${title}: strangers meet other endpoints than pods, or silence, where the policy says so`, async (t) => {
      const { backend, client, outside, pods, tcp } = world;
      const open = { host: '203.0.113.1', port: 80 };
      const ofStrangers = (...endpoints: readonly Endpoint[]): ServiceTable => tableOf(
        servicePort({ name: 'ns/web:', clusterIps: ['10.96.0.1'], insideIps: [open.host], endpoints: [tcp.a, tcp.c] }), servicePort({ name: 'ns/web:#outside', outsideIps: [open.host], endpoints }),
      );
      await backend.apply(ofStrangers(tcp.b));
      for (let n = 0; n < 2; n++) t.is(await outside.ask(open), 'b 198.51.100.2 end b');
      const inside = async (peer: NetPeer): Promise<readonly string[]> => [(await peer.ask(open))[0]!, (await peer.ask(open))[0]!].toSorted();
      t.deepEqual([await inside(client), await inside(pods.b)], [['a', 'c'], ['a', 'c']]);
      await backend.apply(ofStrangers());
      t.is(await outside.ask({ ...open, timeoutMs: 300 }), 'timeout');
      t.deepEqual([await inside(client), await inside(pods.b)], [['a', 'c'], ['a', 'c']]);
    });

    test.serial(`${title}: an address that takes some clients only drops what others send, of all ports that have it`, async (t) => {
      const { backend, client, outside, pods, tcp } = world;
      const guarded = (...ranges: readonly string[]): ServiceTable => tableOf(...[80, 81].map((port) => servicePort({
        name: `ns/web:${port}`, port, insideIps: ['203.0.113.1'], outsideIps: ['203.0.113.1', '203.0.113.2'], guard: { ips: ['203.0.113.1'], ranges }, endpoints: [tcp.b],
      })));
      const met = async (peer: NetPeer, host = '203.0.113.1'): Promise<boolean> => {
        const answers = await Promise.all([80, 81].map((port) => peer.ask({ host, port, timeoutMs: 300 })));
        t.is(new Set(answers.map((answer) => answer[0])).size, 1);
        return answers[0]!.startsWith('b ');
      };
      await backend.apply(guarded('192.0.2.0/24', '198.51.100.2/32'));
      t.deepEqual([await met(outside), await met(pods.a), await met(client)], [true, false, false]);
      await backend.apply(guarded('10.244.0.0/16', '10.244.0.0/24'));
      t.deepEqual([await met(outside), await met(pods.a), await met(client)], [false, true, false]);
      await backend.apply(guarded());
      t.deepEqual([await met(outside), await met(pods.a), await met(client)], [false, false, false]);
      t.true(await met(outside, '203.0.113.2'), 'the other address');
    });

    test.serial(`${title}: an address of this machine can be a public one, of one port`, async (t) => {
      const { backend, client, outside, pods, tcp } = world;
      const open = { host: '198.51.100.1', port: 80 };
      await client.serve({ host: open.host, port: 81, name: 'own' });
      const at = { name: 'ns/web:', insideIps: [open.host], outsideIps: [open.host] };
      await backend.apply(tableOf(servicePort({ ...at, endpoints: [tcp.c] })));
      for (const peer of [outside, client, pods.a]) t.deepEqual([(await peer.ask(open))[0], (await peer.ask({ ...open, port: 81 })).slice(0, 3)], ['c', 'own']);
      await backend.apply(tableOf(servicePort(at)));
      for (const peer of [outside, client, pods.a]) t.deepEqual([await peer.ask(open), (await peer.ask({ ...open, port: 81 })).slice(0, 3)], ['refused', 'own']);
    });

    test.serial(`${title}: pods do not reach the machine's loopback`, async (t) => {
      const { backend, client, pods, podNames, tcp } = world;
      await backend.apply(web([tcp.b]));
      await client.serve({ host: '127.0.0.1', port: 9_999, name: 'secret' });
      await must('ip', 'netns', 'exec', podNames.c, 'sh', '-ec', 'for f in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$f/route_localnet; done; ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local; ip route add 127.0.0.1/32 via 10.244.0.1');
      t.is(await pods.c.ask({ host: '127.0.0.1', port: 9_999, timeoutMs: 300 }), 'timeout');
      t.regex(await client.ask({ host: '127.0.0.1', port: 9_999 }), /^secret/);
    });

    serial(`${title}: a UDP client that goes on sending meets another endpoint when its own is gone`, async (t) => {
      const { backend, pods, udp } = world;
      const dns = (endpoint: Endpoint): ServiceTable => tableOf(servicePort({ name: 'ns/dns:', protocol: 'UDP', port: 53, clusterIps: ['10.96.0.1'], endpoints: [endpoint] }));
      await backend.apply(dns(udp.b));
      const handle = await pods.a.open({ protocol: 'UDP', host: '10.96.0.1', port: 53 });
      t.regex(await pods.a.say(handle), /^b /);
      await backend.apply(dns(udp.c));
      t.regex(await pods.a.say(handle), /^c /);
    });

    test.serial(`${title}: rules that somebody flushed come back with the next apply`, async (t) => {
      const { backend, client, tcp, sh } = world;
      await backend.apply(web([tcp.b]));
      await sh('nft delete table ip barge');
      await backend.apply(web([tcp.b]));
      t.regex(await client.ask({ host: '10.96.0.1', port: 80 }), /^b /);
      await sh('nft delete table ip barge');
      await backend.apply(web([tcp.c]));
      t.regex(await client.ask({ host: '127.0.0.1', port: 30_001 }), /^c /);
    });

    test.serial(`${title}: a proxy that starts again takes over without a break`, async (t) => {
      const { client, newBackend, tcp } = world;
      await world.backend.apply(web([tcp.b]));
      const handle = await client.open({ host: '10.96.0.1', port: 80 });
      t.regex(await client.say(handle), /^b /);
      await newBackend().apply(web([tcp.b, tcp.c]));
      t.regex(await client.say(handle), /^b /);
      t.regex(await client.ask({ host: '10.96.0.1', port: 80 }), /^[bc] /);
    });

    test.serial(`${title}: a thousand services cost a packet no more rules, and one change few commands`, async (t) => {
      const { tcp, run, client } = world;
      const scripts: string[] = [];
      const backend = new NftablesBackend({ serviceCidr, podInterface: 'barge0', log: silentLog, run: (command, args, input) => {
        if (command === 'nft' && input !== undefined) scripts.push(input);
        return run(command, args, input);
      } });
      const table = (changed: Endpoint): ServiceTable => new Map(Array.from({ length: 1_000 }, (_, n) => {
        const name = `ns/s${n}:`;
        return [name, servicePort({ name, clusterIps: [`10.96.${1 + (n >> 8)}.${n & 255}`], endpoints: [n === 500 ? changed : tcp.a, tcp.b] })];
      }));
      await backend.apply(table(tcp.a));
      scripts.length = 0;
      await backend.apply(table(tcp.c));
      t.is(scripts.length, 1);
      t.true(scripts[0]!.split('\n').length < 8, scripts[0]);
      const answers = [await client.ask({ host: '10.96.2.244', port: 80 }), await client.ask({ host: '10.96.2.244', port: 80 })].map((answer) => answer[0]);
      t.deepEqual(answers.toSorted(), ['b', 'c']);
      await backend.apply(new Map());
    });

    test.serial(`${title}: remove leaves the machine as it was`, async (t) => {
      const { backend, tcp, sh } = world;
      await backend.apply(web([tcp.b]));
      await backend.remove();
      t.notRegex(await sh('nft list tables'), /barge/);
      t.is(await sh('ip route show 10.96.0.0/16'), '');
      t.notRegex(await sh('iptables -S'), /barge services/);
      t.is((await sh('cat /proc/sys/net/ipv4/conf/barge0/route_localnet')).trim(), '0');
    });
  }
}

import assert from 'node:assert/strict';
import test from 'ava';
import { runCommand, type RunCommand } from '../../../base/commands.ts';
import { silentLog } from '../../../base/log.ts';
import type { Peer, Self } from '../../../kubelet-lite/network/overlay.ts';
import { VxlanOverlay } from '../../../kubelet-lite/network/vxlan.ts';
import { within } from '../../helpers/e2e.ts';
import { NetLab } from '../../helpers/net-lab.ts';
import { peerIn, type NetPeer } from '../../helpers/net-peer.ts';

// The kernel's own work, without an engine: a machine and another on its link, a third behind a router, each with a pod on a
// bridge and the firewall that Docker makes. Needs root.

const machines = ['n1', 'n2', 'n3'] as const;
type Machine = (typeof machines)[number];
const podCidr = (machine: Machine): string => `10.244.${machines.indexOf(machine) + 1}.0/24`;
const podIp = (machine: Machine): string => `10.244.${machines.indexOf(machine) + 1}.7`;
const gatewayIp = (machine: Machine): string => `10.244.${machines.indexOf(machine) + 1}.1`;
const port = 8_080;

/** As the engine leaves it: what leaves the bridge is masqueraded, and only answers come in. */
const dockerFirewall = (machine: Machine): string => `
iptables -P FORWARD DROP
iptables -N DOCKER-USER
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -o barge0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i barge0 ! -o barge0 -j ACCEPT
iptables -A FORWARD -i barge0 -o barge0 -j ACCEPT
iptables -t nat -A POSTROUTING -s ${podCidr(machine)} ! -o barge0 -j MASQUERADE`;

interface World {
  readonly lab: NetLab;
  /** A client and a server that says who asked, on each machine and in the pod of each. */
  readonly hosts: Readonly<Record<Machine, NetPeer>>;
  readonly pods: Readonly<Record<Machine, NetPeer>>;
  overlay(machine: Machine, more?: { readonly direct?: boolean }): VxlanOverlay;
  peers(machine: Machine): readonly Peer[];
  self(machine: Machine): Self;
  close(): Promise<void>;
}

const open = async (): Promise<World> => {
  const podOf = (machine: Machine): string => `p${machine}`;
  const lab = await NetLab.open('vx', [{ name: 'n1', link: 'a' }, { name: 'n2', link: 'a' }, { name: 'n3', link: 'b' }]);
  const podLab: string[] = [];
  const started: NetPeer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((peer) => peer.close()));
    for (const name of podLab) await runCommand('ip', ['netns', 'delete', name]);
    await lab.close();
  };
  try {
    for (const machine of machines) {
      const space = lab.space(podOf(machine));
      podLab.push(space);
      assert.equal((await runCommand('ip', ['netns', 'add', space])).code, 0);
      await lab.sh(machine, `
        ip link add barge0 type bridge; ip addr add ${gatewayIp(machine)}/24 dev barge0; ip link set barge0 up
        echo 1 > /proc/sys/net/ipv4/ip_forward
        ip link add pod type veth peer name eth0 netns ${space}; ip link set pod master barge0 up
        ip -n ${space} addr add ${podIp(machine)}/24 dev eth0; ip -n ${space} link set eth0 mtu 1450 up; ip -n ${space} route add default via ${gatewayIp(machine)}
        ${dockerFirewall(machine)}`);
    }
    const all = async (spaceOf: (machine: Machine) => string): Promise<Readonly<Record<Machine, NetPeer>>> => {
      const peers = await Promise.all(machines.map((machine) => peerIn(spaceOf(machine))));
      started.push(...peers);
      return Object.fromEntries(machines.map((machine, index) => [machine, peers[index]])) as Readonly<Record<Machine, NetPeer>>;
    };
    const [hosts, pods] = [await all((machine) => lab.space(machine)), await all((machine) => lab.space(podOf(machine)))];
    for (const machine of machines) await pods[machine].serve({ host: '0.0.0.0', port, name: machine });
    for (const machine of machines) await pods[machine].serve({ protocol: 'UDP', host: '0.0.0.0', port, name: machine });
    const runOn = (machine: Machine): RunCommand => (command, args, input) => runCommand(...lab.at(machine, command, args), input);
    return {
      lab, hosts, pods, close,
      self: (machine) => ({ nodeName: machine, nodeIp: lab.ip(machine), podCidr: podCidr(machine), clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' }),
      peers: (machine) => machines.filter((one) => one !== machine).map((one) => ({ nodeName: one, nodeIp: lab.ip(one), podCidr: podCidr(one) })),
      overlay: (machine, { direct = true } = {}) => new VxlanOverlay({
        podInterface: 'barge0', run: runOn(machine), log: silentLog, direct,
        bridge: { prepare: async () => ({ gatewayIp: gatewayIp(machine) }), remove: async () => undefined },
      }),
    };
  } catch (error) {
    await close();
    throw error;
  }
};

if (process.getuid?.() !== 0) test.skip('vxlan: needs root', (t) => t.pass());
else {
  let world: World;
  test.before(async () => {
    world = await open();
  });
  test.after.always(() => world?.close());

  /** What the machine has that an overlay could have made. */
  const traces = (machine: Machine): Promise<string> => world.lab.sh(machine, 'ip -o link show | grep -c vxlan || true; ip route show; nft list tables; iptables -S DOCKER-USER');
  const everywhere = async (direct: boolean): Promise<void> => {
    for (const machine of machines) {
      const overlay = world.overlay(machine, { direct });
      await overlay.prepare(world.self(machine));
      await overlay.apply(world.peers(machine));
    }
  };

  for (const direct of [true, false]) {
    test.serial(`pods of all nodes reach each other with their own addresses ${direct ? '(straight where they share a link)' : '(VXLAN only)'}`, async (t) => {
      const before = await Promise.all(machines.map(traces));
      await everywhere(direct);
      t.regex(await world.lab.sh('n1', `ip route get ${podIp('n2')}`), direct ? /dev eth0/ : /dev barge-vxlan/);
      t.regex(await world.lab.sh('n1', `ip route get ${podIp('n3')}`), /dev barge-vxlan/);
      for (const from of machines) {
        for (const to of machines) {
          if (from === to) continue;
          for (const protocol of ['TCP', 'UDP'] as const) {
            await within(60, async () => assert.match(await world.pods[from].ask({ protocol, host: podIp(to), port }), new RegExp(`^${to} ${podIp(from).replaceAll('.', '\\.')}\\b`)));
          }
          t.regex(await world.hosts[from].ask({ host: podIp(to), port }), new RegExp(`^${to} `), `machine ${from} to the pod of ${to}`);
        }
      }
      for (const machine of machines) await world.overlay(machine).remove();
      t.deepEqual(await Promise.all(machines.map(traces)), before, 'removal leaves nothing');
    });
  }

  test.serial('packets as large as pods send them pass, and pods with larger ones get along', async (t) => {
    await everywhere(false);
    const fragments = async (): Promise<string> => (await world.lab.sh('n1', "awk '/^Ip: [0-9]/ {print $18, $20}' /proc/net/snmp")).trim();
    const none = await fragments();
    // 28 bytes of headers make 1,450 of it, and those of the tunnel 1,500: the link's.
    await within(60, async () => assert.equal(await world.pods.n1.ask({ protocol: 'UDP', host: podIp('n3'), port, bytes: 1_422 }), `n3 ${podIp('n1')}`));
    t.is(await fragments(), none, 'fragments that the machine made, or failed to make');
    await world.lab.sh('pn1', 'ip link set eth0 mtu 1500');
    t.regex(await world.pods.n1.ask({ host: podIp('n3'), port, bytes: 3_000_000, timeoutMs: 60_000 }), /end n3$/);
    await world.lab.sh('pn1', 'ip link set eth0 mtu 1450');
    for (const machine of machines) await world.overlay(machine).remove();
  });

  test.serial('what others took away comes back, and nodes come and go', async (t) => {
    await everywhere(true);
    const overlay = world.overlay('n1');
    await overlay.prepare(world.self('n1'));
    const reaches = (machine: Machine): Promise<string> => world.pods.n1.ask({ host: podIp(machine), port, timeoutMs: 1_000 });
    await overlay.apply(world.peers('n1'));
    await world.lab.sh('n1', 'ip link set eth0 down; ip link set eth0 up; ip route add default via 192.0.2.1; nft delete table ip barge_pods; ip link delete barge-vxlan; iptables -F DOCKER-USER');
    await overlay.apply(world.peers('n1'));
    for (const machine of ['n2', 'n3'] as const) await within(60, async () => assert.match(await reaches(machine), new RegExp(`^${machine} ${podIp('n1')}`)));
    await overlay.apply(world.peers('n1').filter(({ nodeName }) => nodeName === 'n2'));
    t.regex(await reaches('n3'), /HOSTUNREACH|timeout/, 'a node that has gone is not looked for at the default route');
    t.regex(await reaches('n2'), /^n2 /);
    await overlay.apply(world.peers('n1'));
    await within(60, async () => assert.match(await reaches('n3'), /^n3 /));
    for (const machine of machines) await world.overlay(machine).remove();
  });

  test.serial('machines that are no nodes get nothing in', async (t) => {
    // n3 believes that n1 is its peer, but n1 does not know n3.
    for (const [machine, others] of [['n1', ['n2']], ['n2', ['n1']], ['n3', ['n1', 'n2']]] as const) {
      const overlay = world.overlay(machine);
      await overlay.prepare(world.self(machine));
      await overlay.apply(world.peers(machine).filter(({ nodeName }) => (others as readonly string[]).includes(nodeName)));
    }
    await world.pods.n1.serve({ protocol: 'UDP', host: '0.0.0.0', port: 9_999, name: 'heard' });
    t.is(await world.pods.n3.ask({ protocol: 'UDP', host: podIp('n1'), port: 9_999, timeoutMs: 1_000 }), 'timeout');
    const dropped = await world.lab.sh('n1', 'nft list chain ip barge_pods input');
    t.regex(dropped, /dport 8472/);
    t.is((await world.lab.sh('n1', "cat /proc/net/dev | awk '/barge-vxlan/ {print $3}'")).trim(), '0', 'packets that came out of the tunnel');
    for (const machine of machines) await world.overlay(machine).remove();
  });
}

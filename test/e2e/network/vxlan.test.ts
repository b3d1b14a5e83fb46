import assert from 'node:assert/strict';
import test from 'ava';
import { within } from '../../helpers/e2e.ts';
import { peerIn, type NetPeer } from '../../helpers/net-peer.ts';
import { labMachines as machines, PodLab, podIp, type LabMachineName as Machine } from '../../helpers/pod-lab.ts';

// The kernel's own work, without an engine: a machine and another on its link, a third behind a router, each with a pod on a
// bridge and the firewall that Docker makes. Needs root.

const port = 8_080;

/** A client and a server that says who asked, on each machine or in the pod of each. */
type Peers = Readonly<Record<Machine, NetPeer>>;

if (process.getuid?.() !== 0) test.skip('vxlan: needs root', (t) => t.pass());
else {
  let lab: PodLab;
  let hosts: Peers;
  let pods: Peers;
  const started: NetPeer[] = [];
  test.before(async () => {
    lab = await PodLab.open('vx');
    const all = async (spaceOf: (machine: Machine) => string): Promise<Peers> => {
      const peers = await Promise.all(machines.map((machine) => peerIn(spaceOf(machine))));
      started.push(...peers);
      return Object.fromEntries(machines.map((machine, index) => [machine, peers[index]])) as Peers;
    };
    hosts = await all((machine) => lab.net.space(machine));
    pods = await all((machine) => lab.net.space(lab.pod(machine)));
    for (const machine of machines) for (const protocol of ['TCP', 'UDP'] as const) await pods[machine].serve({ protocol, host: '0.0.0.0', port, name: machine });
  });
  test.after.always(async () => {
    await Promise.all(started.map((peer) => peer.close()));
    await lab?.close();
  });

  /** What the machine has that an overlay could have made. */
  const traces = (machine: Machine): Promise<string> => lab.net.sh(machine, 'ip -o link show | grep -c vxlan || true; ip route show; nft list tables; iptables -S DOCKER-USER');

  for (const direct of [true, false]) {
    test.serial(`pods of all nodes reach each other with their own addresses ${direct ? '(straight where they share a link)' : '(VXLAN only)'}`, async (t) => {
      const before = await Promise.all(machines.map(traces));
      await lab.joinAll({ direct });
      t.regex(await lab.net.sh('n1', `ip route get ${podIp('n2')}`), direct ? /dev eth0/ : /dev barge-vxlan/);
      t.regex(await lab.net.sh('n1', `ip route get ${podIp('n3')}`), /dev barge-vxlan/);
      for (const from of machines) {
        for (const to of machines) {
          if (from === to) continue;
          for (const protocol of ['TCP', 'UDP'] as const) {
            await within(60, async () => assert.match(await pods[from].ask({ protocol, host: podIp(to), port }), new RegExp(`^${to} ${podIp(from).replaceAll('.', '\\.')}\\b`)));
          }
          t.regex(await hosts[from].ask({ host: podIp(to), port }), new RegExp(`^${to} `), `machine ${from} to the pod of ${to}`);
        }
      }
      await lab.removeAll();
      t.deepEqual(await Promise.all(machines.map(traces)), before, 'removal leaves nothing');
    });
  }

  test.serial('packets as large as pods send them pass, and pods with larger ones get along', async (t) => {
    await lab.joinAll({ direct: false });
    const fragments = async (): Promise<string> => (await lab.net.sh('n1', "awk '/^Ip: [0-9]/ {print $18, $20}' /proc/net/snmp")).trim();
    const none = await fragments();
    // 28 bytes of headers make 1,450 of it, and those of the tunnel 1,500: the link's.
    await within(60, async () => assert.equal(await pods.n1.ask({ protocol: 'UDP', host: podIp('n3'), port, bytes: 1_422 }), `n3 ${podIp('n1')}`));
    t.is(await fragments(), none, 'fragments that the machine made, or failed to make');
    await lab.net.sh('pn1', 'ip link set eth0 mtu 1500');
    t.regex(await pods.n1.ask({ host: podIp('n3'), port, bytes: 3_000_000, timeoutMs: 60_000 }), /end n3$/);
    await lab.net.sh('pn1', 'ip link set eth0 mtu 1450');
    await lab.removeAll();
  });

  test.serial('what others took away comes back, and nodes come and go', async (t) => {
    await lab.joinAll({ direct: true });
    const overlay = lab.overlay('n1');
    await overlay.prepare(lab.self('n1'));
    const reaches = (machine: Machine): Promise<string> => pods.n1.ask({ host: podIp(machine), port, timeoutMs: 1_000 });
    await overlay.apply(lab.peers('n1'));
    await lab.net.sh('n1', 'ip link set eth0 down; ip link set eth0 up; ip route add default via 192.0.2.1; nft delete table ip barge_pods; ip link delete barge-vxlan; iptables -F DOCKER-USER');
    await overlay.apply(lab.peers('n1'));
    for (const machine of ['n2', 'n3'] as const) await within(60, async () => assert.match(await reaches(machine), new RegExp(`^${machine} ${podIp('n1')}`)));
    await overlay.apply(lab.peers('n1').filter(({ nodeName }) => nodeName === 'n2'));
    t.regex(await reaches('n3'), /HOSTUNREACH|timeout/, 'a node that has gone is not looked for at the default route');
    t.regex(await reaches('n2'), /^n2 /);
    await overlay.apply(lab.peers('n1'));
    await within(60, async () => assert.match(await reaches('n3'), /^n3 /));
    await lab.removeAll();
  });

  test.serial('machines that are no nodes get nothing in', async (t) => {
    // n3 believes that n1 is its peer, but n1 does not know n3.
    for (const [machine, others] of [['n1', ['n2']], ['n2', ['n1']], ['n3', ['n1', 'n2']]] as const) {
      const overlay = lab.overlay(machine);
      await overlay.prepare(lab.self(machine));
      await overlay.apply(lab.peers(machine).filter(({ nodeName }) => (others as readonly string[]).includes(nodeName)));
    }
    await pods.n1.serve({ protocol: 'UDP', host: '0.0.0.0', port: 9_999, name: 'heard' });
    t.is(await pods.n3.ask({ protocol: 'UDP', host: podIp('n1'), port: 9_999, timeoutMs: 1_000 }), 'timeout');
    const dropped = await lab.net.sh('n1', 'nft list chain ip barge_pods input');
    t.regex(dropped, /dport 8472/);
    t.is((await lab.net.sh('n1', "cat /proc/net/dev | awk '/barge-vxlan/ {print $3}'")).trim(), '0', 'packets that came out of the tunnel');
    await lab.removeAll();
  });
}

/**
 * A machine, three pods on its bridge and a stranger outside, each a network namespace: the kernel's own work is tested.
 * The machine's firewall is as Docker leaves it, and it has no default route. Needs root.
 */
import { runCommand, type RunCommand } from '../../base/commands.ts';
import { peerIn, type NetPeer } from './net-peer.ts';

export interface PodBridge {
  /** Runs a program on the machine. */
  readonly run: RunCommand;
  /** Runs a shell script on the machine; throws where it fails. */
  readonly sh: (script: string) => Promise<string>;
  /** On the machine itself. */
  readonly client: NetPeer;
  readonly pods: Readonly<Record<'a' | 'b' | 'c', NetPeer>>;
  /** Names of their network namespaces. */
  readonly podNames: Readonly<Record<'a' | 'b' | 'c', string>>;
  /** At 198.51.100.2; it reaches the machine at 198.51.100.1. */
  readonly outside: NetPeer;
  readonly outsideName: string;
  readonly close: () => Promise<void>;
}

/** Each pod serves TCP and UDP here. */
export const podServerPort = 8_080;

/** Pods are on this bridge of the machine, at 10.244.0.11 to 13. */
export const podBridgeName = 'barge0';

export const podIp = (name: 'a' | 'b' | 'c'): string => `10.244.0.${{ a: 11, b: 12, c: 13 }[name]}`;

/** Runs a program on this machine; throws where it fails. */
export const must = async (command: string, ...args: readonly string[]): Promise<string> => {
  const result = await runCommand(command, args);
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
};

/** As the engine leaves it: what leaves the bridge is masqueraded, and only answers come in. */
export const dockerFirewall = (podCidr: string): string => `
iptables -P FORWARD DROP
iptables -N DOCKER-USER
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -o barge0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i barge0 ! -o barge0 -j ACCEPT
iptables -A FORWARD -i barge0 -o barge0 -j ACCEPT
iptables -t nat -A POSTROUTING -s ${podCidr} ! -o barge0 -j MASQUERADE`;

/** The mark tells bridges of one machine apart. */
export const openPodBridge = async (mark: string): Promise<PodBridge> => {
  const space = (name: string): string => `barge-test-${mark}${process.pid}-${name}`;
  const host = space('host');
  const all = { host, a: space('a'), b: space('b'), c: space('c'), outside: space('out') };
  const run: RunCommand = (command, args, input) => runCommand('ip', ['netns', 'exec', host, command, ...args], input);
  const sh = async (script: string): Promise<string> => must('ip', 'netns', 'exec', host, 'sh', '-ec', script);
  for (const name of Object.values(all)) {
    await must('ip', 'netns', 'add', name);
    await must('ip', '-n', name, 'link', 'set', 'lo', 'up');
  }
  await sh('ip link add barge0 type bridge; ip addr add 10.244.0.1/24 dev barge0; ip link set barge0 up; echo 1 > /proc/sys/net/ipv4/ip_forward');
  for (const name of ['a', 'b', 'c'] as const) {
    await must('ip', '-n', host, 'link', 'add', `v${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', all[name]);
    await must('ip', '-n', host, 'link', 'set', `v${name}`, 'master', podBridgeName, 'up');
    await must('ip', '-n', all[name], 'addr', 'add', `${podIp(name)}/24`, 'dev', 'eth0');
    await must('ip', '-n', all[name], 'link', 'set', 'eth0', 'up');
    await must('ip', '-n', all[name], 'route', 'add', 'default', 'via', '10.244.0.1');
  }
  await must('ip', '-n', host, 'link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', all.outside);
  await sh('ip addr add 198.51.100.1/24 dev out0; ip link set out0 up');
  await must('ip', '-n', all.outside, 'addr', 'add', '198.51.100.2/24', 'dev', 'eth0');
  await must('ip', '-n', all.outside, 'link', 'set', 'eth0', 'up');
  await sh(dockerFirewall('10.244.0.0/24'));
  const [client, a, b, c, outside] = await Promise.all([peerIn(all.host), peerIn(all.a), peerIn(all.b), peerIn(all.c), peerIn(all.outside)]);
  const pods = { a, b, c };
  for (const name of ['a', 'b', 'c'] as const) for (const protocol of ['TCP', 'UDP'] as const) await pods[name].serve({ protocol, host: '0.0.0.0', port: podServerPort, name });
  return {
    run, sh, client, pods, podNames: { a: all.a, b: all.b, c: all.c }, outside, outsideName: all.outside,
    close: async () => {
      await Promise.all([client, a, b, c, outside].map((peer) => peer.close()));
      for (const name of Object.values(all)) await must('ip', 'netns', 'del', name);
    },
  };
};

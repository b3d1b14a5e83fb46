/**
 * The kernel's side of a cluster without engines: on each machine of a NetLab a bridge with one pod, each a network
 * namespace, the firewall that Docker makes, and an overlay to the others. Root only.
 */
import { runCommand, type RunCommand } from '../../base/commands.ts';
import { silentLog } from '../../base/log.ts';
import type { Peer, Self } from '../../kubelet-lite/network/overlay.ts';
import { VxlanOverlay } from '../../kubelet-lite/network/vxlan.ts';
import { must } from './e2e.ts';
import { NetLab } from './net-lab.ts';
import { dockerFirewall } from './pod-bridge.ts';

export const labMachines = ['n1', 'n2', 'n3'] as const;
export type LabMachineName = (typeof labMachines)[number];

const numberOf = (machine: LabMachineName): number => labMachines.indexOf(machine) + 1;
export const podCidr = (machine: LabMachineName): string => `10.244.${numberOf(machine)}.0/24`;
export const podIp = (machine: LabMachineName): string => `10.244.${numberOf(machine)}.7`;
const gatewayIp = (machine: LabMachineName): string => `10.244.${numberOf(machine)}.1`;

export class PodLab {
  readonly net: NetLab;

  private constructor(net: NetLab) {
    this.net = net;
  }

  /** n1 and n2 share a link, n3 is behind a router. */
  static async open(label: string): Promise<PodLab> {
    const lab = new PodLab(await NetLab.open(label, [{ name: 'n1', link: 'a' }, { name: 'n2', link: 'a' }, { name: 'n3', link: 'b' }]));
    try {
      for (const machine of labMachines) await lab.#addPod(machine);
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  /** Where programs of a machine's pod run: a machine's name for the lab's network. */
  pod(machine: LabMachineName): string {
    return `p${machine}`;
  }

  self(machine: LabMachineName): Self {
    return { nodeName: machine, nodeIp: this.net.ip(machine), podCidr: podCidr(machine), clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' };
  }

  /** All other machines. */
  peers(machine: LabMachineName): readonly Peer[] {
    return labMachines.filter((one) => one !== machine).map((one) => ({ nodeName: one, nodeIp: this.net.ip(one), podCidr: podCidr(one) }));
  }

  overlay(machine: LabMachineName, { direct = true }: { readonly direct?: boolean } = {}): VxlanOverlay {
    const run: RunCommand = (command, args, input) => runCommand(...this.net.at(machine, command, args), input);
    return new VxlanOverlay({
      podInterface: 'barge0', run, log: silentLog, direct,
      bridge: { prepare: async () => ({ gatewayIp: gatewayIp(machine) }), remove: async () => undefined },
    });
  }

  /** Makes the way between the pods of all machines. */
  async joinAll({ direct }: { readonly direct: boolean }): Promise<void> {
    for (const machine of labMachines) {
      const overlay = this.overlay(machine, { direct });
      await overlay.prepare(this.self(machine));
      await overlay.apply(this.peers(machine));
    }
  }

  async removeAll(): Promise<void> {
    for (const machine of labMachines) await this.overlay(machine).remove();
  }

  async close(): Promise<void> {
    for (const machine of labMachines) await runCommand('ip', ['netns', 'delete', this.net.space(this.pod(machine))]);
    await this.net.close();
  }

  async #addPod(machine: LabMachineName): Promise<void> {
    const space = this.net.space(this.pod(machine));
    await must('ip', ['netns', 'add', space]);
    await this.net.sh(machine, `
      ip link add barge0 type bridge; ip addr add ${gatewayIp(machine)}/24 dev barge0; ip link set barge0 up
      echo 1 > /proc/sys/net/ipv4/ip_forward
      ip link add pod type veth peer name eth0 netns ${space}; ip link set pod master barge0 up
      ip -n ${space} addr add ${podIp(machine)}/24 dev eth0; ip -n ${space} link set eth0 mtu 1450 up; ip -n ${space} route add default via ${gatewayIp(machine)}
      ${dockerFirewall(podCidr(machine))}`);
  }
}

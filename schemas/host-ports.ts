import type { Pod } from './kinds/core/pod.ts';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const anyIp = '0.0.0.0';
const noPorts: readonly HostPort[] = Object.freeze([]);

/** Ports of the node that a pod wants: those it names, and on the host's network all its ports. */
export const hostPortsOf = ({ spec }: Pod): readonly HostPort[] => {
  let found: HostPort[] | undefined;
  const sidecars = spec?.initContainers?.filter((container) => container.restartPolicy === 'Always') ?? [];
  for (const container of [...sidecars, ...(spec?.containers ?? [])]) {
    for (const { hostPort, containerPort, hostIP, protocol } of container.ports ?? []) {
      const port = hostPort ?? (spec?.hostNetwork === true ? containerPort : 0);
      if (port > 0) (found ??= []).push({ ip: isAny(hostIP) ? anyIp : hostIP as string, protocol: protocol ?? 'TCP', port });
    }
  }
  return found ?? noPorts;
};

const isAny = (ip: string | undefined): boolean => ip === undefined || ip === '' || ip === anyIp || ip === '::';

/** The ports of a node that are taken. A port on all addresses conflicts with the same port on each. */
export class HostPorts {
  /** How often each address is taken, per `TCP/80`. */
  readonly #taken = new Map<string, Map<string, number>>();

  conflicts(ports: readonly HostPort[]): boolean {
    return ports.some(({ ip, protocol, port }) => {
      const ips = this.#taken.get(`${protocol}/${port}`);
      return ips !== undefined && (ip === anyIp || ips.has(anyIp) || ips.has(ip));
    });
  }

  add(ports: readonly HostPort[]): void {
    for (const { ip, protocol, port } of ports) {
      const at = `${protocol}/${port}`;
      let ips = this.#taken.get(at);
      if (ips === undefined) this.#taken.set(at, ips = new Map());
      ips.set(ip, (ips.get(ip) ?? 0) + 1);
    }
  }

  remove(ports: readonly HostPort[]): void {
    for (const { ip, protocol, port } of ports) {
      const at = `${protocol}/${port}`;
      const ips = this.#taken.get(at);
      const count = ips?.get(ip) ?? 0;
      if (count > 1) ips?.set(ip, count - 1);
      else if (ips?.delete(ip) === true && ips.size === 0) this.#taken.delete(at);
    }
  }
}

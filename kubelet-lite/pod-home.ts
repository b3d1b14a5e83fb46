/** The pod's folder on the node: its volumes, the files that every container gets, and where last words are written. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import type { AgentContext } from './agent-context.ts';
import { defaultTerminationPath, podHostname } from './container-spec.ts';
import type { PodFacts } from './downward.ts';
import { makeMessageFile, nodeFile } from './last-words.ts';
import { hostsFile, parseResolver, resolverFile } from './pod-files.ts';
import type { PayloadInput } from './volumes/payload.ts';
import { PodVolumes } from './volumes/pod-volumes.ts';

/** Where systemd-resolved keeps the servers that its stub on loopback asks. */
const resolvedFile = '/run/systemd/resolve/resolv.conf';

/** The node's resolver as a pod can use it: a server on the node's loopback is none for a pod. */
const nodeResolver = async (): Promise<string> => {
  const text = await nodeFile('/etc/resolv.conf');
  const { nameservers } = parseResolver(text);
  return nameservers.length > 0 && nameservers.every((ip) => ip.startsWith('127.')) ? (await nodeFile(resolvedFile)) || text : text;
};

export class PodHome {
  readonly volumes: PodVolumes;
  readonly #context: AgentContext;
  readonly #dir: string;

  constructor(context: AgentContext, podUid: string) {
    this.#context = context;
    this.#dir = join(context.podsDir, podUid);
    this.volumes = new PodVolumes(this.#dir, { mounts: context.mounts, claimed: context.claimed, warn: (message) => context.log.warn(message, { pod: podUid }) });
  }

  /** What volumes and environment are made from. */
  facts(podIp: string | undefined): PodFacts {
    const { nodeName, nodeIp, allocatable } = this.#context;
    return { nodeName, nodeIp, podIp, allocatable };
  }

  payloadInput(pod: Pod, podIp: string | undefined): PayloadInput {
    return {
      pod, sources: this.#context.sources.of(pod.metadata.namespace ?? ''), facts: this.facts(podIp), givesFiles: this.#context.mounts.allowed,
      token: (projection) => this.#context.token(pod, projection),
    };
  }

  /** Writes hosts, hostname and resolv.conf; gives them by where they stand in a container. */
  async files(pod: Pod, podIp: string | undefined): Promise<Readonly<Record<string, string>>> {
    const { clusterDomain, dnsIp } = this.#context;
    await mkdir(this.#dir, { recursive: true });
    const hosts = join(this.#dir, 'hosts');
    const resolver = join(this.#dir, 'resolv.conf');
    const hostname = join(this.#dir, 'hostname');
    const ownHostname = pod.spec?.hostNetwork !== true;
    const nodeHosts = pod.spec?.hostNetwork === true ? await nodeFile('/etc/hosts') : '';
    await Promise.all([
      writeFile(hosts, hostsFile(pod, { podIp, clusterDomain, nodeHosts })),
      writeFile(resolver, resolverFile(pod, { clusterDomain, dnsIp: dnsIp(), nodeResolver: await nodeResolver() })),
      ownHostname ? writeFile(hostname, `${podHostname(pod, clusterDomain)}\n`) : undefined,
    ]);
    return { '/etc/hosts': hosts, '/etc/resolv.conf': resolver, ...(ownHostname ? { '/etc/hostname': hostname } : {}) };
  }

  messagePath(container: string, attempt: number): string {
    return join(this.#dir, 'last-words', container, String(attempt));
  }

  /** Makes the file for one run's last words; gives it by where it stands in the container. */
  async messageFile(container: Container, attempt: number): Promise<Readonly<Record<string, string>>> {
    const path = this.messagePath(container.name, attempt);
    await makeMessageFile(path);
    return { [container.terminationMessagePath || defaultTerminationPath]: path };
  }
}

/**
 * From NetworkPolicies to what a node holds its pods to: pure, the whole of it each time.
 *
 * A pod that a policy is about may do in that direction only what one of its policies allows. Each such pod of the node
 * leads to a chain of what is allowed to it; pods under the same rules share one. A chain is named after its rules and a
 * set after its selectors, so that two tables differ just where something changed, and nothing in force is rewritten.
 */
import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../schemas/kinds/networking/network-policy.ts';
import { everything, labelMatcher } from '../../schemas/label-selector.ts';

export type Direction = 'ingress' | 'egress';

/** `addresses` are of pods; `ports` are of pods with protocol and number, for ports by name. */
export interface PolicySet {
  readonly type: 'addresses' | 'ports';
  readonly elements: ReadonlySet<string>;
}

export interface PolicyTable {
  readonly sets: ReadonlyMap<string, PolicySet>;
  /** Rules in the language of nftables: a packet that one of them matches is allowed. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** The chain of each isolated pod of this node, by its address. */
  readonly pods: Readonly<Record<Direction, ReadonlyMap<string, string>>>;
}

export const noPolicies: PolicyTable = { sets: new Map(), chains: new Map(), pods: { ingress: new Map(), egress: new Map() } };

export interface PolicyView {
  readonly policies: readonly NetworkPolicy[];
  /** Of all nodes. */
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly nodeName: string;
}

interface Addressed { readonly pod: Pod; readonly ip: string; readonly namespace: string }

interface Range { readonly first: number; readonly last: number }

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Pods that have an address of their own: those of the node's network share its address, and the node is held to nothing. */
const addressed = (pods: readonly Pod[]): readonly Addressed[] => pods
  .flatMap((pod): readonly Addressed[] => {
    const { spec, status, metadata } = pod;
    const ip = status?.podIP;
    if (ip === undefined || !isIPv4(ip) || spec.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
    return [{ pod, ip, namespace: metadata.namespace ?? '' }];
  })
  // The address of a pod that goes may be another's already: the later word holds.
  .toSorted((a, b) => Number(b.pod.metadata.deletionTimestamp !== undefined) - Number(a.pod.metadata.deletionTimestamp !== undefined));

/** Numbers of the pod's ports of this name. */
const numbersOf = ({ pod: { spec } }: Addressed, name: string, protocol: string): readonly number[] => [...(spec.initContainers ?? []), ...spec.containers]
  .flatMap(({ ports = [] }) => ports.filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol).map(({ containerPort }) => containerPort));

/** nftables refuses ranges of one set that overlap. */
const merged = (ranges: readonly Range[]): readonly Range[] => ranges.toSorted((a, b) => a.first - b.first).reduce<Range[]>((out, range) => {
  const before = out.at(-1);
  if (before !== undefined && range.first <= before.last + 1) out[out.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  else out.push(range);
  return out;
}, []);

class TableMaker {
  readonly sets = new Map<string, PolicySet>();
  readonly chains = new Map<string, readonly string[]>();
  readonly pods = { ingress: new Map<string, string>(), egress: new Map<string, string>() };
  readonly #all: readonly Addressed[];
  readonly #namespaces: readonly Namespace[];

  constructor({ pods, namespaces }: PolicyView) {
    this.#all = addressed(pods);
    this.#namespaces = namespaces;
  }

  make({ policies, nodeName }: PolicyView): PolicyTable {
    const here = this.#all.filter(({ pod }) => pod.spec.nodeName === nodeName);
    const sorted = policies.toSorted((a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1));
    for (const direction of ['ingress', 'egress'] as const) {
      const type = direction === 'ingress' ? 'Ingress' : 'Egress';
      const about = sorted.filter(({ spec }) => spec?.policyTypes?.includes(type) === true);
      for (const one of here) {
        const own = about.filter(({ metadata, spec }) => metadata.namespace === one.namespace && labelMatcher(spec?.podSelector).matches(one.pod.metadata.labels));
        if (own.length === 0) continue;
        const rules = [...new Set(own.flatMap((policy) => this.#rulesOf(policy, direction, one)))].toSorted();
        const chain = `${direction}-${hash(JSON.stringify(rules))}`;
        this.chains.set(chain, rules);
        this.pods[direction].set(one.ip, chain);
      }
    }
    return this;
  }

  #rulesOf({ spec, metadata }: NetworkPolicy, direction: Direction, pod: Addressed): readonly string[] {
    const rules = direction === 'ingress'
      ? (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })) : (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    const namespace = metadata.namespace ?? '';
    return rules.flatMap(({ peers = [], ports = [] }) => {
      const who = peers.length === 0 ? [''] : peers.flatMap((peer) => this.#peerMatch(peer, namespace, direction));
      const where = ports.length === 0 ? [''] : portMatches(ports, direction === 'ingress' ? pod : undefined);
      const matches = who.flatMap((one) => where.map((other) => [one, other].filter((part) => part !== '').join(' ')));
      return direction === 'ingress' ? matches : [...matches, ...this.#namedEgress(peers, ports, namespace)];
    });
  }

  /** A match of the packet's other end; none where it can be nobody. */
  #peerMatch({ ipBlock, ...selectors }: NetworkPolicyPeer, namespace: string, direction: Direction): readonly string[] {
    const end = direction === 'ingress' ? 'saddr' : 'daddr';
    if (ipBlock === undefined) return [`ip ${end} @${this.#setOf(selectors, namespace)}`];
    // Pods have no IPv6.
    if (ipBlock.cidr.includes(':')) return [];
    return [[`ip ${end} ${ipBlock.cidr}`, ...(ipBlock.except ?? []).map((range) => `ip ${end} != ${range}`)].join(' ')];
  }

  #setOf(peer: NetworkPolicyPeer, namespace: string): string {
    const name = `pods-${hash(peerText(peer, namespace))}`;
    if (!this.sets.has(name)) this.sets.set(name, { type: 'addresses', elements: new Set(this.#chosen(peer, namespace).map(({ ip }) => ip)) });
    return name;
  }

  #chosen({ podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string): readonly Addressed[] {
    const matcher = podSelector === undefined ? everything : labelMatcher(podSelector);
    const within = namespaceSelector === undefined ? new Set([namespace])
      : new Set(this.#namespaces.filter(({ metadata }) => labelMatcher(namespaceSelector).matches(metadata.labels)).map(({ metadata }) => metadata.name ?? ''));
    return this.#all.filter((one) => within.has(one.namespace) && matcher.matches(one.pod.metadata.labels));
  }

  /** What a port by name means differs from pod to pod: addresses and numbers stand together. Blocks of addresses name no ports. */
  #namedEgress(peers: readonly NetworkPolicyPeer[], ports: readonly NetworkPolicyPort[], namespace: string): readonly string[] {
    const named = ports.filter(({ port }) => typeof port === 'string');
    const chosen = peers.length === 0 ? [{ text: 'all', pods: this.#all }]
      : peers.filter(({ ipBlock }) => ipBlock === undefined).map((peer) => ({ text: peerText(peer, namespace), pods: this.#chosen(peer, namespace) }));
    return named.flatMap(({ port, protocol = 'TCP' }) => chosen.map(({ text, pods }) => {
      const name = `ports-${hash(`${text} ${protocol} ${port}`)}`;
      this.sets.set(name, { type: 'ports', elements: new Set(pods.flatMap((pod) => numbersOf(pod, String(port), protocol).map((number) => `${pod.ip} . ${protocol.toLowerCase()} . ${number}`))) });
      return `ip daddr . meta l4proto . th dport @${name}`;
    }));
  }
}

const peerText = ({ podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string): string => {
  const pods = podSelector === undefined ? '' : String(labelMatcher(podSelector));
  return namespaceSelector === undefined ? `${namespace}/${pods}` : `[${String(labelMatcher(namespaceSelector))}]/${pods}`;
};

/** One match for each protocol. Ports by name are those of the pod; without one they are left out. */
const portMatches = (ports: readonly NetworkPolicyPort[], pod: Addressed | undefined): readonly string[] => {
  const byProtocol = Map.groupBy(ports, ({ protocol }) => protocol ?? 'TCP');
  return [...byProtocol].flatMap(([protocol, list]) => {
    if (list.some(({ port }) => port === undefined)) return [`meta l4proto ${protocol.toLowerCase()}`];
    const ranges = list.flatMap(({ port, endPort }): readonly Range[] => {
      if (typeof port === 'number') return [{ first: port, last: endPort ?? port }];
      return pod === undefined ? [] : numbersOf(pod, String(port), protocol).map((number) => ({ first: number, last: number }));
    });
    const texts = merged(ranges).map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
    return texts.length === 0 ? [] : [`${protocol.toLowerCase()} dport { ${texts.join(', ')} }`];
  });
};

/** What this node has to hold its pods to. */
export const policyTable = (view: PolicyView): PolicyTable => {
  const { sets, chains, pods } = new TableMaker(view).make(view);
  return { sets, chains, pods };
};

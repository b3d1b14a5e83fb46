/**
 * How fast nodes may lose their pods, by zone, with Kubernetes' rules and numbers. One node that fails is replaced at once;
 * many that fail at a time are more likely a fault of the network or of this side, and what moves all their pods would do
 * more harm than the fault.
 */
import { isConditionTrue } from '../../schemas/conditions.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';

export interface EvictionRates {
  /** Nodes of one zone that are given up in a second; 0.1 in Kubernetes: one in 10 s. */
  readonly perSecond: number;
  /** The same in a large zone of which many nodes fail; 0.01 in Kubernetes. In a small one then none is. */
  readonly secondaryPerSecond: number;
  /** A zone with more nodes is large; 50 in Kubernetes. */
  readonly largeZone: number;
  /** From this share of nodes that are not ready, and at least three, many fail; 0.55 in Kubernetes. */
  readonly unhealthyShare: number;
}

export const defaultRates: EvictionRates = { perSecond: 0.1, secondaryPerSecond: 0.01, largeZone: 50, unhealthyShare: 0.55 };

interface ZoneCount {
  readonly ready: number;
  readonly notReady: number;
}

export type ZoneState = 'normal' | 'partial disruption' | 'full disruption';

export const zoneOf = ({ metadata: { labels = {} } }: Node): string => `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`;

/** Nodes of each zone, by whether they are ready. */
export const countZones = (nodes: readonly Node[]): ReadonlyMap<string, ZoneCount> => {
  const zones = new Map<string, ZoneCount>();
  for (const node of nodes) {
    const { ready, notReady } = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
    zones.set(zoneOf(node), isConditionTrue(node.status?.conditions, 'Ready') ? { ready: ready + 1, notReady } : { ready, notReady: notReady + 1 });
  }
  return zones;
};

export const stateOf = ({ ready, notReady }: ZoneCount, { unhealthyShare }: EvictionRates): ZoneState => {
  if (ready === 0 && notReady > 0) return 'full disruption';
  return notReady > 2 && notReady / (ready + notReady) >= unhealthyShare ? 'partial disruption' : 'normal';
};

/** Nodes of a zone that may be given up in a second. A zone that is gone as a whole is given up as usual: others take its pods. */
export const rateOf = (count: ZoneCount, rates: EvictionRates): number => {
  if (stateOf(count, rates) !== 'partial disruption') return rates.perSecond;
  return count.ready + count.notReady > rates.largeZone ? rates.secondaryPerSecond : 0;
};

/** True when no node of several is ready in any zone: then no node is given up, for there is nowhere to go. */
export const isEveryZoneGone = (zones: ReadonlyMap<string, ZoneCount>): boolean => {
  const counts = [...zones.values()];
  return counts.every(({ ready }) => ready === 0) && counts.reduce((sum, { notReady }) => sum + notReady, 0) > 1;
};

/** Another look at a zone in which no node may be given up now. */
const heldMs = 5_000;

/** Gives turns to nodes of each zone, one after the other at the zone's rate of the moment. */
export class EvictionTurns {
  readonly #rates: EvictionRates;
  readonly #lastMs = new Map<string, number>();

  constructor(rates: EvictionRates) {
    this.#rates = rates;
  }

  /** 0 when a node of the zone may be given up now, which takes the turn; else the time to wait before asking again. */
  take(zone: string, count: ZoneCount, nowMs: number): number {
    const rate = rateOf(count, this.#rates);
    if (rate <= 0) return heldMs;
    const nextMs = (this.#lastMs.get(zone) ?? -Infinity) + 1_000 / rate;
    // The rate may rise before a long wait is over.
    if (nowMs < nextMs) return Math.min(nextMs - nowMs, heldMs);
    this.#lastMs.set(zone, nowMs);
    return 0;
  }

  /** The turn that was taken last came to nothing. */
  giveBack(zone: string): void {
    this.#lastMs.delete(zone);
  }
}

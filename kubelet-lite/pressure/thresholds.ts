/** Under what a node is short of something, in the words of the kubelet's `--eviction-hard`. Pure. */
import { parseQuantity, wholeUnits } from '../../schemas/quantity.ts';

export const signals = ['memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'imagefs.inodesFree'] as const;
export type Signal = (typeof signals)[number];

export type PressureCondition = 'MemoryPressure' | 'DiskPressure';

/** What runs short, as messages name it. */
export type ShortResource = 'memory' | 'ephemeral-storage' | 'inodes';

export const resourceOf = (signal: Signal): ShortResource => (signal === 'memory.available' ? 'memory' : signal.endsWith('.available') ? 'ephemeral-storage' : 'inodes');

export const conditionOfSignal = (signal: Signal): PressureCondition => (signal === 'memory.available' ? 'MemoryPressure' : 'DiskPressure');

/** Met while less than this is left: so many bytes or inodes, or a share of all that there are. */
export interface Threshold {
  readonly signal: Signal;
  readonly least: { readonly amount: number } | { readonly share: number };
}

/** What there is of something, in bytes or inodes. */
export interface Observation { readonly available: number; readonly capacity: number }
export type Observations = ReadonlyMap<Signal, Observation>;

export interface MetThreshold extends Observation { readonly signal: Signal; readonly least: number }

/**
 * Kubernetes' for memory and inodes. Of its disks the kubelet wants 10 and 15 percent free; a machine that is not the
 * cluster's alone has that seldom, and evicting pods would not help it: 5 percent, as k3s has it.
 */
export const defaultThresholds = 'memory.available<100Mi,nodefs.available<5%,imagefs.available<5%,nodefs.inodesFree<5%';
/** Kubernetes' time for which a condition is said after it was last met. */
export const defaultTransitionMs = 300_000;

export interface EvictionSettings {
  readonly thresholds: readonly Threshold[];
  /** How long a condition is said after it was last met. */
  readonly transitionMs: number;
}

const thresholdOf = (statement: string): Threshold | undefined => {
  const [, name = '', value = ''] = /^([^<]+)<([^<]+)$/.exec(statement.trim()) ?? [];
  const signal = signals.find((one) => one === name.trim());
  if (value === '') throw new Error(`${JSON.stringify(statement)} must be a signal, "<" and an amount, such as memory.available<100Mi or nodefs.available<10%`);
  if (signal === undefined) throw new Error(`${JSON.stringify(name)} is no signal that is watched; there are: ${signals.join(', ')}`);
  const text = value.trim();
  if (text.endsWith('%')) {
    const percent = /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
    if (!(percent >= 0 && percent <= 100)) throw new Error(`${JSON.stringify(statement)}: ${text} must be from 0% to 100%`);
    // The kubelet takes either for "not at all".
    return percent === 0 || percent === 100 ? undefined : { signal, least: { share: percent / 100 } };
  }
  const quantity = parseQuantity(text);
  if (quantity === undefined || quantity.nano <= 0n) throw new Error(`${JSON.stringify(statement)}: ${text} must be a quantity above 0, such as 100Mi, or a percentage`);
  return { signal, least: { amount: wholeUnits(text) } };
};

/** Reads `memory.available<100Mi,nodefs.available<10%`; a threshold of 0% or 100% is none. Throws an error that says what would be right. */
export const parseThresholds = (text: string): readonly Threshold[] => {
  const thresholds = text.split(',').map(thresholdOf).filter((one) => one !== undefined);
  const twice = thresholds.find(({ signal }, index) => thresholds.findIndex((one) => one.signal === signal) !== index);
  if (twice !== undefined) throw new Error(`${twice.signal} is there twice`);
  return thresholds;
};

/** Those that are met, memory first; what was not observed is not short. */
export const metThresholds = (thresholds: readonly Threshold[], observed: Observations): readonly MetThreshold[] => thresholds.flatMap(({ signal, least: value }) => {
  const seen = observed.get(signal);
  if (seen === undefined) return [];
  const least = 'amount' in value ? value.amount : Math.floor(seen.capacity * value.share);
  return seen.available < least ? [{ signal, least, ...seen }] : [];
}).toSorted((a, b) => Number(b.signal === 'memory.available') - Number(a.signal === 'memory.available'));

/** When each condition was last met. */
export type LastMet = ReadonlyMap<PressureCondition, number>;

export const lastMetAfter = (before: LastMet, met: readonly MetThreshold[], nowMs: number): LastMet => new Map([...before, ...met.map(({ signal }) => [conditionOfSignal(signal), nowMs] as const)]);

/** The conditions of a node that was looked at now: one that was short a moment ago says so for a while yet, so that pods do not go to and fro. */
export const heldConditions = (lastMet: LastMet, nowMs: number, transitionMs: number): ReadonlySet<PressureCondition> =>
  new Set([...lastMet].filter(([, atMs]) => nowMs === atMs || nowMs - atMs < transitionMs).map(([condition]) => condition).toSorted());

import type { Pod } from '../../schemas/kinds/core/pod.ts';

const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';

/** Pods of this node whose address only the agent knows yet, for no status says it. */
export class StartingPods {
  readonly #starting = new Map<string, { readonly pod: Pod; readonly ip: string }>();
  /** Addresses of the pods in the table that stands. */
  #applied: ReadonlyMap<string, string | undefined> = new Map();

  /** Forgotten when the signal aborts: the pod goes, and its address may be another's. */
  add(pod: Pod, ip: string, signal: AbortSignal): void {
    const entry = { pod, ip };
    this.#starting.set(uidOf(pod), entry);
    signal.addEventListener('abort', () => {
      if (this.#starting.get(uidOf(pod)) === entry) this.#starting.delete(uidOf(pod));
    }, { once: true });
  }

  /** The pods as the API has them, with the addresses that it does not know yet; those that it knows by now are forgotten. */
  among(pods: readonly Pod[]): readonly Pod[] {
    const known = new Map(pods.map((pod) => [uidOf(pod), pod]));
    for (const [uid, { ip }] of this.#starting) if (known.get(uid)?.status?.podIP === ip) this.#starting.delete(uid);
    if (this.#starting.size === 0) return pods;
    const addressed = [...this.#starting].map(([uid, { pod, ip }]): Pod => {
      const latest = known.get(uid) ?? pod;
      return { ...latest, status: { ...latest.status, podIP: ip } };
    });
    return [...pods.filter((pod) => !this.#starting.has(uidOf(pod))), ...addressed];
  }

  /** These pods are in the table that stands. */
  applied(pods: readonly Pod[]): void {
    this.#applied = new Map(pods.map((pod) => [uidOf(pod), pod.status?.podIP]));
  }

  isApplied(pod: Pod, ip: string): boolean {
    return this.#applied.get(uidOf(pod)) === ip;
  }
}

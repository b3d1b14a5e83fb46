/** Reads what an agent tells of its node's usage. An agent can be broken: only what has the right form is taken. */

/** CPU in billionths of a core, as an average over the window that ends at `atMs`; memory is the working set. */
export interface MeasuredUsage {
  readonly nanoCores: number;
  readonly memoryBytes: number;
  readonly windowMs: number;
  readonly atMs: number;
}

export interface MeasuredPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly containers: readonly (MeasuredUsage & { readonly name: string })[];
}

export interface NodeSummary {
  readonly node: MeasuredUsage | undefined;
  /** By uid. */
  readonly pods: ReadonlyMap<string, MeasuredPod>;
}

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? value as Fields : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value as readonly unknown[] : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const amount = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined);

const usageOf = (value: unknown): MeasuredUsage | undefined => {
  const { cpu, memory } = fields(value);
  const { time, usageNanoCores, windowSeconds } = fields(cpu);
  const nanoCores = amount(usageNanoCores);
  const memoryBytes = amount(fields(memory)['workingSetBytes']);
  const atMs = Date.parse(text(time));
  const windowMs = amount(typeof windowSeconds === 'number' ? windowSeconds * 1_000 : undefined);
  return nanoCores === undefined || memoryBytes === undefined || windowMs === undefined || Number.isNaN(atMs) ? undefined : { nanoCores, memoryBytes, atMs, windowMs };
};

/** A pod counts when all of its containers could be measured: the sum of a part would be taken for the whole. */
const podOf = (value: unknown): MeasuredPod | undefined => {
  const { podRef, containers } = fields(value);
  const { name, namespace, uid } = fields(podRef);
  const measured = list(containers).map((one) => {
    const usage = usageOf(one);
    return usage === undefined ? undefined : { ...usage, name: text(fields(one)['name']) };
  });
  if (text(uid) === '' || measured.length === 0 || measured.includes(undefined)) return undefined;
  return { name: text(name), namespace: text(namespace), uid: text(uid), containers: measured.filter((one) => one !== undefined) };
};

/** What is in the text of `/stats/summary`. Throws a SyntaxError for text that is no JSON. */
export const readSummary = (summary: string): NodeSummary => {
  const { node, pods } = fields(JSON.parse(summary));
  return { node: usageOf(node), pods: new Map(list(pods).flatMap((one) => { const pod = podOf(one); return pod === undefined ? [] : [[pod.uid, pod] as const]; })) };
};

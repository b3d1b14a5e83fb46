/**
 * What the nodes use, asked of their agents when somebody wants to know, and kept as long as an agent would say the same
 * again. Nobody who asks waits for a node that does not answer longer than a few seconds: it is left out, and left alone.
 */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { NodeTarget } from '../subresources/connect.ts';
import { readSummary, type NodeSummary } from './node-summary.ts';

/** Reads the text that an agent answers to a GET. Rejects when it does not answer well in a few seconds. */
export type AgentReader = (target: NodeTarget) => Promise<string>;

export interface NodeSummariesOptions {
  readonly read: AgentReader;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry { readonly at: string; readonly summary: Promise<NodeSummary | undefined>; untilMs: number }

/** Agents look around every 15 s, and again when they are asked after 5. */
const keptMs = 5_000;
/** How long an agent that did not answer is left alone. */
const failedMs = 10_000;
/** Agents that are asked at the same time. */
const atOnce = 32;

export class NodeSummaries {
  readonly #options: NodeSummariesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => void)[] = [];
  #asking = 0;

  constructor(options: NodeSummariesOptions) {
    this.#options = options;
  }

  /** What these nodes use, by name; those that did not answer are left out. */
  async of(nodes: ReadonlyMap<string, NodeTarget>): Promise<ReadonlyMap<string, NodeSummary>> {
    const now = this.#options.clock.now();
    for (const [name, entry] of this.#entries) if (entry.untilMs <= now) this.#entries.delete(name);
    const found = await Promise.all([...nodes].map(async ([name, target]) => [name, await this.#summaryOf(name, target)] as const));
    return new Map(found.flatMap(([name, summary]) => (summary === undefined ? [] : [[name, summary]])));
  }

  #summaryOf(name: string, { host, port }: NodeTarget): Promise<NodeSummary | undefined> {
    const at = `${host} ${port}`;
    const kept = this.#entries.get(name);
    if (kept?.at === at) return kept.summary;
    const entry: Entry = { at, summary: this.#ask(name, { host, port, path: '/stats/summary' }), untilMs: Infinity };
    this.#entries.set(name, entry);
    void entry.summary.then((summary) => { entry.untilMs = this.#options.clock.now() + (summary === undefined ? failedMs : keptMs); });
    return entry.summary;
  }

  async #ask(name: string, target: NodeTarget): Promise<NodeSummary | undefined> {
    while (this.#asking >= atOnce) await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    this.#asking++;
    try {
      return readSummary(await this.#options.read(target));
    } catch (error) {
      this.#options.log.debug('a node does not say what it uses', { node: name, error });
      return undefined;
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
  }
}

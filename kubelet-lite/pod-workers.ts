/** All pods of this node: one worker each, made from the API's list and the engine's, which need not agree. */
import { readdir } from 'node:fs/promises';
import type { Log } from '../base/log.ts';
import { keyOf, keyText } from '../client/key.ts';
import type { Informer } from '../client/informer.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { isMirror } from '../schemas/static-pods.ts';
import type { AgentContext } from './agent-context.ts';
import { unheld } from './network/policy-hold.ts';
import type { PodRecord } from './pod-record.ts';
import { PodSteps } from './pod-steps.ts';
import type { Verdict } from './pod-view.ts';
import { PodWorker } from './pod-worker.ts';
import type { SandboxState } from './runtime/runtime.ts';

/** A pod that nobody knows any more gets this long to end. */
const strayGraceSeconds = 2;

export class PodWorkers {
  readonly #context: AgentContext;
  readonly #log: Log;
  readonly #byUid = new Map<string, PodWorker>();
  readonly #tasks = new Set<Promise<void>>();
  /** Of pods that nobody has asked for yet since the agent began. */
  #found = new Map<string, readonly SandboxState[]>();
  #closed = false;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#log = context.log;
  }

  /** Sees what runs on the engine, before any pod is added. */
  async find(): Promise<void> {
    this.#found = Map.groupBy(await this.#context.runtime.list(), (sandbox) => sandbox.podUid);
  }

  /**
   * Takes up a pod of the node's own, adopting what runs of it. What runs of one with its name and another UID is what its
   * file said before, and goes first. Such a pod is admitted whatever the node is short of, and waits for no policy: those are the server's.
   */
  async addStatic(pod: Pod, record: PodRecord): Promise<void> {
    const { uid = '', name, namespace } = pod.metadata;
    for (const [other, sandboxes] of this.#found) {
      if (other === uid || !sandboxes.some(({ podName, podNamespace }) => podName === name && podNamespace === namespace)) continue;
      this.#found.delete(other);
      await this.#clear(other, sandboxes);
    }
    this.#add(pod, { ...this.#context, record, refusal: () => undefined, policies: unheld });
  }

  /** A newer state of a pod that was added. */
  update(pod: Pod): void {
    this.#byUid.get(pod.metadata.uid ?? '')?.update(pod);
  }

  /** A pod of the node's own has ended, and nothing of it is left. */
  forget(pod: Pod): void {
    this.#remove(pod);
  }

  /** Takes up the pods of the informer, which has synced, and clears away what no pod stands for. Mirrors are no pods, whoever made them: what they show runs already, or nowhere. */
  async start(pods: Informer<Pod>): Promise<void> {
    await this.find();
    const listed = pods.list().filter((pod) => !isMirror(pod));
    this.#context.allocations.adopt(listed);
    pods.on({
      added: (pod) => this.#add(pod, this.#context),
      updated: (pod, old) => {
        if (pod.metadata.uid !== old.metadata.uid) this.#remove(old);
        if (this.#byUid.has(pod.metadata.uid ?? '')) this.update(pod);
        else this.#add(pod, this.#context);
      },
      deleted: (pod) => this.#remove(pod),
    });
    const known = new Set([...this.#byUid.keys(), ...listed.map((pod) => pod.metadata.uid ?? '')]);
    const sandboxes = this.#found;
    this.#found = new Map();
    for (const [uid, strays] of sandboxes) if (!known.has(uid)) this.#task(`stray pod ${uid}`, this.#clear(uid, strays));
    for (const uid of await readdir(this.#context.podsDir).catch(() => [])) if (!known.has(uid) && !sandboxes.has(uid)) this.#task(`files of pod ${uid}`, this.#clear(uid, []));
    // The engine may have spoken of a pod between its list and the making of the worker.
    this.touchAll();
  }

  touched(podUid: string): void {
    this.#byUid.get(podUid)?.touched();
  }

  /** The engine was away: every worker looks again. */
  touchAll(): void {
    for (const worker of this.#byUid.values()) worker.touched();
  }

  /** What the engine has of a pod. */
  sandboxesOf(podUid: string): readonly SandboxState[] {
    return this.#byUid.get(podUid)?.sandboxes ?? [];
  }

  /** Ends a pod for this reason and clears all of it away but its object; false for one that ends already. */
  evict(podUid: string, verdict: Verdict): boolean {
    return this.#byUid.get(podUid)?.evict(verdict) ?? false;
  }

  /** Stops all workers; pods go on. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#byUid.values()) worker.close();
  }

  #add(pod: Pod, context: AgentContext): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#closed || this.#byUid.has(uid) || isMirror(pod)) return;
    const worker = new PodWorker(context, pod, this.#found.get(uid) ?? []);
    this.#found.delete(uid);
    this.#byUid.set(uid, worker);
    this.#task(`pod ${keyText(keyOf(pod))}`, worker.run());
  }

  #remove(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#byUid.get(uid);
    if (worker === undefined || this.#closed) return;
    this.#byUid.delete(uid);
    this.#task(`end of pod ${keyText(keyOf(pod))}`, worker.gone());
  }

  async #clear(uid: string, sandboxes: readonly SandboxState[]): Promise<void> {
    const runs = sandboxes.flatMap(({ containers }) => containers).filter((run) => run.status === 'running');
    await Promise.all(runs.map((run) => this.#context.runtime.stopContainer(run.id, strayGraceSeconds)));
    await new PodSteps(this.#context, uid).clean(sandboxes);
  }

  #task(what: string, work: Promise<void>): void {
    const task = work.catch((error: unknown) => this.#log.error(`${what} was given up`, { error })).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

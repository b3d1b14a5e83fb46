/**
 * One pod's life on this node. The worker is the only one who decides about the pod: it looks at what there is, asks the
 * plan, sets off the steps and writes the status. Steps run beside each other and beside the worker, each under its own
 * name, so that a slow pull holds up neither the status nor the end of the pod. Whatever happens wakes the worker.
 */
import { sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { backoffMs } from '../client/backoff.ts';
import { revisionOf } from '../client/key.ts';
import { warnOfFailure } from '../client/outage.ts';
import { deepEqual } from '../schemas/frozen.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { whyUnsupported } from './admission/unsupported.ts';
import { report, type AgentContext } from './agent-context.ts';
import { backOffEvents } from './back-off-events.ts';
import { ConfigError, VolumeError } from './config-error.ts';
import { probedContainer } from './image-health.ts';
import { collectLastWords } from './last-words.ts';
import { deadlineOf, graceLeft, leavesBefore, planPod, type Step } from './plan.ts';
import { PodSteps } from './pod-steps.ts';
import { allContainers, containerStep, currentSandbox, hasEnded, recordedStatuses, recordedVerdict, sandboxItself, type PodView, type Verdict } from './pod-view.ts';
import { Probes } from './probes.ts';
import { PodAllocation } from './resources/pod-allocation.ts';
import { raised, type RestartBackoff } from './restart-backoff.ts';
import type { ContainerState, SandboxState } from './runtime/runtime.ts';
import { podStatus, tellsOnlyOfSandbox } from './status.ts';
import { StepFailures } from './step-failures.ts';
import { showsChange, tokensFreshMs } from './volumes/payload.ts';

/** The engine or the API did not answer: 1 s, doubling to 10 s, and up to half of that more, so that the pods of all nodes do not come back at once. */
const outage = { firstMs: 1_000, longestMs: 10_000, jitter: 0.5 } as const;
/** How long the news of a sandbox waits for its containers, to be written with theirs; a busy node takes seconds for what takes 0.1 s at rest. */
const sandboxNewsMs = 5_000;

export class PodWorker {
  readonly uid: string;
  readonly #context: AgentContext;
  readonly #log: Log;
  readonly #steps: PodSteps;
  readonly #probes: Probes;
  readonly #busy = new Map<string, Promise<void>>();
  /** Of these the starts. */
  readonly #starting = new Set<Promise<void>>();
  readonly #backoffs = new Map<string, RestartBackoff>();
  readonly #replaced = new Map<string, string>();
  readonly #failures: StepFailures;
  readonly #messages = new Map<string, string>();
  /** Aborts when the pod is to end: pulls and hooks of starts are given up. */
  readonly #leaving = new AbortController();
  /** Aborts when the pod must be gone now. */
  readonly #hurry = new AbortController();
  /** Aborts when the agent ends; the pod goes on. */
  readonly #closed = new AbortController();
  readonly #allocation: PodAllocation;
  /** As the API has it. */
  #stored: Pod;
  /** With the resources that it has been given, which may be others than it asks for by now. */
  #pod: Pod;
  #sandboxes: readonly SandboxState[];
  #verdict: Verdict | undefined;
  #dirty = false;
  #sourcesChanged = false;
  #volumes: Promise<void> | undefined;
  /** When the tokens in the pod's volumes are to be fetched anew. */
  #tokensUntilMs = Infinity;
  #wake = Promise.withResolvers<void>();
  #finished = false;
  /** Since when there is news of the sandbox alone. */
  #sandboxNewsSinceMs: number | undefined;
  #cancelHurry = (): void => undefined;

  constructor(context: AgentContext, pod: Pod, sandboxes: readonly SandboxState[]) {
    this.#context = context;
    this.#stored = pod;
    this.#allocation = new PodAllocation(pod, { node: context.allocations, allocatable: context.allocatable, roomChanged: () => this.#look() });
    this.#pod = this.#allocation.applied(pod);
    this.#sandboxes = sandboxes;
    this.uid = pod.metadata.uid ?? '';
    this.#log = context.log.with({ pod: `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}` });
    this.#steps = new PodSteps(context, this.uid);
    this.#failures = new StepFailures(context, this.#log);
    this.#probes = new Probes({
      clock: context.clock, actions: context.actions, changed: () => this.#look(),
      failed: (container, kind, message) => report(context, this.#pod, container, 'Warning', 'Unhealthy', `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: ${message}`),
    });
    this.#verdict = recordedVerdict(pod);
    if (this.#verdict === undefined && sandboxes.length === 0 && pod.status?.startTime === undefined) this.#refuse(this.#whyNotHere(pod));
  }

  /** A newer state of the pod in the API. */
  update(pod: Pod): void {
    if (revisionOf(pod) <= revisionOf(this.#pod)) return;
    const endsSooner = leavesBefore(pod, this.#pod);
    // An ephemeral container may read what no other does.
    if (allContainers(pod).length !== allContainers(this.#pod).length) this.#volumes = undefined;
    if (showsChange(pod, this.#pod)) this.#sourcesChanged = true;
    this.#take(pod);
    if (endsSooner) this.#hurryIn(graceLeft(this.#view()) * 1000);
    this.#look();
  }

  /** Ends the pod though nobody deleted it, and tells why; false for one that ends already. */
  evict(verdict: Verdict): boolean {
    if (this.#verdict !== undefined || hasEnded(this.#pod) || this.#pod.metadata.deletionTimestamp !== undefined) return false;
    this.#refuse(verdict);
    this.#look();
    return true;
  }

  #whyNotHere(pod: Pod): Verdict | undefined {
    const { abilities, clusterDomain, refusal } = this.#context;
    const why = whyUnsupported(pod, { ...abilities, clusterDomain });
    return why === undefined ? refusal(pod) : { reason: 'UnsupportedPod', message: why };
  }

  #refuse(verdict: Verdict | undefined): void {
    if (verdict === undefined) return;
    this.#verdict = verdict;
    report(this.#context, this.#pod, undefined, 'Warning', verdict.reason, verdict.message);
  }

  #take(pod: Pod): void {
    this.#stored = pod;
    this.#pod = this.#allocation.applied(pod);
  }

  /** Something changed in the engine. */
  touched(): void {
    this.#dirty = true;
    this.#look();
  }

  /** As the engine had them when the worker last looked. */
  get sandboxes(): readonly SandboxState[] {
    return this.#sandboxes;
  }

  /** Works until `close`, or until the pod is out of the API and off the node. */
  async run(): Promise<void> {
    const { signal } = this.#closed;
    if (this.#sandboxes.length > 0 && this.#pod.metadata.deletionTimestamp === undefined && !hasEnded(this.#pod)) {
      this.#prepareVolumes(signal).catch((error: unknown) => this.#log.warn('volumes of an adopted pod were not brought up to date', { error }));
    }
    for (let failures = 0; !signal.aborted;) {
      this.#wake = Promise.withResolvers();
      let wakeAtMs: number | undefined;
      try {
        wakeAtMs = await this.#once();
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        warnOfFailure(this.#log, 'a pod could not be looked after, trying again', { error });
        this.#dirty = true;
        wakeAtMs = this.#context.clock.now() + backoffMs(++failures, { ...outage, random: this.#context.random });
      }
      await this.#rest(wakeAtMs);
    }
  }

  /** Stops looking after the pod and leaves it running. Steps that the engine carries out already come to their end there. */
  close(): void {
    this.#closed.abort();
    this.#cancelHurry();
    this.#probes.keep(new Set());
    this.#steps.release();
    this.#look();
  }

  /** The pod is no longer in the API, whoever took it out: everything of it goes from the node. */
  async gone(): Promise<void> {
    this.#leaving.abort();
    this.#hurry.abort();
    this.close();
    this.#allocation.release();
    await Promise.all(this.#busy.values());
    if (this.#finished) return;
    const sandboxes = await this.#context.runtime.inspect(this.uid);
    await this.#steps.clean(sandboxes);
  }

  /** The end that is under way was given less time than before. */
  #hurryIn(afterMs: number): void {
    this.#cancelHurry();
    if (afterMs === 0) this.#hurry.abort();
    else this.#cancelHurry = this.#context.clock.after(afterMs, () => this.#hurry.abort());
  }

  #look(): void {
    this.#wake.resolve();
  }

  async #rest(wakeAtMs: number | undefined): Promise<void> {
    if (wakeAtMs === undefined) return this.#wake.promise;
    const enough = new AbortController();
    void this.#wake.promise.then(() => enough.abort());
    await sleep(this.#context.clock, Math.max(0, wakeAtMs - this.#context.clock.now()), enough.signal);
  }

  #view(): PodView {
    return {
      pod: this.#pod, sandboxes: this.#sandboxes, probes: this.#probes.verdicts(), busy: new Set(this.#busy.keys()), backoffs: this.#backoffs, replaced: this.#replaced,
      blocked: this.#failures.blocked, verdict: this.#verdict, pendingResize: this.#allocation.pending, nowMs: this.#context.clock.now(),
    };
  }

  async #once(): Promise<number | undefined> {
    if (this.#finished) return undefined;
    if (this.#dirty) {
      this.#dirty = false;
      this.#sandboxes = await this.#context.runtime.inspect(this.uid);
    }
    if (this.#sourcesChanged || this.#tokensUntilMs <= this.#context.clock.now()) await this.#refresh();
    if (this.#pod.metadata.deletionTimestamp === undefined && this.#allocation.decide(this.#stored)) {
      this.#pod = this.#allocation.applied(this.#stored);
      this.#failures.resourcesChanged();
    }
    await this.#watchProbes();
    await this.#collectLastWords();
    const deadlineMs = deadlineOf(this.#view());
    if (deadlineMs !== undefined && deadlineMs <= this.#context.clock.now() && this.#verdict === undefined && !hasEnded(this.#pod)) {
      this.#verdict = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    }
    if (this.#pod.metadata.deletionTimestamp !== undefined || this.#verdict !== undefined || hasEnded(this.#pod)) this.#leaving.abort();
    const plan = planPod(this.#view());
    const held: number[] = [];
    for (const step of plan.steps) {
      const untilMs = this.#failures.heldUntilMs(step);
      if (untilMs === undefined) this.#setOff(step);
      else held.push(untilMs);
    }
    const waitsUntilMs = this.#busy.has('finish') ? undefined : await this.#writeStatus();
    if (waitsUntilMs !== undefined) held.push(waitsUntilMs);
    const wakes = [...this.#failures.renamesMs(), ...held, ...(this.#tokensUntilMs < Infinity ? [this.#tokensUntilMs] : []), ...(plan.wakeAtMs === undefined ? [] : [plan.wakeAtMs])];
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  async #watchProbes(): Promise<void> {
    const sandbox = currentSandbox(this.#view());
    const host = this.#pod.spec?.hostNetwork === true ? this.#context.nodeIp : sandbox?.ip;
    const running = (sandbox?.containers ?? []).filter((run) => run.status === 'running');
    this.#probes.keep(new Set(running.map(({ id }) => id)));
    if (host === undefined) return;
    for (const run of running) {
      const container = allContainers(this.#pod).find(({ name }) => name === run.name);
      if (container === undefined) continue;
      const known = recordedStatuses(this.#pod).find(({ name }) => name === run.name);
      const adopted = known?.ready === true && known.containerID === `${this.#context.runtimeName}://${run.id}`;
      this.#probes.watch({ container: await probedContainer(this.#context.runtime, this.#pod, container), containerId: run.id, host }, run.startedAtMs ?? run.createdAtMs, adopted);
    }
  }

  async #collectLastWords(): Promise<void> {
    const { runtime } = this.#context;
    await collectLastWords(this.#messages, { pod: this.#pod, sandboxes: this.#sandboxes, runtime, pathOf: (run) => this.#steps.home.messagePath(run.name, run.attempt) }, this.#closed.signal);
  }

  async #refresh(): Promise<void> {
    this.#sourcesChanged = false;
    this.#tokensUntilMs = this.#context.clock.now() + (tokensFreshMs(this.#pod) ?? Infinity);
    this.#failures.sourcesChanged();
    try {
      await this.#steps.home.volumes.refresh(this.#steps.home.payloadInput(this.#pod, currentSandbox(this.#view())?.ip));
    } catch (error) {
      // A source that was taken away under a running pod changes nothing in it, as in Kubernetes.
      if (!(error instanceof ConfigError)) throw error;
      this.#log.debug('a volume was not brought up to date', { error });
    }
  }

  /** Writes the status where it changed; answers until when it waits for more to tell. */
  async #writeStatus(): Promise<number | undefined> {
    const facts = { nodeIp: this.#context.nodeIp, runtimeName: this.#context.runtimeName, messages: this.#messages };
    const status = podStatus(this.#view(), facts);
    if (deepEqual(status, this.#pod.status)) return undefined;
    const nowMs = this.#context.clock.now();
    if (tellsOnlyOfSandbox(this.#pod.status ?? {}, status)) {
      const untilMs = (this.#sandboxNewsSinceMs ??= nowMs) + sandboxNewsMs;
      if (nowMs < untilMs) return untilMs;
    }
    this.#sandboxNewsSinceMs = undefined;
    const begun = backOffEvents(this.#pod, status);
    const written = await this.#context.record.writeStatus(this.#stored, (pod) => podStatus({ ...this.#view(), pod: this.#allocation.applied(pod) }, facts));
    if (written === undefined) return undefined;
    for (const { container, type, reason, message } of begun) {
      report(this.#context, this.#pod, allContainers(this.#pod).find((one) => one.name === container), type, reason, message);
    }
    if (revisionOf(written) > revisionOf(this.#pod)) this.#take(written);
    return undefined;
  }

  #setOff(step: Step): void {
    const name = step.do === 'start' || step.do === 'stop' || step.do === 'resize' ? containerStep(step.container.name)
      : step.do === 'remove-container' ? `remove/${step.id}`
      : step.do === 'terminate' || step.do === 'clear' || step.do === 'finish' ? step.do : 'sandbox';
    if (this.#busy.has(name)) return;
    const work = this.#carryOut(step).then(() => {
      this.#failures.done(step);
      // What came up is known from the engine's answer.
      this.#dirty ||= step.do !== 'create-sandbox' && step.do !== 'start';
    }, (error: unknown) => {
      this.#dirty = true;
      // A start that was given up since the pod leaves has not failed.
      if (!this.#closed.signal.aborted && !(step.do === 'start' && this.#leaving.signal.aborted)) this.#failures.failed(this.#pod, step, error);
    }).finally(() => {
      this.#busy.delete(name);
      this.#starting.delete(work);
      this.#look();
    });
    this.#busy.set(name, work);
    if (step.do === 'start') this.#starting.add(work);
  }

  async #carryOut(step: Step): Promise<void> {
    const { runtime } = this.#context;
    switch (step.do) {
      case 'create-sandbox': {
        // Beside the sandbox; whoever needs the volumes asks again and hears of a failure.
        this.#prepareVolumes(this.#closed.signal).catch(() => undefined);
        const sandbox = await this.#steps.createSandbox(this.#pod, step.attempt);
        this.#failures.mended(sandboxItself);
        this.#sandboxes = [...this.#sandboxes.filter(({ id }) => id !== sandbox.id), sandbox];
        return;
      }
      case 'remove-sandbox':
        return runtime.removeSandbox(step.id);
      case 'end-sandbox':
        return runtime.stopContainer(step.id, 0);
      case 'remove-container':
        return runtime.removeContainer(step.id);
      case 'start':
        return this.#start(step);
      case 'stop':
        // Before it ends: what is decided then rests on it.
        if (step.again) this.#replaced.set(step.container.name, step.id);
        return this.#steps.stop(this.#pod, step, { leaving: this.#leaving.signal, hurry: this.#hurry.signal });
      case 'resize':
        return this.#steps.resize(step);
      case 'terminate':
        return this.#steps.terminate(this.#pod, { sandboxes: () => this.#sandboxes, starting: Promise.all(this.#starting), graceSeconds: step.graceSeconds }, this.#hurry.signal);
      case 'clear':
        await this.#writeStatus();
        await this.#steps.clean(this.#sandboxes);
        this.#sandboxes = [];
        return;
      case 'finish':
        await this.#writeStatus();
        await this.#steps.finish(this.#pod, this.#sandboxes);
        this.#sandboxes = [];
        this.#finished = true;
        return;
      default:
    }
  }

  async #start(step: Extract<Step, { readonly do: 'start' }>): Promise<void> {
    const { container, sandbox } = step;
    const signal = AbortSignal.any([this.#leaving.signal, this.#closed.signal]);
    await this.#prepareVolumes(signal);
    // The run counts as a restart whether or not it comes up: what fails at once must not be tried at once for ever.
    if (step.restarted) this.#backoffs.set(container.name, raised(this.#backoffs.get(container.name), this.#context.clock.now()));
    const run = await this.#steps.start(this.#pod, step, signal);
    this.#failures.mended(container.name);
    this.#note(sandbox.id, run);
    // The status goes out while the hook runs.
    this.#look();
    await this.#steps.afterStart(this.#pod, container, run, signal);
  }

  /** Sources and volumes, once; a failure is reported and forgotten, so that the next call tries again. */
  #prepareVolumes(signal: AbortSignal): Promise<void> {
    const prepare = async (): Promise<void> => {
      const changed = (): void => {
        this.#sourcesChanged = true;
        this.#look();
      };
      try {
        await this.#steps.holdSources(this.#pod, changed, signal);
        await this.#steps.home.volumes.prepare(this.#steps.home.payloadInput(this.#pod, currentSandbox(this.#view())?.ip));
        this.#tokensUntilMs = this.#context.clock.now() + (tokensFreshMs(this.#pod) ?? Infinity);
      } catch (error) {
        this.#volumes = undefined;
        const message = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) report(this.#context, this.#pod, undefined, 'Warning', 'FailedMount', message);
        throw new VolumeError(message, error);
      }
    };
    this.#volumes ??= prepare();
    return this.#volumes;
  }

  #note(sandboxId: string, run: ContainerState): void {
    this.#sandboxes = this.#sandboxes.map((sandbox) => (sandbox.id !== sandboxId ? sandbox
      : { ...sandbox, containers: [...sandbox.containers.filter(({ id }) => id !== run.id), run] }));
  }
}

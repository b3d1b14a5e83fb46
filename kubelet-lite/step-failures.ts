/** What failed lately for one pod: until when it is left alone, and what users are told of it. */
import type { Log } from '../base/log.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import { report, type AgentContext } from './agent-context.ts';
import { ConfigError, VolumeError } from './config-error.ts';
import { pullErrorShownMs } from './container-status.ts';
import type { Step } from './plan.ts';
import { resizeOf, sandboxItself, type Blocked } from './pod-view.ts';
import { RuntimeError } from './runtime/runtime.ts';

/** Waits after a failed start, doubling: pulls as Kubernetes, all else sooner since its cause is often mended soon. */
const retryDelays = { pull: { firstMs: 10_000, longestMs: 300_000 }, other: { firstMs: 1_000, longestMs: 60_000 } } as const;

/** Where a step that failed stands in `blocked`, until it is tried again. A slash keeps it apart from containers. */
const failedStep = (step: Step): string => (step.do === 'resize' ? resizeOf(step.container.name) : `step/${step.do}`);

export class StepFailures {
  readonly #context: AgentContext;
  readonly #log: Log;
  readonly #blocked = new Map<string, Blocked>();

  constructor(context: AgentContext, log: Log) {
    this.#context = context;
    this.#log = log;
  }

  /** By container, `sandboxItself`, or the name of a step. */
  get blocked(): ReadonlyMap<string, Blocked> {
    return this.#blocked;
  }

  /** The container, or the sandbox, came up. */
  mended(name: string): void {
    this.#blocked.delete(name);
  }

  /** A step was carried out. */
  done(step: Step): void {
    this.#blocked.delete(failedStep(step));
  }

  /** What containers are made from has changed: those that could not be made are tried again at once. */
  sourcesChanged(): void {
    for (const [name, { reason }] of this.#blocked) if (reason === 'CreateContainerConfigError' || reason === 'ContainerCreating') this.#blocked.delete(name);
  }

  /** The pod was given other resources: what could not be changed before may be another change now. */
  resourcesChanged(): void {
    for (const name of this.#blocked.keys()) if (name.startsWith(resizeOf(''))) this.#blocked.delete(name);
  }

  /** When a step that failed may be tried again; undefined when it may be now. */
  heldUntilMs(step: Step): number | undefined {
    const untilMs = this.#blocked.get(failedStep(step))?.untilMs ?? 0;
    return untilMs > this.#context.clock.now() ? untilMs : undefined;
  }

  /** When failed pulls change their name in the status. */
  renamesMs(): readonly number[] {
    return [...this.#blocked.values()].filter(({ reason }) => reason === 'ErrImagePull').map(({ sinceMs }) => sinceMs + pullErrorShownMs).filter((ms) => ms > this.#context.clock.now());
  }

  failed(pod: Pod, step: Step, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (step.do === 'create-sandbox') {
      report(this.#context, pod, undefined, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`);
      this.#block(sandboxItself, 'ContainerCreating', message);
    } else if (step.do === 'start') {
      this.#startFailed(pod, step.container, error, message);
    } else {
      this.#log.warn('a step failed', { step: step.do, error });
      this.#block(failedStep(step), 'Retrying', message);
    }
  }

  #startFailed(pod: Pod, container: Container, error: unknown, message: string): void {
    const tell = (reason: string, words: string): void => report(this.#context, pod, container, 'Warning', reason, words);
    if (error instanceof VolumeError) return this.#block(container.name, error.unsupported ? 'CreateContainerConfigError' : 'ContainerCreating', message);
    if (error instanceof ConfigError) {
      tell('Failed', `Error: ${message}`);
      return this.#block(container.name, 'CreateContainerConfigError', message);
    }
    const reason = error instanceof RuntimeError ? error.reason : 'CreateContainerError';
    if (reason === 'EngineUnavailable') return this.#block(container.name, 'ContainerCreating', message);
    tell('Failed', reason === 'ErrImagePull' ? message : `Error: ${message}`);
    if (reason === 'ErrImagePull') tell('Failed', 'Error: ErrImagePull');
    // The engine keeps a run that did not come up; its restarts follow the rules for runs that ended.
    if (reason === 'RunContainerError') return;
    this.#block(container.name, reason, message);
  }

  #block(name: string, reason: string, message: string): void {
    const { firstMs, longestMs } = reason.startsWith('ErrImage') ? retryDelays.pull : retryDelays.other;
    const before = this.#blocked.get(name);
    const nowMs = this.#context.clock.now();
    const delayMs = before === undefined ? firstMs : Math.min(longestMs, (before.untilMs - before.sinceMs) * 2);
    this.#blocked.set(name, { reason, message, sinceMs: nowMs, untilMs: nowMs + delayMs });
  }
}

/**
 * The probes of one pod's containers. Each run of a container gets a fresh set: the startup probe goes first, and only
 * after its success do liveness and readiness begin. Whoever wants to know asks for the verdict; a change of it wakes him.
 */
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Container } from '../schemas/types/container.ts';
import type { Probe } from '../schemas/types/probe.ts';
import type { ActionTarget, Actions, Outcome } from './actions.ts';
import type { ProbeVerdict } from './pod-view.ts';
import { counted, newProbe, type ProbeKind, type ProbeState } from './probe-state.ts';

export interface ProbesOptions {
  readonly clock: Clock;
  readonly actions: Actions;
  /** Called when a verdict has changed. */
  readonly changed: () => void;
  readonly failed: (container: Container, kind: ProbeKind, message: string) => void;
}

interface Watched {
  readonly container: Container;
  readonly states: Map<ProbeKind, ProbeState>;
  readonly abort: AbortController;
}

const probeOf = (container: Container, kind: ProbeKind): Probe | undefined =>
  kind === 'startup' ? container.startupProbe : kind === 'liveness' ? container.livenessProbe : container.readinessProbe;

export class Probes {
  readonly #options: ProbesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /** Begins to probe a run, once; `adopted` for one that was ready before this agent came. */
  watch(target: ActionTarget, startedAtMs: number, adopted: boolean): void {
    const { container, containerId } = target;
    if (this.#watched.has(containerId)) return;
    const watched: Watched = { container, states: new Map(), abort: new AbortController() };
    this.#watched.set(containerId, watched);
    const has = (kind: ProbeKind): boolean => probeOf(container, kind) !== undefined;
    if (adopted) for (const kind of ['startup', 'readiness'] as const) if (has(kind)) watched.states.set(kind, { ...newProbe, result: true });
    const others = (): void => {
      for (const kind of ['liveness', 'readiness'] as const) if (has(kind)) void this.#run(watched, kind, target, startedAtMs);
    };
    if (has('startup') && !adopted) void this.#run(watched, 'startup', target, startedAtMs, others);
    else others();
  }

  /** Stops probing every run that is not among these. */
  keep(containerIds: ReadonlySet<string>): void {
    for (const [id, { abort }] of this.#watched) {
      if (containerIds.has(id)) continue;
      abort.abort();
      this.#watched.delete(id);
    }
  }

  /** Verdicts by container id. */
  verdicts(): ReadonlyMap<string, ProbeVerdict> {
    return new Map([...this.#watched].map(([id, { container, states }]) => {
      const result = (kind: ProbeKind): boolean | undefined => states.get(kind)?.result;
      const started = container.startupProbe === undefined || result('startup') === true;
      const failing = result('startup') === false ? 'Startup' as const : result('liveness') === false ? 'Liveness' as const : undefined;
      const failed = failing === undefined ? undefined
        : { probe: failing, graceSeconds: (failing === 'Startup' ? container.startupProbe : container.livenessProbe)?.terminationGracePeriodSeconds };
      return [id, { started, ready: started && (container.readinessProbe === undefined || result('readiness') === true), failed }];
    }));
  }

  async #run(watched: Watched, kind: ProbeKind, target: ActionTarget, startedAtMs: number, whenSucceeded?: () => void): Promise<void> {
    const { clock, actions, changed, failed } = this.#options;
    const { signal } = watched.abort;
    const probe = probeOf(watched.container, kind) ?? {};
    const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1 } = probe;
    let dueMs = Math.max(clock.now(), startedAtMs + initialDelaySeconds * 1000);
    for (;;) {
      await sleep(clock, dueMs - clock.now(), signal);
      if (signal.aborted) return;
      dueMs = clock.now() + periodSeconds * 1000;
      const outcome: Outcome = await actions.carryOut(probe, target, timeoutSeconds * 1000, signal);
      if (signal.aborted) return;
      if (outcome !== undefined) failed(watched.container, kind, outcome);
      const before = watched.states.get(kind) ?? newProbe;
      const after = counted(before, outcome === undefined, probe);
      watched.states.set(kind, after);
      if (after.result !== before.result) changed();
      // A startup probe that came to an end is not asked again; a run that failed it will be stopped.
      if (kind === 'startup' && after.result !== undefined) {
        if (after.result) whenSucceeded?.();
        return;
      }
    }
  }
}

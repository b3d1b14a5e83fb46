import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { keyOf } from '../../client/key.ts';
import { warnOfFailure } from '../../client/outage.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { isMirror } from '../../schemas/static-pods.ts';
import { mirrorOf, mirrorStatus, planMirrors, type MirrorStep } from './mirror-plan.ts';

const retryMs = { first: 1_000, longest: 60_000 } as const;

export interface MirrorsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly statics: () => readonly Pod[];
  /** The API's pods on this node that say they are mirrors. */
  readonly mirrors: () => readonly Pod[];
  readonly node: () => Node | undefined;
  /** Tells a warning of the node. */
  readonly report: (reason: string, message: string) => void;
}

/** Keeps the API's pictures of the node's static pods as the pods are. Whatever is done to a picture does nothing to the pod. */
export class Mirrors {
  readonly #options: MirrorsOptions;
  #wake = Promise.withResolvers<void>();
  /** What failed in the last round: it is told once. */
  #failures: ReadonlySet<string> = new Set();

  constructor(options: MirrorsOptions) {
    this.#options = options;
  }

  /** A pod, a mirror or the node has changed. */
  touch(): void {
    this.#wake.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let delayMs: number = retryMs.first;
    signal.addEventListener('abort', () => this.touch(), { once: true });
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const failed = await this.#once(signal);
      if (signal.aborted) return;
      if (failed) {
        const enough = new AbortController();
        void this.#wake.promise.then(() => enough.abort());
        await sleep(clock, delayMs, enough.signal);
        delayMs = Math.min(delayMs * 2, retryMs.longest);
      } else {
        delayMs = retryMs.first;
        await this.#wake.promise;
      }
    }
  }

  /** True where something has to be tried again. */
  async #once(signal: AbortSignal): Promise<boolean> {
    const { statics, mirrors, node, log, report } = this.#options;
    const failures = new Set<string>();
    for (const step of planMirrors({ statics: statics(), mirrors: mirrors(), node: node() })) {
      if (signal.aborted) return false;
      try {
        await this.#carryOut(step);
      } catch (error) {
        const { namespace = '', name = '' } = (step.do === 'delete' ? step.mirror : step.pod).metadata;
        const why = `the mirror of the static pod ${namespace}/${name} cannot be kept (${step.do}): ${error instanceof Error ? error.message : String(error)}`;
        failures.add(why);
        if (signal.aborted || this.#failures.has(why)) continue;
        warnOfFailure(log, 'a mirror pod cannot be kept', { pod: `${namespace}/${name}`, step: step.do, error });
        if (step.do === 'create') report('FailedMirrorPod', why);
      }
    }
    this.#failures = failures;
    return failures.size > 0;
  }

  async #carryOut(step: MirrorStep): Promise<void> {
    const pods = this.#options.client.of(Pod);
    switch (step.do) {
      case 'create': {
        const node = this.#options.node();
        if (node === undefined) return;
        try {
          await pods.create(mirrorOf(step.pod, node));
        } catch (error) {
          // The watch has not brought it yet, or another pod has the name.
          if (!isReason(error, 'AlreadyExists')) throw error;
          const there = await pods.find(keyOf(step.pod));
          if (there !== undefined && !isMirror(there)) throw new Error('another pod has the name', { cause: error });
        }
        return;
      }
      case 'delete':
        try {
          await pods.delete(keyOf(step.mirror), { gracePeriodSeconds: 0, preconditions: { uid: step.mirror.metadata.uid } });
        } catch (error) {
          if (!isReason(error, 'NotFound', 'Conflict')) throw error;
        }
        return;
      case 'tell':
        try {
          await pods.modifyStatus(keyOf(step.mirror), (draft) => {
            if (draft.metadata.uid !== step.mirror.metadata.uid) return;
            const status = mirrorStatus(step.pod, draft as Pod);
            if (!deepEqual(status, draft.status)) draft.status = status as typeof draft.status;
          }, { hint: step.mirror });
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error;
        }
        return;
      default:
    }
  }
}

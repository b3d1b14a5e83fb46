/**
 * Gets a container's image according to its pull policy.
 *
 * Kubernetes' `Always` fails when the registry cannot be reached, also for an image that is on the node. A node without
 * any registry would then run nothing that has no tag or `:latest`, so here such an image is used, with a warning; an
 * answer of the registry (not found, denied) still counts. A registry that did not answer is not asked again for a while
 * for images that are here, so that pods do not wait for it one after the other.
 */
import type { Clock } from '../base/clock.ts';
import type { PulledImages } from './pressure/pulled-images.ts';
import { RuntimeError, type ContainerRuntime, type ImageAuth, type ImageState } from './runtime/runtime.ts';

export interface ImageRequest {
  readonly image: string;
  readonly policy: 'Always' | 'IfNotPresent' | 'Never';
  /** Credentials that fit the image, tried in order. */
  readonly auths: readonly ImageAuth[];
  /** Told to the user as an event. */
  readonly report: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** The registry has this long to answer when the image is on the node; and is left alone this long when it did not. */
export const registryLimits = { answerMs: 5_000, leaveAloneMs: 60_000, longestPullMs: 30 * 60_000 } as const;

const unreachable = /no such host|dial tcp|connection refused|connection reset|i\/o timeout|network is unreachable|no route to host|handshake timeout|server misbehaving|temporary failure in name resolution|client\.timeout|context deadline exceeded|deadline exceeded|proxyconnect/i;

/** True when the words say that no registry answered, as opposed to one that refused. */
export const isUnreachable = (words: string): boolean => unreachable.test(words);

/** The registry of an image name: what stands before the first slash if it looks like a host. */
export const registryOf = (image: string): string => {
  const first = image.split('/')[0] ?? '';
  return image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io';
};

/** Always for `:latest` or no tag, else IfNotPresent: Kubernetes' default where the policy is not given. */
export const policyOf = (image: string, policy: string | undefined): ImageRequest['policy'] => {
  if (policy === 'Always' || policy === 'IfNotPresent' || policy === 'Never') return policy;
  const last = image.slice(image.lastIndexOf('/') + 1);
  return !image.includes('@') && (!last.includes(':') || last.endsWith(':latest')) ? 'Always' : 'IfNotPresent';
};

export class Images {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #leaveAloneUntilMs = new Map<string, number>();
  readonly #pulled: PulledImages;
  readonly #pulls = new Map<string, Promise<ImageState>>();

  constructor({ runtime, clock, pulled }: { readonly runtime: ContainerRuntime; readonly clock: Clock; readonly pulled: PulledImages }) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#pulled = pulled;
  }

  /** Resolves when the image is on the node. Rejects with RuntimeError ErrImagePull, ErrImageNeverPull or InvalidImageName. */
  async ensure(request: ImageRequest, signal: AbortSignal): Promise<void> {
    const { image, policy, report } = request;
    const id = await this.#runtime.findImage(image);
    const present = id !== undefined;
    if (present) this.#pulled.use([id]);
    if (policy === 'Never' && !present) throw new RuntimeError('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`);
    if (present && policy !== 'Always') {
      report('Normal', 'Pulled', `Container image "${image}" already present on machine`);
      return;
    }
    const registry = registryOf(image);
    if (present && (this.#leaveAloneUntilMs.get(registry) ?? 0) > this.#clock.now()) return this.#useLocal(request, `registry ${registry} did not answer a moment ago`);
    report('Normal', 'Pulling', `Pulling image "${image}"`);
    const startedMs = this.#clock.now();
    try {
      await this.#pullOnce(request, present, signal);
      report('Normal', 'Pulled', `Successfully pulled image "${image}" in ${((this.#clock.now() - startedMs) / 1000).toFixed(3)}s`);
    } catch (error) {
      if (signal.aborted || !(error instanceof RuntimeError) || error.reason !== 'ErrImagePull') throw error;
      if (isUnreachable(error.message)) {
        this.#leaveAloneUntilMs.set(registry, this.#clock.now() + registryLimits.leaveAloneMs);
        if (present) return this.#useLocal(request, error.message);
      }
      throw new RuntimeError('ErrImagePull', `Failed to pull image "${image}": ${error.message}`, { cause: error });
    }
  }

  #useLocal({ image, report }: ImageRequest, why: string): void {
    report('Warning', 'RegistryUnreachable', `Image "${image}" has pull policy Always but its registry cannot be reached; using the image that is present on machine: ${why}`);
  }

  /** Pods that want the same image at the same time with the same credentials share one pull. */
  #pullOnce(request: ImageRequest, present: boolean, signal: AbortSignal): Promise<ImageState> {
    const key = JSON.stringify([request.image, request.auths]);
    let pull = this.#pulls.get(key);
    if (pull === undefined) {
      pull = this.#pull(request, present).finally(() => this.#pulls.delete(key));
      this.#pulls.set(key, pull);
    }
    return abandonedBy(signal, pull);
  }

  async #pull({ image, auths }: ImageRequest, present: boolean): Promise<ImageState> {
    const before = await this.#runtime.images();
    let last: unknown;
    for (const auth of auths.length === 0 ? [undefined] : auths) {
      const abort = new AbortController();
      let answered = false;
      const cancels = [this.#clock.after(registryLimits.longestPullMs, () => abort.abort())];
      if (present) cancels.push(this.#clock.after(registryLimits.answerMs, () => {
        if (!answered) abort.abort();
      }));
      try {
        const pulled = await this.#runtime.pullImage(image, { auth, answered: () => { answered = true; } }, abort.signal);
        await this.#pulled.add(pulled, before);
        return pulled;
      } catch (error) {
        last = abort.signal.aborted ? new RuntimeError('ErrImagePull', answered ? 'the pull took too long' : 'i/o timeout: the registry did not answer', { cause: error }) : error;
      } finally {
        for (const cancel of cancels) cancel();
      }
    }
    throw last;
  }
}

/** The pull goes on for others when one who waits goes away. */
const abandonedBy = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => new Promise((resolve, reject) => {
  const leave = (): void => reject(new RuntimeError('ErrImagePull', 'the pull is not wanted any more'));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave)).catch(() => undefined);
});

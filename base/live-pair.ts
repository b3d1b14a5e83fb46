import type { CertificatePair } from './pki.ts';

/**
 * A certificate with its key that can be replaced while it is in use: who serves or connects with it listens, and takes the
 * new one for its next connections.
 */
export class LivePair {
  #current: CertificatePair | undefined;
  readonly #listeners = new Set<(pair: CertificatePair) => void>();

  constructor(current?: CertificatePair) {
    this.#current = current;
  }

  /** Undefined as long as none has been issued. */
  get current(): CertificatePair | undefined {
    return this.#current;
  }

  /** The pair in force. Throws where there is none yet. */
  get pair(): CertificatePair {
    if (this.#current === undefined) throw new Error('the certificate has not been issued yet');
    return this.#current;
  }

  replace(pair: CertificatePair): void {
    this.#current = pair;
    for (const listener of this.#listeners) listener(pair);
  }

  /** Called with each new pair. The returned function ends that. */
  onReplaced(listener: (pair: CertificatePair) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when there is a pair, or when the signal aborts. */
  async present(signal: AbortSignal): Promise<void> {
    if (this.#current !== undefined || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const off = this.onReplaced(() => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    off();
  }
}

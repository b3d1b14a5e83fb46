import { LiveValue } from './live-value.ts';
import type { CertificatePair } from './pki.ts';

/** A certificate with its key, which may have to be waited for first. */
export class LivePair extends LiveValue<CertificatePair | undefined> {
  /** The pair in force. Throws where there is none yet. */
  get pair(): CertificatePair {
    if (this.current === undefined) throw new Error('the certificate has not been issued yet');
    return this.current;
  }

  /** Resolves when there is a pair, or when the signal aborts. */
  async present(signal: AbortSignal): Promise<void> {
    if (this.current !== undefined || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const off = this.onReplaced(() => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    off();
  }
}

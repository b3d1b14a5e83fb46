import { X509Certificate } from 'node:crypto';
import { certificatesIn, signerAmong } from '../../../base/authorities.ts';
import { sleep } from '../../../base/clock.ts';
import type { Component, Surroundings } from '../../../base/component.ts';
import type { LivePair } from '../../../base/live-pair.ts';
import type { LiveValue } from '../../../base/live-value.ts';
import { createClient } from '../../../client/client.ts';
import { authorityAnnotation } from '../../../schemas/cluster-info.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { authorityHash } from '../join/join-token.ts';

export interface ReportOptions {
  readonly nodeName: string;
  readonly trust: LiveValue<string>;
  /** Every certificate of the node. */
  readonly pairs: readonly LivePair[];
}

const retryMs = 1_000;

/** Hash of the one trusted authority that has signed all of them; undefined where there is no such one. */
const authorityOf = ({ trust, pairs }: ReportOptions): string | undefined => {
  const trusted = certificatesIn(trust.current);
  const signers = pairs.map(({ current }) => (current === undefined ? undefined : signerAmong(trusted, new X509Certificate(current.cert))));
  const [first] = signers;
  return first !== undefined && signers.every((one) => one === first) ? authorityHash(first) : undefined;
};

/** Says in the Node which authority its certificates are from: who drops an authority must know who still needs it. */
export const createAuthorityReport = ({ transport, clock, log }: Surroundings, options: ReportOptions): Component => ({
  name: 'authority-report', after: ['agent'],
  run: async (signal, ready) => {
    const nodes = createClient(transport).of(Node);
    let said: string | undefined;
    ready();
    while (!signal.aborted) {
      const authority = authorityOf(options);
      if (authority === undefined || authority === said) {
        await replaced([options.trust, ...options.pairs], signal);
        continue;
      }
      try {
        await nodes.modify({ name: options.nodeName }, (draft) => {
          draft.metadata.annotations = { ...draft.metadata.annotations, [authorityAnnotation]: authority };
        });
        said = authority;
      } catch (error) {
        log.debug('the node could not say which authority its certificates are from, trying again', { error });
        await sleep(clock, retryMs, signal);
      }
    }
  },
});

/** Resolves when one of the values is replaced, or the signal aborts. */
const replaced = async (values: readonly { onReplaced(listener: () => void): () => void }[], signal: AbortSignal): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const off = values.map((value) => value.onReplaced(() => resolve()));
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
  for (const one of off) one();
};

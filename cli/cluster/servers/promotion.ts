/** How a worker becomes a server: an admin marks its Node, and the machine gets what a server needs with the node's own certificate. */
import { createServer } from 'node:net';
import { sleep } from '../../../base/clock.ts';
import type { Component, Surroundings } from '../../../base/component.ts';
import type { LiveValue } from '../../../base/live-value.ts';
import { createClient } from '../../../client/client.ts';
import type { HttpTransport } from '../../../client/http-transport.ts';
import { promotionAnnotation, readPromotionMark } from '../../../schemas/cluster-info.ts';
import { isReason } from '../../../schemas/errors.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { ConfigError, listenOf, type Given } from '../../config.ts';
import { fetchMaterial } from './join-server.ts';
import type { ServerFiles } from './server-files.ts';
import { ownSettings } from './server-settings.ts';

export interface PromotionOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Settings that the node was started with. */
  readonly given: Given;
  readonly trust: LiveValue<string>;
  readonly files: ServerFiles;
  /** Called when the machine is a server by what it keeps: the node ends, and begins again as a part of it. */
  readonly onPromoted: () => void;
}

const retryMs = 5_000;

/** Rejects where the server could not listen: it would not start, and the node would be gone with it. */
const requireFree = ({ host, port }: { readonly host: string; readonly port: number }): Promise<void> => new Promise((resolve, reject) => {
  const probe = createServer();
  probe.once('error', reject);
  probe.listen(port, host, () => probe.close(() => resolve()));
});

export const createPromotion = ({ transport, clock, log }: Surroundings & { readonly transport: HttpTransport }, options: PromotionOptions): Component => {
  const { nodeName, nodeIp, given, trust, files, onPromoted } = options;
  const become = async (listen: string, signal: AbortSignal): Promise<void> => {
    await requireFree(listenOf(listen));
    const material = await fetchMaterial(transport, { nodeName, ca: trust.current }, signal);
    await files.commit({ material, own: ownSettings(given, { listen, nodeName, nodeIp }) });
    log.info('this machine becomes a server of the cluster', { listen });
    onPromoted();
  };
  return {
    name: 'promotion', after: [],
    run: async (signal, ready) => {
      ready();
      const nodes = createClient(transport).of(Node);
      /** A mark of which nothing comes any more. */
      let done = '';
      while (!signal.aborted) {
        try {
          for await (const events of nodes.watch({ fieldSelector: `metadata.name=${nodeName}`, resourceVersion: '0' }, signal)) {
            for (const event of events) {
              const text = event.type === 'ADDED' || event.type === 'MODIFIED' ? event.object.metadata.annotations?.[promotionAnnotation] : undefined;
              if (text === undefined || text === done) continue;
              const mark = readPromotionMark(text);
              if (mark !== undefined && mark.untilMs > clock.now()) return await become(mark.listen, signal);
              done = text;
              log.warn(mark === undefined ? 'this node has a mark that is none of a server to be' : 'the mark by which this machine was to become a server has run out', { mark: text });
            }
          }
        } catch (error) {
          if (signal.aborted) return;
          // A server that is away, or that closes a watch, says nothing of promotion.
          if (!isReason(error, 'ServiceUnavailable', 'Expired')) log.warn('this machine cannot become a server; trying again as long as its node is marked', { error: error instanceof ConfigError ? error.message : error });
        }
        await sleep(clock, retryMs, signal);
      }
    },
  };
};

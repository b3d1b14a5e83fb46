/**
 * How a server becomes a worker: an admin marks its Node, and the machine makes of itself what a machine is that has joined. It has the
 * authority, so it needs no token and no other's word for its certificate. The moment at which it is a worker is that at which
 * `node/joined.json` appears; from there on what made it a server goes, as often as it takes.
 */
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../../base/clock.ts';
import type { Component, Surroundings } from '../../../base/component.ts';
import { issueCertificate } from '../../../base/pki.ts';
import { createClient } from '../../../client/client.ts';
import { demotionAnnotation, isDemoted } from '../../../schemas/cluster-info.ts';
import { isReason } from '../../../schemas/errors.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import type { ClusterConfig } from '../../config.ts';
import type { ControlPlane } from '../control-plane.ts';
import { readClusterInfo } from '../join/cluster-info.ts';
import { MembershipFiles } from '../join/membership.ts';
import { nodeUser } from '../part-users.ts';

export interface DemotionOptions {
  readonly config: Pick<ClusterConfig, 'dataDir' | 'nodeName' | 'certificateLifetimeMs'>;
  readonly nodeIp: string;
  /** Says of a node that its machine is a server. */
  readonly serverLabel: string;
  readonly controlPlane: Pick<ControlPlane, 'otherServers' | 'credentials'>;
  /** Called when the machine is a worker by what it keeps: the server ends, and its node goes on alone. */
  readonly onDemoted: () => void;
}

const retryMs = 5_000;
const dayMs = 86_400_000;

/** Works as the API server. */
export const createDemotion = ({ transport, clock, log }: Surroundings, { config, nodeIp, serverLabel, controlPlane, onDemoted }: DemotionOptions): Component => {
  const { dataDir, nodeName, certificateLifetimeMs } = config;
  const client = createClient(transport);
  const nodes = client.of(Node);

  /** False where no other server would be left. */
  const become = async (): Promise<boolean> => {
    const others = await controlPlane.otherServers();
    // Of two that are to go each sees the other's mark, and none goes.
    const marked = new Set((await nodes.list()).items.flatMap(({ metadata: { name = '', annotations } }) => (isDemoted(annotations?.[demotionAnnotation], clock.now()) ? [name] : [])));
    const hosts = others.filter(({ name }) => !marked.has(name)).map(({ endpoint: { address, port } }) => `${address.includes(':') ? `[${address}]` : address}:${port}`);
    if (hosts.length === 0) return false;
    const { trust, agent, authority } = controlPlane.credentials;
    const pair = await issueCertificate({
      ca: authority().signer, commonName: `${nodeUser.prefix}${nodeName}`, organizations: [nodeUser.group], usages: ['client'], lifetimeDays: certificateLifetimeMs / dayMs, nowMs: clock.now(),
    });
    const cluster = await readClusterInfo(client);
    // Before it is one: a server that starts again says anew what it is.
    await nodes.modify({ name: nodeName }, (draft) => {
      delete draft.metadata.labels?.[serverLabel];
    });
    await new MembershipFiles(dataDir).write({ server: `https://${hosts[0]}`, nodeName, nodeIp, cluster }, { ca: trust.current, client: pair, serving: agent.pair, servers: hosts });
    log.info('this machine becomes a worker of the cluster', { server: hosts[0] });
    onDemoted();
    return true;
  };

  return {
    name: 'demotion', after: [],
    run: async (signal, ready) => {
      ready();
      /** A mark of which nothing comes any more. */
      let done = '';
      const isNew = (text: string | undefined): text is string => text !== undefined && text !== done && isDemoted(text, clock.now());
      while (!signal.aborted) {
        try {
          for await (const events of nodes.watch({ fieldSelector: `metadata.name=${nodeName}`, resourceVersion: '0' }, signal)) {
            for (const event of events) {
              const text = event.type === 'ADDED' || event.type === 'MODIFIED' ? event.object.metadata.annotations?.[demotionAnnotation] : undefined;
              if (!isNew(text)) continue;
              if (await become()) return;
              done = text;
              log.warn('this machine stays a server: no other one would be left, or none that other machines reach');
            }
          }
        } catch (error) {
          if (signal.aborted) return;
          if (!isReason(error, 'ServiceUnavailable', 'Expired')) log.warn('this machine cannot become a worker; trying again as long as its node is marked', { error });
        }
        await sleep(clock, retryMs, signal);
      }
    },
  };
};

const exists = (file: string): Promise<boolean> => access(file).then(() => true, () => false);

/** Takes away what made a machine a server that has become a worker, the keys of the cluster last; does nothing to any other. */
export const finishDemotion = async ({ dataDir, kubeconfig }: Pick<ClusterConfig, 'dataDir' | 'kubeconfig'>): Promise<void> => {
  const at = (...names: readonly string[]): string => join(dataDir, ...names);
  // A worker that becomes a server has its node/ until joining.json goes.
  if (!await exists(at('node', 'joined.json')) || await exists(at('server', 'joining.json')) || !await exists(at('pki', 'ca.key'))) return;
  await rm(kubeconfig, { force: true });
  for (const name of ['server', 'store.json', 'admin.kubeconfig', 'pki']) await rm(at(name), { recursive: true, force: true });
};

/** Servers as a client sees them: by their leases; and the marks on Nodes by which machines become servers, or workers again. */
import type { ApiObject } from '../../schemas/kind.ts';
import type { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { serverLeaseNamespace, serverLeaseSelector } from '../cluster/server-leases.ts';
import type { World } from '../command.ts';
import type { Session } from '../session.ts';

export const nodeAt = (name: string) => ({ group: '', version: 'v1', resource: 'nodes', name }) as const;

/** The collection of leases in which servers say that they are there. */
export const leasesOfServers = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace: serverLeaseNamespace } as const;

export const listServers = async ({ api }: Session, signal: AbortSignal): Promise<readonly ApiObject[]> =>
  (await api.list(leasesOfServers, { labelSelector: serverLeaseSelector }, signal)).items;

/** Servers renew their leases every 5 s, and a machine may wait for a renewal of each other one; what is left is for the way to them. */
const slackMs = 15_000;

/** How long a mark is good that is waited for so long, by the servers' clocks, to which it is held. Unix milliseconds. */
export const markedUntilMs = (servers: readonly ApiObject[], timeoutMs: number, { clock }: Pick<World, 'clock'>): number => {
  const renewed = (servers as readonly Lease[]).map(({ spec }) => Date.parse(spec?.renewTime ?? '')).filter((atMs) => !Number.isNaN(atMs));
  return (renewed.length === 0 ? clock.now() : Math.max(...renewed)) + timeoutMs + slackMs;
};

/** Gives a node the mark, or takes it away where the value is null. */
export const markNode = async ({ api }: Session, name: string, { annotation, value }: { readonly annotation: string; readonly value: string | null }, signal?: AbortSignal): Promise<void> => {
  await api.send({ ...nodeAt(name), verb: 'patch', patchType: 'merge', body: { metadata: { annotations: { [annotation]: value } } }, options: { fieldManager: 'barge-node' } }, signal);
};

/** Which nodes are servers too, and which of these leads, in the words of `docker node ls`. */
import { isReason } from '../../schemas/errors.ts';
import type { Lease } from '../../schemas/kinds/coordination/lease.ts';
import type { TableColumn, TableRow } from '../api.ts';
import { leaseOf } from '../cluster/elected.ts';
import { serverOf } from '../cluster/server-leases.ts';
import type { Collected } from '../get-tables.ts';
import type { Session } from '../session.ts';
import { leasesOfServers, listServers } from './servers.ts';

export type ManagerStatus = 'Leader' | 'Reachable' | 'Unreachable' | '';

export interface ServersSeen {
  /** Of the servers; none where the cluster has one server, with its objects in a file. */
  readonly leases: readonly Lease[];
  /** Who holds the lease of the controllers. */
  readonly holder: string;
  readonly nowMs: number;
}

/** Agents of servers say so of their nodes. */
const serverLabel = 'node-role.kubernetes.io/control-plane';

/** The leader is the server whose controllers work. A server that renews its lease no more is soon without one. */
export const managerStatusOf = ({ name, labels = {} }: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined }, { leases, holder, nowMs }: ServersSeen): ManagerStatus => {
  const lease = leases.find((one) => serverOf(one) === name);
  if (lease === undefined && labels[serverLabel] === undefined) return '';
  if (leases.length === 0) return 'Leader';
  const { renewTime = '', leaseDurationSeconds = 0 } = lease?.spec ?? {};
  if (!(nowMs < Date.parse(renewTime) + leaseDurationSeconds * 1_000)) return 'Unreachable';
  return holder.slice(0, holder.lastIndexOf('_')) === name ? 'Leader' : 'Reachable';
};

const column: TableColumn = { name: 'Manager Status', type: 'string' };

/** Puts the column behind that of the roles. Who may not read the leases gets the tables as they are. */
export const withManagerStatus = async (session: Session, found: readonly Collected[], { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal }): Promise<readonly Collected[]> => {
  let seen: ServersSeen;
  try {
    const [leases, leading] = await Promise.all([listServers(session, signal), session.api.find({ ...leasesOfServers, name: leaseOf('controllers').name }, signal)]);
    seen = { leases: leases as readonly Lease[], holder: (leading as Lease | undefined)?.spec?.holderIdentity ?? '', nowMs };
  } catch (error) {
    if (isReason(error, 'Forbidden')) return found;
    throw error;
  }
  return found.map((one) => {
    const [columnDefinitions, rows] = [one.table.columnDefinitions ?? [], one.table.rows ?? []];
    const place = columnDefinitions.findIndex(({ name }) => name === 'Roles') + 1 || columnDefinitions.length;
    const status = ({ cells, object }: TableRow): ManagerStatus => managerStatusOf({ name: object?.metadata.name ?? String(cells[0]), labels: object?.metadata.labels }, seen);
    return { ...one, table: { ...one.table, columnDefinitions: columnDefinitions.toSpliced(place, 0, column), rows: rows.map((row) => ({ ...row, cells: row.cells.toSpliced(place, 0, status(row)) })) } };
  });
};

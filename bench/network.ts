/**
 * What the network between pods of two nodes costs beside the bare links under it, in one run: machines, links and pods are
 * network namespaces of this machine, so there is no wire and all that is measured is the work of the kernel. Each row is
 * measured once in each round, in turn, and the table has medians. As root.
 *
 * usage: node bench/network.ts [ROUNDS [SECONDS]]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { must } from '../test/helpers/e2e.ts';
import { PodLab, podIp } from '../test/helpers/pod-lab.ts';
import type { Measured } from './network-peer.ts';
import { median, table } from './table.ts';

const [rounds = 5, seconds = 2] = process.argv.slice(2).map(Number);
const port = 9_000;
const peer = join(import.meta.dirname, 'network-peer.ts');

const lab = await PodLab.open('bench');
const servers: ChildProcess[] = [];

const serve = async (machine: string): Promise<void> => {
  const server = spawn(...lab.net.at(machine, process.execPath, [peer, 'serve', String(port)]), { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(server);
  await once(server.stdout!, 'data');
};
const measure = async (from: string, host: string): Promise<Measured> =>
  JSON.parse(await must(...lab.net.at(from, process.execPath, [peer, 'measure', host, String(port), String(seconds)]))) as Measured;

interface Row { readonly name: string; readonly direct: boolean; readonly from: string; readonly host: string; readonly bare?: string }
const rows: readonly Row[] = [
  { name: 'link, machine to machine', direct: true, from: 'n1', host: lab.net.ip('n2') },
  { name: 'link, pod to pod, straight', direct: true, from: lab.pod('n1'), host: podIp('n2'), bare: 'link, machine to machine' },
  { name: 'link, pod to pod, VXLAN', direct: false, from: lab.pod('n1'), host: podIp('n2'), bare: 'link, machine to machine' },
  { name: 'router, machine to machine', direct: true, from: 'n1', host: lab.net.ip('n3') },
  { name: 'router, pod to pod, VXLAN', direct: true, from: lab.pod('n1'), host: podIp('n3'), bare: 'router, machine to machine' },
];

try {
  for (const machine of ['n2', 'n3'] as const) {
    await serve(machine);
    await serve(lab.pod(machine));
  }
  const found = new Map<string, Measured[]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const direct of [true, false]) {
      await lab.joinAll({ direct });
      for (const row of rows) if (row.direct === direct) found.get(row.name)!.push(await measure(row.from, row.host));
    }
  }
  const middle = (name: string, of: (one: Measured) => number): number => median(found.get(name)!.map(of));
  const cell = ({ name, bare }: Row, of: (one: Measured) => number, digits = 0): string => {
    const value = middle(name, of);
    return bare === undefined ? value.toFixed(digits) : `${value.toFixed(digits)} (${(value / middle(bare, of) * 100).toFixed(0)} %)`;
  };
  table(['way', 'MB/s, one stream', 'round trip, median us', 'round trip, p99 us', 'connections a second'], rows.map((row) => [
    row.name, cell(row, (one) => one.megabytesPerSecond), cell(row, (one) => one.roundTripUs.median), cell(row, (one) => one.roundTripUs.p99), cell(row, (one) => one.connectionsPerSecond),
  ]));
} finally {
  for (const server of servers) server.kill('SIGTERM');
  await lab.close();
}

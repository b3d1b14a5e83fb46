/**
 * barge beside Docker's Swarm mode, as root: three engines on three machines (network namespaces on one link), the same image,
 * the defaults of each; barge out of a package, as users install it. Each side has three fresh engines in each round, in turn;
 * the table has medians of the rounds. What runs is asked of the orchestrator's own API, 20 times a second on both sides. Before
 * each row the machines come to rest: no engine has another container for ten seconds.
 *
 * usage: node bench/swarm.ts [ROUNDS]
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectDocker } from '../kubelet-lite/runtime/docker-client.ts';
import { NodeLab } from '../test/helpers/node-lab.ts';
import { barge } from './orchestrators/barge.ts';
import { images, machines, type Copy, type Orchestrator } from './orchestrators/orchestrator.ts';
import { swarmMode } from './orchestrators/swarm-mode.ts';
import { packedBarge } from './packed.ts';
import { residentMb } from './processes.ts';
import { median, table } from './table.ts';

const rounds = Number(process.argv[2] ?? 3);
const restMs = 10_000;
/** What is resident after so long is what stays: runtimes give back what a burst left over when they have been at rest. */
const memoryRestMs = 150_000;
const longestMs = 300_000;

/** There is no registry here: tasks take the image that is there, as pods do. */
process.env['DOCKER_SERVICE_PREFER_OFFLINE_IMAGE'] = '1';

const folder = await mkdtemp(join(tmpdir(), 'barge-swarm-'));
process.once('exit', () => void rmSync(folder, { recursive: true, force: true }));
const program = await packedBarge(folder);

type Found = Map<string, number>;

class Measured {
  readonly #lab: NodeLab;
  readonly #side: Orchestrator;
  readonly found: Found = new Map();

  constructor(lab: NodeLab, side: Orchestrator) {
    this.#lab = lab;
    this.#side = side;
  }

  /** Seconds from the beginning of the work until the copies are as wanted. */
  async seconds(row: string, work: () => Promise<void>, wanted: (copies: readonly Copy[]) => boolean): Promise<void> {
    await this.#rest();
    const from = performance.now();
    await work();
    for (;;) {
      const copies = await this.#side.running();
      if (wanted(copies)) break;
      if (performance.now() - from > longestMs) throw new Error(`${row}: not in ${longestMs / 1000} s; there are ${JSON.stringify(copies)}`);
      await delay(50);
    }
    this.found.set(row, (performance.now() - from) / 1000);
  }

  async created(count: number): Promise<void> {
    await this.seconds(`${count} running`, () => this.#side.create(count), ({ length }) => length === count);
  }

  async removed(): Promise<void> {
    await this.#side.remove();
    while ((await this.#side.running()).length > 0) await delay(50);
  }

  /** An update of ten under the callers' load. */
  async updated(first: 'start' | 'stop'): Promise<void> {
    const row = `update of 10, two at a time, ${first} first`;
    const image = (await this.#side.running())[0]!.image === images[0] ? images[1] : images[0];
    const before = await this.#calls();
    await this.seconds(row, () => this.#side.update(image, first), (copies) => copies.length === 10 && copies.every((copy) => copy.image === image));
    // The last old ones end, and calls to them.
    await this.#rest();
    const after = await this.#calls();
    this.found.set(`${row}: failed of 1,000 calls`, (after.failed - before.failed) / (after.calls - before.calls) * 1000);
  }

  async replaced(): Promise<void> {
    const [copy] = await this.#side.running();
    await this.seconds('killed, replaced', async () => void await this.#lab.docker(copy!.machine, 'kill', copy!.container), (copies) => copies.length === 10 && copies.every(({ container }) => container !== copy!.container));
  }

  /** What orchestrating adds to the resident memory of a machine's engine, and barge's own process where there is one. */
  async memory(row: string, machine: string, engineBeforeMb: number): Promise<void> {
    const { engine, barge: agent } = this.#lab.processes(machine);
    this.found.set(row, await residentMb(engine) - engineBeforeMb + (agent === undefined ? 0 : await residentMb(agent)));
  }

  async call(): Promise<void> {
    await this.#side.call();
    const deadlineMs = performance.now() + longestMs;
    while (!await this.#calls().then(({ calls, failed }) => calls > failed + 10, () => false)) {
      if (performance.now() > deadlineMs) throw new Error('the callers have no answers');
      await delay(500);
    }
  }

  async #calls(): Promise<{ readonly calls: number; readonly failed: number }> {
    let [calls, failed] = [0, 0];
    for (const machine of machines) {
      const caller = (await this.#lab.docker(machine, 'ps', '-q', '--filter', 'name=caller', '--filter', 'ancestor=barge/hello:1'));
      const [some, bad] = (await this.#lab.docker(machine, 'exec', caller, 'cat', '/tmp/calls')).split(' ').map(Number);
      calls += some!;
      failed += bad!;
    }
    return { calls, failed };
  }

  async #rest(): Promise<void> {
    const containers = async (): Promise<string> => (await Promise.all(machines.map(async (name) =>
      (await connectDocker(this.#lab.engineAt(name)).listContainers({ all: true })).map(({ Id, State }) => `${Id} ${State}`).toSorted().join()))).join();
    let last = await containers();
    for (let sinceMs = performance.now(); performance.now() - sinceMs < restMs;) {
      await delay(500);
      const now = await containers();
      if (now !== last) sinceMs = performance.now();
      last = now;
    }
  }
}

/** All rows, or those that need no network between machines. */
type Extent = 'all' | 'one machine';

const measure = async (open: (lab: NodeLab) => Orchestrator, extent: Extent): Promise<Found> => {
  const lab = await NodeLab.open({ label: 'swarm', nodes: machines.map((name) => ({ name, link: 'a' })), program });
  const side = open(lab);
  try {
    await lab.net.openToHere();
    const measured = new Measured(lab, side);
    const enginesMb = await Promise.all([machines[0], machines[1]].map((name) => residentMb(lab.processes(name).engine)));
    await side.begin();
    // The first one pays for what is loaded and compiled.
    await side.create(1);
    while ((await side.running()).length < 1) await delay(50);
    await measured.removed();
    for (const count of [1, 30, 10]) {
      await measured.created(count);
      if (count !== 10) await measured.removed();
    }
    await measured.replaced();
    await measured.seconds('10 to 30', () => side.scale(30), ({ length }) => length === 30);
    if (extent === 'one machine') return measured.found;
    await delay(memoryRestMs);
    await measured.memory('MB on the first machine', machines[0], enginesMb[0]!);
    await measured.memory('MB on another machine', machines[1], enginesMb[1]!);
    await side.scale(10);
    while ((await side.running()).length !== 10) await delay(50);
    await measured.call();
    await measured.updated('start');
    await measured.updated('stop');
    const lost = machines[2];
    await measured.seconds('machine lost, 10 on the others', () => lab.net.cut(lost), (copies) => copies.filter(({ machine }) => machine !== lost).length === 10);
    return measured.found;
  } finally {
    await side.end().catch((error: unknown) => void process.stderr.write(`${String(error)}\n`));
    await lab.close();
  }
};

const sides = [
  { title: 'barge', open: barge, extent: 'all' },
  { title: 'Swarm, overlay', open: swarmMode({ network: 'overlay' }), extent: 'all' },
  { title: 'Swarm, bridge, no restart delay', open: swarmMode({ network: 'bridge', restartDelaySeconds: 0 }), extent: 'one machine' },
] as const;

const found = new Map<string, Found[]>(sides.map(({ title }) => [title, []]));
for (let round = 0; round < rounds; round++) {
  // In turns, so that no side is always the first.
  for (const { title, open, extent } of round % 2 === 0 ? sides.toReversed() : sides) {
    found.get(title)!.push(await measure(open, extent));
    process.stderr.write(`round ${round + 1}, ${title}: ${JSON.stringify(Object.fromEntries(found.get(title)!.at(-1)!))}\n`);
  }
}

const middle = (title: string, row: string): number | undefined => {
  const values = found.get(title)!.flatMap((one) => one.get(row) ?? []);
  return values.length === 0 ? undefined : median(values);
};
const [ours, ...peers] = sides.map(({ title }) => title) as [string, ...string[]];
table(['what', ours, ...peers.flatMap((peer) => [peer, 'ratio'])], [...found.get(ours)![0]!.keys()].map((row) => {
  const own = middle(ours, row)!;
  return [row, own.toFixed(2), ...peers.flatMap((peer) => {
    const value = middle(peer, row);
    return value === undefined ? ['', ''] : [value.toFixed(2), value === 0 ? '' : (own / value).toFixed(2)];
  })];
}));
process.exit(0);

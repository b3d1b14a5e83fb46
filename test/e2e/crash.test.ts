/** kill -9 of the whole process under load, several times: what was acknowledged is there, what was refused is not, and readers that go on from where they were miss nothing. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { createClient, type Client } from '../../client/client.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { createInformers } from '../../client/informers.ts';
import { connectionOf, loadKubeconfig } from '../../client/kubeconfig.ts';
import { isReason } from '../../schemas/errors.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { E2eCluster, within } from '../helpers/e2e.ts';
import { namespace, stateOf, WatchLedger, WriteLedger } from '../helpers/write-ledger.ts';

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const clientOf = async (kubeconfig: string): Promise<Client> =>
  createClient(createHttpTransport((await connectionOf(await loadKubeconfig({ named: kubeconfig, env: {} }))).connection));

/** Follows the config maps through every restart: watches on from the last change seen, and lists anew only when told to. */
const follow = async (client: Client, ledger: WatchLedger, signal: AbortSignal): Promise<void> => {
  const configMaps = client.of(ConfigMap);
  let mustList = true;
  while (!signal.aborted) {
    try {
      if (mustList) ledger.listed((await configMaps.list({ namespace })).metadata.resourceVersion!);
      mustList = false;
      for await (const events of configMaps.watch({ namespace, resourceVersion: ledger.after }, signal)) {
        for (const event of events) if (event.type !== 'BOOKMARK') ledger.saw(event.type, event.object);
      }
    } catch (error) {
      if (isReason(error, 'Expired')) mustList = true;
      else if (!isReason(error, 'ServiceUnavailable')) throw error;
      await delay(20);
    }
  }
};

test('acknowledged writes outlive kill -9, at every moment', async (t) => {
  const kills = 6;
  const dataDir = await mkdtemp(join(tmpdir(), 'barge-e2e-'));
  // One address for the whole life of the cluster, so that clients go on after each restart.
  const options = { dataDir, args: ['--no-agent', '--listen', `127.0.0.1:${await freePort()}`] };
  let cluster = await E2eCluster.start(options);
  t.teardown(() => cluster.remove());
  const client = await clientOf(cluster.kubeconfig);
  const configMaps = client.of(ConfigMap);

  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const watched = new WatchLedger();
  const following = follow(client, watched, stop.signal);
  const informers = createInformers({ client, clock: systemClock, log: silentLog, random: Math.random });
  const informer = informers.informer(ConfigMap, { namespace });
  const informing = informers.run(stop.signal);

  const writers = Array.from({ length: 16 }, (_, index) => new WriteLedger(`writer${index}`));
  const acknowledged = (): number => writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  let highest = 0;
  for (let kill = 0; kill < kills; kill++) {
    const writing = Promise.all(writers.map((writer) => writer.write(configMaps)));
    await delay(300 + 130 * kill);
    await within(60, () => assert.ok(acknowledged() > 50 * (kill + 1), `only ${acknowledged()} writes were acknowledged`), 20);
    await cluster.end('SIGKILL');
    await writing;
    cluster = await E2eCluster.start(options);
    const list = await configMaps.list({ namespace });
    const byName = new Map(list.items.map((object) => [object.metadata.name ?? '', object]));
    for (const writer of writers) writer.compare(byName);
    highest = Math.max(highest, ...writers.map((writer) => writer.highestRevision));
    t.true(Number(list.metadata.resourceVersion) >= highest, `the revision went back from ${highest} to ${list.metadata.resourceVersion}`);
  }
  t.deepEqual(writers.flatMap((writer) => writer.wrongs), []);

  // A last change that every reader must get to.
  const last = await configMaps.create({ metadata: { name: 'last', namespace }, data: { value: 'last' } });
  await within(60, () => {
    if (watched.after !== last.metadata.resourceVersion) throw new Error(`the watch stands at ${watched.after}`);
    if (informer.get({ name: 'last', namespace }) === undefined) throw new Error(`the informer stands at ${informer.revision}, which is before ${last.metadata.resourceVersion}`);
  });
  const final = await configMaps.list({ namespace });
  const states = (objects: readonly Parameters<typeof stateOf>[0][]): readonly unknown[] => objects.map((one) => [one.metadata.name, stateOf(one)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  t.deepEqual(states(informer.list(namespace)), states(final.items));
  t.deepEqual(watched.wrongs, []);
  t.true(watched.events > 100);
  t.log(`${acknowledged()} writes acknowledged, ${watched.events} events seen, ${watched.relists} lists, ${kills} kills`);

  stop.abort();
  await Promise.all([following, informing]);
  t.true(await cluster.end() < 5);
});

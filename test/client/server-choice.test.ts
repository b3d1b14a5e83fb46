import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../base/clock.ts';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { ServerChoice, type ServerAddress } from '../../client/server-choice.ts';
import { isReason } from '../../schemas/errors.ts';
import { seededRandom } from '../helpers/api.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name): ServerAddress => ({ url: `https://${name}:6443` })) as [ServerAddress, ServerAddress, ServerAddress];

test('it stays with a server that answers, and tries each of the others before one again', (t) => {
  const clock = new FakeClock();
  const choice = new ServerChoice({ first: a, clock, random: seededRandom(1) });
  let moves = 0;
  choice.onMoved(() => void moves++);
  choice.failed(a, 'unreachable');
  t.is(choice.current, a, 'there is no other');
  choice.know([a, b, c]);
  t.is(choice.current, a);
  choice.failed(a, 'unreachable');
  const second = choice.current;
  t.not(second, a);
  choice.failed(a, 'unreachable');
  t.is(choice.current, second, 'what was under way at the one before says nothing of this one');
  choice.failed(second, 'unreachable');
  t.deepEqual(new Set([a, second, choice.current]), new Set([a, b, c]));
  choice.failed(choice.current, 'unreachable');
  t.is(moves, 3);
  choice.answered(choice.current);

  choice.know([]);
  t.true(choice.hasOthers, 'no news');
  const user = new ServerChoice({ first: a, named: [b], clock, random: () => 0 });
  user.know([c]);
  t.deepEqual(user.known.map(({ url }) => url).sort(), [a, b, c].map(({ url }) => url), 'what the user named stays');
  choice.know([c]);
  for (let n = 0; n < 4; n++) {
    choice.failed(choice.current, 'unreachable');
    t.true([a, c].includes(choice.current), 'the one that the user named stays');
  }
});

test('clients of a server that is lost spread over the rest, and not at one moment', async (t) => {
  const clock = new FakeClock();
  const random = seededRandom(7);
  const clients = Array.from({ length: 200 }, () => new ServerChoice({ first: a, others: [b, c], clock, random }));
  const begun: number[] = [];
  for (const client of clients) {
    client.failed(a, 'unreachable');
    void client.ready(undefined).then(() => begun.push(clock.now()));
  }
  t.true(clients.filter(({ current }) => current === b).length > 70);
  t.true(clients.filter(({ current }) => current === c).length > 70);
  const startMs = clock.now();
  await clock.advance(1_000);
  t.is(begun.length, 200);
  for (const part of [0, 1, 2, 3]) t.true(begun.filter((at) => Math.floor((at - startMs) / 250) === part || (part === 3 && at - startMs === 1_000)).length > 20);
});

test('a server that is slow is left, but not twice in a short time', async (t) => {
  const clock = new FakeClock();
  const choice = new ServerChoice({ first: a, others: [b], clock, random: () => 0 });
  choice.failed(a, 'slow');
  t.is(choice.current, b);
  choice.failed(b, 'slow');
  t.is(choice.current, b);
  await clock.advance(30_000);
  choice.failed(b, 'slow');
  t.is(choice.current, a);
});

const nowMs = Date.now();

/** A server of the loopback that says its name; null never answers. */
const serve = async (t: ExecutionContext, pair: CertificatePair, name: string | null) => {
  let asked = 0;
  const server: Server = createServer(pair, (_request, response) => {
    asked++;
    if (name !== null) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ kind: 'Lease', apiVersion: 'v1', metadata: { name } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  t.teardown(close);
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, close, asked: () => asked };
};

const lease = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace: 'n', name: 'n', verb: 'get' } as const;
const pod = { group: '', version: 'v1', resource: 'pods', namespace: 'n', name: 'p', verb: 'get' } as const;

const certificates = async () => {
  const ca = await createCa({ commonName: 'barge-ca', lifetimeDays: 2, nowMs });
  const issue = (names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] }) => issueCertificate({ ca, commonName: 'x', usages: ['server'], lifetimeDays: 1, nowMs, ...names });
  return { ca: ca.cert, byAddress: await issue({ ipAddresses: ['127.0.0.1'] }), byName: await issue({ dnsNames: ['kubernetes.default.svc'] }) };
};

test('a transport goes on at another server when its own is lost, whose certificate must say that it is one', async (t) => {
  const { ca, byAddress, byName } = await certificates();
  const first = await serve(t, byAddress, 'first');
  // A node has a certificate for its address, from the same authority.
  const node = await serve(t, byAddress, 'node');
  const second = await serve(t, byName, 'second');
  const servers = new ServerChoice({ first: { url: first.url }, others: [node, second].map(({ url }) => ({ url, tlsServerName: 'kubernetes.default.svc' })), clock: systemClock, random: () => 0 });
  const transport = createHttpTransport({ server: first.url, servers, ca });
  t.teardown(() => transport.close());
  const who = async (request: typeof lease | typeof pod): Promise<string | undefined> => ((await transport.send(request)).body as { metadata: { name?: string } }).metadata.name;
  t.is(await who(pod), 'first');
  first.close();
  // A sign of life finds its way at once.
  t.is(await who(lease), 'second');
  await eventually(async () => assert.equal(await who(pod), 'second'));
  t.is(servers.current.url, second.url);
  t.is(node.asked(), 0);
});

test('a server that takes connections and does not answer signs of life is left, and what is under way there ends', async (t) => {
  const { ca, byAddress, byName } = await certificates();
  const stuck = await serve(t, byAddress, null);
  const second = await serve(t, byName, 'second');
  const servers = new ServerChoice({ first: { url: stuck.url }, others: [{ url: second.url, tlsServerName: 'kubernetes.default.svc' }], clock: systemClock, random: () => 0 });
  const transport = createHttpTransport({ server: stuck.url, servers, ca });
  t.teardown(() => transport.close());
  const [waiting, watching] = [transport.send(pod), (async () => { for await (const _events of transport.watch({ ...pod, verb: 'watch' }, new AbortController().signal)) t.fail(); })()];
  t.like((await transport.send(lease)).body, { metadata: { name: 'second' } });
  for (const one of [waiting, watching]) t.true(isReason(await t.throwsAsync(one), 'ServiceUnavailable'));
  t.like((await transport.send(pod)).body, { metadata: { name: 'second' } });
});

test('who goes to another server of his own accord waits for answers that are under way, and begins his watches anew there', async (t) => {
  const { ca, byAddress, byName } = await certificates();
  const slow = await serve(t, byAddress, null);
  const second = await serve(t, byName, 'second');
  const target = { url: second.url, tlsServerName: 'kubernetes.default.svc' };
  const servers = new ServerChoice({ first: { url: slow.url }, others: [target], clock: systemClock, random: () => 0 });
  const transport = createHttpTransport({ server: slow.url, servers, ca });
  t.teardown(() => transport.close());
  let ended = false;
  const [waiting, watching] = [transport.send(pod).finally(() => { ended = true; }), (async () => { for await (const _events of transport.watch({ ...pod, verb: 'watch' }, new AbortController().signal)) t.fail(); })()];
  await eventually(() => assert.equal(slow.asked(), 2));
  const moves: unknown[] = [];
  servers.onMoved((why, before) => moves.push([why, before.url]));
  servers.goTo(target);
  t.deepEqual(moves, [['spread', slow.url]]);
  t.true(isReason(await t.throwsAsync(watching), 'ServiceUnavailable'));
  t.like((await transport.send(pod)).body, { metadata: { name: 'second' } });
  t.false(ended);
  slow.close();
  await t.throwsAsync(waiting);
});

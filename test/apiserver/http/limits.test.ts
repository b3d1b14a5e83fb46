import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import test from 'ava';
import { WebSocket } from 'ws';
import { defaultInFlight } from '../../../apiserver/http/in-flight.ts';
import { requestTimeoutMs } from '../../../apiserver/http/request-timeout.ts';
import { createClient } from '../../../client/client.ts';
import { createHttpTransport } from '../../../client/http-transport.ts';
import { isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { httpsApi, type Answer, type HttpsApi, type HttpsApiOptions } from '../../helpers/https-api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const tight = { ...defaultInFlight, mutating: 2, mutatingPerUser: 1, readingPerUser: 5, longRunningPerUser: 1, waitingPerUser: 1, waitMs: 30_000 };
const everybody = { authorize: () => undefined };
const robot = { as: null, headers: { authorization: 'Bearer t0ken' } } as const;

const openApi = async (t: { teardown(run: () => Promise<void>): void }, options: HttpsApiOptions): Promise<HttpsApi> => {
  const api = await httpsApi({ authorizer: everybody, ...options });
  t.teardown(() => api.close());
  return api;
};

/** A create whose body does not come to its end until `finish`. */
const held = async (api: HttpsApi, name: string, as: 'bob' | 'admin' = 'bob'): Promise<{ readonly socket: TLSSocket; finish(): Promise<string> }> => {
  const socket = await api.raw(as);
  const body = JSON.stringify({ metadata: { name } });
  let reply = '';
  socket.on('data', (chunk: Buffer) => { reply += chunk.toString(); });
  socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 3)}`);
  return {
    socket,
    finish: async () => {
      socket.write(body.slice(3));
      await once(socket, 'close');
      return reply;
    },
  };
};

const sample = async (api: HttpsApi, name: string, labels: Readonly<Record<string, string>>): Promise<number> => {
  const { text } = await api.call('/metrics');
  const line = text.split('\n').find((one) => one.startsWith(name) && Object.entries(labels).every(([label, value]) => one.includes(`${label}="${value}"`)));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
};

/** Waits until a number is what it should be; an assertion that fails first would fail the test. */
const becomes = (look: () => number | Promise<number>, wanted: number): Promise<void> => eventually(async () => {
  const found = await look();
  if (found !== wanted) throw new Error(`${found} where ${wanted} was to be`);
});

const running = (api: HttpsApi, kind: string) => sample(api, 'apiserver_current_inflight_requests', { request_kind: kind });
const waiting = (api: HttpsApi, kind: string) => sample(api, 'apiserver_current_inqueue_requests', { request_kind: kind });

const isTooMany = (t: { is(a: unknown, b: unknown, message?: string): unknown; like(a: unknown, b: object): unknown }, answer: Answer, seconds: number): void => {
  t.is(answer.headers['retry-after'], String(seconds));
  t.like(answer.json(), { kind: 'Status', status: 'Failure', reason: 'TooManyRequests', code: 429, details: { retryAfterSeconds: seconds } });
};

test('a user who has too much under way waits, then is refused; another is not held up', async (t) => {
  const api = await openApi(t, { limits: { inFlight: tight } });
  const first = await held(api, 'first');
  await becomes(async () => await running(api, 'mutating'), 1);
  const second = api.call(configMaps, { as: 'bob', body: { metadata: { name: 'second' } } });
  await becomes(async () => await waiting(api, 'mutating'), 1);
  isTooMany(t, await api.call(configMaps, { as: 'bob', body: { metadata: { name: 'third' } } }), 1);
  t.is((await api.call(`${configMaps}/none`, { as: 'bob' })).code, 404, 'reads have room of their own');
  t.is((await api.call(configMaps, { ...robot, body: { metadata: { name: 'other' } } })).code, 201);
  t.regex(await first.finish(), /^HTTP\/1\.1 201 /);
  t.is((await second).code, 201);
  t.is(await sample(api, 'apiserver_dropped_requests_total', { request_kind: 'mutating' }), 1);
  t.is(await running(api, 'mutating'), 0);
});

test('administrators and the components of barge get in when everything is full', async (t) => {
  const api = await openApi(t, { limits: { inFlight: { ...tight, mutating: 1, waitingPerUser: 0 } } });
  const first = await held(api, 'first');
  await becomes(async () => await running(api, 'mutating'), 1);
  isTooMany(t, await api.call(configMaps, { ...robot, body: { metadata: { name: 'refused' } } }), 1);
  t.is((await api.call(configMaps, { body: { metadata: { name: 'admin' } } })).code, 201);
  const impersonate = (user: string, group: string) => ({ ...robot, headers: { ...robot.headers, 'impersonate-user': user, 'impersonate-group': group } });
  t.is((await api.call(configMaps, { ...impersonate('system:node:n1', 'system:nodes'), body: { metadata: { name: 'node' } } })).code, 201);
  t.is((await api.call('/readyz', { as: 'bob' })).code, 200);
  first.socket.destroy();
});

test('who leaves the line or his request makes room', async (t) => {
  const api = await openApi(t, { limits: { inFlight: tight } });
  const first = await held(api, 'first');
  await becomes(async () => await running(api, 'mutating'), 1);
  const second = await held(api, 'second');
  await becomes(async () => await waiting(api, 'mutating'), 1);
  second.socket.destroy();
  await becomes(async () => await waiting(api, 'mutating'), 0);
  first.socket.destroy();
  await becomes(async () => await running(api, 'mutating'), 0);
  t.is((await api.call(configMaps, { as: 'bob', body: { metadata: { name: 'third' } } })).code, 201);
});

test('watches are counted for themselves, over HTTP and WebSocket alike', async (t) => {
  const api = await openApi(t, { limits: { inFlight: tight } });
  const { ca, bob } = api.certificates;
  const socket = () => new WebSocket(`wss://127.0.0.1:${api.port}${configMaps}?watch=true`, { ca: ca.cert, cert: bob.cert, key: bob.key });
  const first = await api.open(`${configMaps}?watch=true`, { as: 'bob' });
  t.is(first.statusCode, 200);
  t.is(await sample(api, 'apiserver_longrunning_requests', { verb: 'WATCH', resource: 'configmaps' }), 1);
  isTooMany(t, await api.call(`${configMaps}?watch=1`, { as: 'bob' }), 5);
  const [, refused] = await once(socket(), 'unexpected-response') as [unknown, { readonly statusCode: number }];
  t.is(refused.statusCode, 429);
  t.is((await api.call(configMaps, { as: 'bob' })).code, 200);
  first.destroy();
  await becomes(async () => await sample(api, 'apiserver_longrunning_requests', { verb: 'WATCH', resource: 'configmaps' }), 0);
  const second = socket();
  await once(second, 'open');
  isTooMany(t, await api.call(`${configMaps}?watch=1`, { as: 'bob' }), 5);
  second.close();
});

test('our client comes back when it was told to', async (t) => {
  const api = await openApi(t, { limits: { inFlight: { ...tight, waitingPerUser: 0 } } });
  const { ca, bob } = api.certificates;
  const transport = createHttpTransport({ server: `https://127.0.0.1:${api.port}`, ca: ca.cert, cert: bob.cert, key: bob.key });
  const client = createClient(transport).of(ConfigMap);
  const first = await held(api, 'first');
  await becomes(async () => await running(api, 'mutating'), 1);
  const created = client.create({ metadata: { namespace: 'default', name: 'patient' } });
  await becomes(async () => await sample(api, 'apiserver_dropped_requests_total', { request_kind: 'mutating' }), 1);
  await first.finish();
  t.is((await created).metadata.name, 'patient');
  transport.close();
});

test('a request that is not done in its time is answered with 504', async (t) => {
  const clock = new FakeClock();
  const api = await openApi(t, { serverClock: clock });
  const { send } = api.core;
  const stuck = Promise.withResolvers<void>();
  let asked = 0;
  api.core.send = async (...args) => {
    asked++;
    await stuck.promise;
    return send.apply(api.core, args);
  };
  const quick = api.call(`${configMaps}/x?timeout=1500ms`);
  const slow = api.call(`${configMaps}/x?timeout=5m`);
  const plain = api.call(configMaps, { body: { metadata: { name: 'late' } } });
  await becomes(() => asked, 3);
  await clock.advance(1_500);
  t.like((await quick).json(), { kind: 'Status', reason: 'Timeout', code: 504 });
  await clock.advance(57_000);
  t.is(await Promise.race([slow, 'waits']), 'waits');
  await clock.advance(3_000);
  t.is((await slow).code, 504);
  t.is((await plain).code, 504);
  // What the handlers answer after all goes nowhere, and the server goes on.
  stuck.resolve();
  await becomes(async () => (await api.call(`${configMaps}/late`)).code, 200);
  t.is((await api.call('/version?timeout=soon')).code, 400);
  t.is((await api.call(`${configMaps}?watch=1&timeout=soon&labelSelector=((`)).code, 400, 'watches have no such time');
});

test('the time that a query says', (t) => {
  const cases = [['', 60_000], ['timeout=', 60_000], ['timeout=0', 60_000], ['timeout=0s', 60_000], ['timeout=32s', 32_000], ['timeout=1m30s', 60_000], ['timeout=1.5s', 1_500], ['timeout=10ms', 10], ['timeout=1ns', 1]] as const;
  for (const [query, ms] of cases) t.is(requestTimeoutMs(new URLSearchParams(query), 60_000), ms, query);
  for (const text of ['5', '-1s', '1', 'soon', '1s 1s', '1e3s', `${'9'.repeat(20)}s`]) t.throws(() => requestTimeoutMs(new URLSearchParams({ timeout: text }), 60_000), { message: /timeout: must be a time/ }, text);
});

test('an answer that nobody reads takes up room until its time is up', async (t) => {
  const clock = new FakeClock();
  const api = await openApi(t, { serverClock: clock });
  for (let index = 0; index < 6; index++) await api.call(configMaps, { body: { metadata: { name: `big-${index}` }, data: { x: 'x'.repeat(900_000) } } });
  for (const path of [configMaps, `${configMaps}/big-1`]) {
    const reader = await api.raw('bob');
    reader.on('error', () => undefined);
    reader.pause();
    for (let count = 0; count < 8; count++) reader.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually(async () => { if (await running(api, 'readOnly') < 2) throw new Error('nobody reads'); });
    await clock.advance(61_000);
    await becomes(async () => await running(api, 'readOnly'), 1);
    let read = 0;
    reader.on('data', (chunk: Buffer) => { read += chunk.length; });
    reader.resume();
    await once(reader, 'close');
    t.true(read < 8 * 900_000, `${read} bytes`);
  }
});

test('long URLs and too many headers are refused with a Status', async (t) => {
  const api = await openApi(t, {});
  t.like((await api.call(`${configMaps}?labelSelector=${'a'.repeat(16_400)}`)).json(), { kind: 'Status', code: 414, reason: 'URITooLong' });
  t.is((await api.call(`/${'a/'.repeat(8_200)}`)).code, 414);
  const headers = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, '1']));
  t.is((await api.call('/version', { headers: headers(150) })).code, 200);
  t.like((await api.call('/version', { headers: headers(250) })).json(), { kind: 'Status', code: 431 });
  // Beyond Node's own limit headers would be left out in silence, those of impersonation among them.
  t.is((await api.call('/version', { headers: headers(2_500) })).code, 431);
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
  t.is((await api.call(`${configMaps}?watch=1&x=${'a'.repeat(16_400)}`, { headers: upgrade })).code, 414);
});

test('a server that closes says so to its WebSockets, and waits for none that does not listen', async (t) => {
  const api = await httpsApi({ limits: { closeMs: 100 } });
  const { ca, admin } = api.certificates;
  const socket = new WebSocket(`wss://127.0.0.1:${api.port}${configMaps}?watch=true`, { ca: ca.cert, cert: admin.cert, key: admin.key });
  await once(socket, 'open');
  const deaf = await api.raw();
  deaf.on('error', () => undefined);
  deaf.write(`GET ${configMaps}?watch=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  await once(deaf, 'data');
  const closed = once(socket, 'close');
  await api.close();
  t.is((await closed)[0], 1001);
});

test('who has the right reads metrics; odd requests are counted together', async (t) => {
  const api = await httpsApi();
  t.teardown(() => api.close());
  t.is((await api.call('/metrics', { as: 'bob' })).code, 403);
  await api.call(configMaps, { body: { metadata: { name: 'one' } } });
  await api.call(`${configMaps}?dryRun=All`, { body: { metadata: { name: 'two' } } });
  await api.call(`${configMaps}/one`, { method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' }, body: '{}' });
  await api.call('/api/v1/namespaces/default/widgets');
  await api.call('/nothing/here', { method: 'PROPFIND' });
  await api.call('/version', { as: null, headers: { authorization: 'Bearer wrong' } });
  const cases = [
    [{ verb: 'POST', resource: 'configmaps', scope: 'resource', code: '201', dry_run: '' }, 1], [{ verb: 'POST', resource: 'configmaps', code: '201', dry_run: 'All' }, 1],
    [{ verb: 'APPLY', resource: 'configmaps', code: '422' }, 1], [{ verb: 'GET', resource: 'other', code: '404' }, 1], [{ verb: 'OTHER', subresource: 'other', code: '404' }, 1],
    [{ verb: 'GET', subresource: 'other', code: '401' }, 1], [{ verb: 'GET', subresource: '/metrics', code: '403' }, 1],
  ] as const;
  for (const [labels, count] of cases) t.is(await sample(api, 'apiserver_request_total', labels), count, JSON.stringify(labels));
  t.is(await sample(api, 'apiserver_request_duration_seconds_count', { verb: 'POST', resource: 'configmaps', dry_run: '', code: '2xx' }), 1);
  const open = (await api.call('/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1' } }));
  t.regex(open.headers['content-type'] ?? '', /^application\/openmetrics-text/);
  t.true(open.text.endsWith('# EOF\n'));
});

test('a 429 without a time is not tried again', async (t) => {
  const api = await openApi(t, {});
  const { ca, bob } = api.certificates;
  const { ApiError } = await import('../../../schemas/errors.ts');
  let asked = 0;
  api.core.send = () => Promise.reject(new ApiError('TooManyRequests', `refusal ${++asked}`));
  const transport = createHttpTransport({ server: `https://127.0.0.1:${api.port}`, ca: ca.cert, cert: bob.cert, key: bob.key });
  const error = await t.throwsAsync(createClient(transport).of(ConfigMap).get({ namespace: 'default', name: 'x' }));
  t.true(isReason(error, 'TooManyRequests'));
  t.is(asked, 1);
  transport.close();
});

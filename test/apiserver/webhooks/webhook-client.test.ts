import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import test from 'ava';
import { maxConnections } from '../../../apiserver/webhooks/agents.ts';
import { createWebhookClient, maxAnswerBytes, WebhookCallError, type WebhookClient } from '../../../apiserver/webhooks/webhook-client.ts';
import { targetOf } from '../../../apiserver/webhooks/webhook-target.ts';
import { systemClock } from '../../../base/clock.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { webhookServer, type WebhookHandler, type WebhookServer } from '../../helpers/webhook-server.ts';

type State = Parameters<typeof targetOf>[0];

const stateOf = (objects: Readonly<Record<string, unknown>>): State => ({
  get: (key: string) => objects[key], list: (prefix: string) => Object.entries(objects).filter(([key]) => key.startsWith(prefix)).map(([, object]) => object),
}) as State;

const clientOf = (state: State, clock = systemClock): WebhookClient => createWebhookClient({ cache: state as never, clock, random: () => 0 });

const withServer = async (handler: WebhookHandler, use: (server: WebhookServer, client: WebhookClient) => Promise<void>): Promise<void> => {
  const server = await webhookServer(handler);
  const client = clientOf(stateOf({}));
  try {
    await use(server, client);
  } finally {
    client.close();
    await server.close();
  }
};

test('posts JSON and reads the answer, over one kept connection', (t) => withServer((body) => ({ got: body }), async (server, client) => {
  const config = { url: `${server.url}/path`, caBundle: server.caBundle };
  for (const a of [1, 2]) t.deepEqual(await client.post({ config, body: { a }, timeoutMs: 10_000 }), { got: { a } });
  t.is(server.requests[0]!.url, '/path?timeout=10s');
  t.is(server.requests[0]!.headers['content-type'], 'application/json');
  t.is(server.requests[0]!.socket, server.requests[1]!.socket);
}));

test('shows no certificate of its own', (t) => withServer(() => ({}), async (server, client) => {
  await client.post({ config: { url: server.url, caBundle: server.caBundle }, body: {}, timeoutMs: 10_000 });
  t.deepEqual((server.requests[0]!.socket as TLSSocket).getPeerCertificate(), {} as never);
}));

const failing: readonly { readonly name: string; readonly handler: WebhookHandler; readonly message: RegExp }[] = [
  { name: 'a redirect', handler: (_body, _request, response) => void response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end(), message: /redirects are not followed \(302\)/ },
  { name: 'an error', handler: (_body, _request, response) => void response.writeHead(500).end('{}'), message: /the server answered 500 Internal Server Error/ },
  { name: 'no JSON', handler: (_body, _request, response) => void response.end('<html>'), message: /the answer is no JSON/ },
  { name: 'too much', handler: (_body, _request, response) => void response.end(`"${'a'.repeat(maxAnswerBytes)}"`), message: /the answer is larger than/ },
  { name: 'deep nesting', handler: (_body, _request, response) => void response.end(`${'['.repeat(5_000)}${']'.repeat(5_000)}`), message: /nested deeper/ },
  { name: 'a closed connection', handler: (_body, request) => void request.socket.destroy(), message: /Post "https:\/\/127\.0\.0\.1:\d+\/\?timeout=(60s|1m0s)": .*(ECONNRESET|socket hang up)/ },
];

for (const { name, handler, message } of failing) {
  test(`refuses ${name}`, (t) => withServer(handler, async (server, client) => {
    await t.throwsAsync(client.post({ config: { url: server.url, caBundle: server.caBundle }, body: {}, timeoutMs: 60_000 }), { instanceOf: WebhookCallError, message });
  }));
}

test('trusts only the CA that it is told', (t) => withServer(() => ({}), async (server, client) => {
  await t.throwsAsync(client.post({ config: { url: server.url }, body: {}, timeoutMs: 60_000 }), { instanceOf: WebhookCallError, message: /certificate/ });
}));

test('says that nobody listens', async (t) => {
  const server = await webhookServer(() => ({}));
  await server.close();
  await t.throwsAsync(clientOf(stateOf({})).post({ config: { url: server.url, caBundle: server.caBundle }, body: {}, timeoutMs: 60_000 }), { instanceOf: WebhookCallError, message: /ECONNREFUSED/ });
});

test('gives up after the time, and holds others up by nothing', async (t) => {
  const clock = new FakeClock();
  const hung = await webhookServer(() => undefined);
  const well = await webhookServer(() => ({ well: true }));
  const client = clientOf(stateOf({}), clock);
  t.teardown(() => {
    client.close();
    return Promise.all([hung.close(), well.close()]);
  });
  const calls = Array.from({ length: maxConnections + 10 }, () => client.post({ config: { url: hung.url, caBundle: hung.caBundle }, body: {}, timeoutMs: 3_000 }));
  const failures = Promise.allSettled(calls);
  await eventually(() => assert.equal(hung.calls.length, maxConnections));
  t.deepEqual(await client.post({ config: { url: well.url, caBundle: well.caBundle }, body: {}, timeoutMs: 3_000 }), { well: true });
  t.is(hung.calls.length, maxConnections);
  clock.advance(3_000);
  for (const result of await failures) t.regex(String(result.status === 'rejected' && result.reason), /WebhookCallError: Post "https:.*: context deadline exceeded/);
});

test('ends when the caller gives up', async (t) => {
  const hung = await webhookServer(() => undefined);
  const client = clientOf(stateOf({}));
  t.teardown(() => {
    client.close();
    return hung.close();
  });
  const caller = new AbortController();
  const call = client.post({ config: { url: hung.url, caBundle: hung.caBundle }, body: {}, timeoutMs: 30_000, signal: caller.signal });
  await eventually(() => assert.equal(hung.calls.length, 1));
  caller.abort();
  await t.throwsAsync(call, { instanceOf: WebhookCallError });
});

const service = { spec: { ports: [{ name: 'https', port: 443 }, { name: 'other', port: 8443 }], selector: { app: 'x' } } };
const slice = (ready: boolean, ip: string, port: number): unknown => ({
  metadata: { labels: { 'kubernetes.io/service-name': 'hook' } }, endpoints: [{ addresses: [ip], conditions: { ready } }], ports: [{ name: 'https', port }],
});
const sliceKey = 'discovery.k8s.io/endpointslices/default/hook-';
const reference = { namespace: 'default', name: 'hook' };

const targets: readonly (readonly [string, Parameters<typeof targetOf>[1], Readonly<Record<string, unknown>>, unknown])[] = [
  ['a URL', { url: 'https://[::1]:8443/a/b' }, {}, { host: '::1', name: '[::1]', port: 8443, shownPort: ':8443', path: '/a/b' }],
  ['a URL without a port', { url: 'https://hooks.example.com' }, {}, { host: 'hooks.example.com', name: 'hooks.example.com', port: 443, shownPort: '', path: '/' }],
  ['a ready endpoint', { service: { ...reference, path: '/x' } }, { '/services/default/hook': service, [`${sliceKey}a`]: slice(false, '10.1.0.1', 1), [`${sliceKey}b`]: slice(true, '10.1.0.2', 9443) },
    { host: '10.1.0.2', port: 9443, name: 'hook.default.svc', shownPort: ':443', path: '/x' }],
  ['Endpoints without slices', { service: reference }, { '/services/default/hook': service, '/endpoints/default/hook': { subsets: [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'https', port: 1443 }] }] } },
    { host: '10.1.0.3', port: 1443, name: 'hook.default.svc', shownPort: ':443', path: '/' }],
  ['an external name', { service: { ...reference, port: 444 } }, { '/services/default/hook': { spec: { type: 'ExternalName', externalName: 'a.example' } } }, { host: 'a.example', port: 444, name: 'hook.default.svc', shownPort: ':444', path: '/' }],
  ['no service', { service: reference }, {}, 'service "hook" not found'],
  ['another port', { service: { ...reference, port: 1 } }, { '/services/default/hook': service }, 'no service port 1 found for service "hook"'],
  ['no endpoints', { service: reference }, { '/services/default/hook': service, [`${sliceKey}a`]: slice(false, '10.1.0.1', 1) }, 'no endpoints available for service "hook"'],
  ['nothing', {}, {}, 'the webhook has neither a url nor a service'],
];

for (const [name, config, objects, expected] of targets) {
  test(`finds ${name}`, (t) => {
    t.deepEqual(targetOf(stateOf(objects), config, () => 0.5), expected as never);
  });
}

test('reaches a service by its name in the certificate', (t) => withServer(() => ({ by: 'service' }), async (server) => {
  const client = clientOf(stateOf({ '/services/default/hook': service, [`${sliceKey}a`]: slice(true, '127.0.0.1', server.port) }));
  t.deepEqual(await client.post({ config: { service: reference, caBundle: server.caBundle }, body: {}, timeoutMs: 60_000 }), { by: 'service' });
  t.is(server.requests[0]!.headers.host, 'hook.default.svc:443');
  t.is((server.requests[0]!.socket as TLSSocket & { servername?: string }).servername, 'hook.default.svc');
  client.close();
}));

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, request, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectPlainly, type AddressInfo } from 'node:net';
import { connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import * as fc from 'fast-check';
import { load } from 'js-yaml';
import { WebSocket } from 'ws';
import { createCa, issueCertificate } from '../../../base/pki.ts';
import type { Log } from '../../../base/log.ts';
import { silentLog } from '../../../base/log.ts';
import { httpsApi, testCertificates, type HttpsApi } from '../../helpers/https-api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** A log that keeps its error lines. */
const recordingLog = (): Log & { readonly errors: string[] } => {
  const errors: string[] = [];
  return { ...silentLog, errors, error: (message, fields) => { errors.push(`${message} ${JSON.stringify(fields ?? {})}`); }, with() { return this; } };
};

let api: HttpsApi;
const log = recordingLog();
test.before(async () => {
  api = await httpsApi({ serverLog: log });
  await api.call(configMaps, { body: { metadata: { name: 'seed', labels: { a: 'b' } }, data: { x: '1' } } });
});
test.after.always(() => api.close());

/** Lines of a stream as they come. */
async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<{ readonly type: string; readonly object: { readonly kind: string; readonly metadata: Record<string, string>; readonly [name: string]: unknown } }> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop()!;
    for (const part of parts) yield JSON.parse(part);
  }
}

test('who asks decides', async (t) => {
  const strangers = await createCa({ commonName: 'test-ca', lifetimeDays: 1, nowMs: Date.now() });
  const stranger = await issueCertificate({ ca: strangers, commonName: 'admin', organizations: ['system:masters'], usages: ['client'], lifetimeDays: 1, nowMs: Date.now() });
  const { ca, server } = await testCertificates();
  const expired = await issueCertificate({ ca, commonName: 'admin', organizations: ['system:masters'], usages: ['client'], lifetimeDays: 0, nowMs: Date.now() - 60_000 });
  const cases = [
    ['/version', null, {}, 200], ['/healthz', null, {}, 200], ['/livez/ping', null, {}, 200], ['/readyz?verbose=1', null, {}, 200], ['/readyz?exclude=etcd&exclude=ping', null, {}, 200],
    ['/', null, {}, 403], ['/api', null, {}, 403], ['/openapi/v2', null, {}, 403], ['/nothing', null, {}, 403], ['/api/v1/widgets', null, {}, 403], [configMaps, null, {}, 403],
    [configMaps, 'bob', {}, 403], ['/api', 'bob', {}, 200], [configMaps, 'admin', {}, 200], ['/nothing', 'admin', {}, 404], ['/readyz/nothing', 'admin', {}, 404],
    [configMaps, null, { authorization: 'Bearer wrong' }, 401], ['/version', null, { authorization: 'Bearer wrong' }, 401], ['/api', null, { authorization: 'Bearer t0ken' }, 200],
    [configMaps, stranger, {}, 401], [configMaps, expired, {}, 401], [configMaps, server, {}, 401],
  ] as const;
  for (const [path, as, headers, code] of cases) {
    const answer = await api.call(path, { as, headers });
    t.is(answer.code, code, `${path} ${typeof as === 'object' ? 'certificate' : String(as)} ${JSON.stringify(headers)}`);
    if (code >= 400) t.like(answer.json(), { kind: 'Status', apiVersion: 'v1', status: 'Failure', code });
  }
});

test('a TLS session that is taken up again proves no more than its certificate', async (t) => {
  const { ca, admin } = await testCertificates();
  const nowMs = Date.now();
  const strangers = await createCa({ commonName: 'test-ca', lifetimeDays: 1, nowMs });
  const stranger = await issueCertificate({ ca: strangers, commonName: 'admin', organizations: ['system:masters'], usages: ['client'], lifetimeDays: 1, nowMs });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const [pair, code] of [[admin, '200'], [stranger, '401']] as const) {
      let session: Buffer | undefined;
      const reused: boolean[] = [];
      for (let round = 0; round < 2; round++) {
        const socket = connect({ host: '127.0.0.1', port: api.port, ca: ca.cert, cert: pair.cert, key: pair.key, maxVersion, ...(session === undefined ? {} : { session }) }, () => {
          reused.push(socket.isSessionReused());
          socket.write(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        });
        socket.on('session', (one) => { session = one; });
        const reply: string[] = [];
        socket.on('data', (chunk: Buffer) => reply.push(chunk.toString()));
        await once(socket, 'close');
        t.is(reply.join('').slice(9, 12), code, `${maxVersion} ${code} ${round}`);
      }
      t.deepEqual(reused, [false, true], `${maxVersion} ${code}`);
    }
  }
});

test('a refused write is refused before its body is looked at', async (t) => {
  t.is((await api.call(configMaps, { as: 'bob', body: 'not json' })).code, 403);
  t.is((await api.call(configMaps, { as: 'admin', body: 'not json' })).code, 400);
  t.is((await api.call(`${configMaps}?watch=true`, { as: 'bob' })).code, 403);
});

test('an object is created, read, changed and deleted in every format', async (t) => {
  const at = `${configMaps}/life`;
  const json = { 'content-type': 'application/json' };
  const made = await api.call(`${configMaps}?fieldValidation=Strict`, { headers: json, body: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'life' }, data: { a: '1' } } });
  t.is(made.code, 201);
  t.is(made.headers['content-type'], 'application/json');
  t.is((await api.call(configMaps, { body: { metadata: { name: 'life' } } })).code, 409);
  const read = await api.call(at);
  t.like(read.json(), { kind: 'ConfigMap', metadata: { name: 'life', namespace: 'default' }, data: { a: '1' } });
  const head = await api.call(at, { method: 'HEAD' });
  t.is(head.code, 200);
  t.is(head.text, '');
  t.is(head.headers['content-length'], read.headers['content-length']);
  const yaml = await api.call(at, { method: 'PUT', headers: { 'content-type': 'application/yaml' }, body: 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: life}\ndata: {a: "2"}\n' });
  t.like(yaml.json(), { data: { a: '2' } });
  for (const [type, body, data] of [
    ['application/merge-patch+json', '{"data":{"b":"3"}}', { a: '2', b: '3' }],
    ['application/strategic-merge-patch+json', '{"data":{"b":null}}', { a: '2' }],
    ['application/json-patch+json', '[{"op":"replace","path":"/data/a","value":"4"}]', { a: '4' }],
  ] as const) t.deepEqual((await api.call(at, { method: 'PATCH', headers: { 'content-type': type }, body })).json()['data'], data);
  t.is((await api.call(at, { method: 'PATCH', headers: json, body: '{}' })).code, 415);
  t.is((await api.call(configMaps, { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('{}') })).code, 415);
  const dry = await api.call(at, { method: 'DELETE', body: { dryRun: ['All'] } });
  t.is(dry.code, 200);
  t.is((await api.call(at)).code, 200);
  const wrongUid = await api.call(at, { method: 'DELETE', body: { preconditions: { uid: 'other' } } });
  t.like(wrongUid.json(), { reason: 'Conflict', code: 409 });
  t.like((await api.call(at, { method: 'DELETE' })).json(), { kind: 'Status', status: 'Success' });
  t.like((await api.call(at)).json(), { reason: 'NotFound', message: 'configmaps "life" not found', code: 404 });
});

test('unknown and duplicate fields: strict refuses, warn warns', async (t) => {
  const body = '{"metadata":{"name":"strict"},"data":{"a":"1","a":"2"},"bogus":1}';
  const strict = await api.call(`${configMaps}?fieldValidation=Strict&dryRun=All`, { body });
  t.like(strict.json(), { code: 400, reason: 'BadRequest', message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"' });
  const warned = await api.call(`${configMaps}?fieldValidation=Warn&dryRun=All`, { body });
  t.is(warned.code, 201);
  t.is(warned.headers['warning'], '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"bogus\\""');
  const ignored = await api.call(`${configMaps}?dryRun=All`, { body });
  t.is(ignored.headers['warning'], undefined);
});

test('objects are shown as tables and as metadata', async (t) => {
  const get = (path: string, accept: string) => api.call(path, { headers: { accept } });
  const one = (await get(`${configMaps}/seed`, tableType)).json<{ columnDefinitions: { name: string; format: string }[]; rows: { cells: unknown[]; object: { kind: string; metadata: object } }[] }>();
  t.like(one, { kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
  t.like(one.columnDefinitions[0], { name: 'Name', format: 'name', priority: 0 });
  t.is(one.rows[0]!.cells[0], 'seed');
  t.is(one.rows[0]!.cells.length, one.columnDefinitions.length);
  t.like(one.rows[0]!.object, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'seed' } });
  t.false('data' in one.rows[0]!.object);
  const whole = (await get(`${configMaps}?includeObject=Object&labelSelector=a%3Db`, tableType)).json<{ metadata: { resourceVersion: string }; rows: { object: { data: object } }[] }>();
  t.deepEqual(whole.rows.map((row) => row.object.data), [{ x: '1' }]);
  t.regex(whole.metadata.resourceVersion, /^\d+$/);
  t.is((await get(`${configMaps}?includeObject=None`, tableType)).text.includes('PartialObjectMetadata'), false);
  t.is((await get(`${configMaps}?includeObject=All`, tableType)).code, 400);
  t.is((await get(`${configMaps}/none`, tableType)).json()['kind'], 'Status');
  const partial = (await get(configMaps, 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')).json<{ kind: string; items: { kind: string }[] }>();
  t.is(partial.kind, 'PartialObjectMetadataList');
  t.true(partial.items.every((item) => item.kind === 'PartialObjectMetadata' && !('data' in item)));
  const refused = await get(configMaps, 'application/vnd.kubernetes.protobuf');
  t.like(refused.json(), { code: 406, reason: 'NotAcceptable' });
  t.is((await api.call(configMaps, { method: 'POST', headers: { accept: 'text/html' }, body: { metadata: { name: 'unmade' } } })).code, 406);
  t.is((await api.call(`${configMaps}/unmade`)).code, 404);
});

test('the version is two whole numbers, and an answer to a question is no table', async (t) => {
  const { major, minor } = (await api.call('/version')).json<{ readonly major: string; readonly minor: string }>();
  t.regex(`${major}.${minor}`, /^\d+\.\d+$/);
  const body = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec: { nonResourceAttributes: { path: '/', verb: 'get' } } };
  const refused = await api.call('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { headers: { accept: tableType }, body });
  t.is(refused.code, 406);
  t.like(refused.json(), { kind: 'Status', reason: 'NotAcceptable', code: 406 });
  t.is((await api.call('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { headers: { accept: `${tableType},application/json` }, body })).code, 201);
});

test('big answers are compressed where that is accepted, small ones never', async (t) => {
  const name = '/api/v1/namespaces/kube-public/configmaps';
  for (let index = 0; index < 5; index++) await api.call(name, { body: { metadata: { name: `big-${index}` }, data: { x: 'x'.repeat(100_000) } } });
  const plain = await api.call(name);
  t.is(plain.headers['content-encoding'], undefined);
  t.is(Number(plain.headers['content-length']), plain.bytes.length);
  const zipped = await api.call(name, { headers: { 'accept-encoding': 'gzip' } });
  t.is(zipped.headers['content-encoding'], 'gzip');
  t.true(zipped.bytes.length < 50_000);
  t.deepEqual((JSON.parse(gunzipSync(zipped.bytes).toString('utf8')) as { items: unknown[] }).items, plain.json<{ items: unknown[] }>().items);
  t.is((await api.call('/version', { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'], undefined);
  const table = await api.call(`${name}?includeObject=Object`, { headers: { 'accept-encoding': 'gzip', accept: tableType } });
  t.is(JSON.parse(gunzipSync(table.bytes).toString('utf8')).rows.length, 5);
});

test('a body that is too large is refused, and its connection is not used again', async (t) => {
  const answer = await api.call(configMaps, { body: `{"metadata":{"name":"huge"},"data":{"x":"${'x'.repeat(3 * 1024 * 1024)}"}}` });
  t.like(answer.json(), { code: 413, reason: 'RequestEntityTooLarge' });
  t.is(answer.headers.connection, 'close');
  const socket = await api.raw();
  socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  socket.on('error', () => undefined);
  const piece = Buffer.from(`10000\r\n${'{'.repeat(0x10000)}\r\n`);
  const reply: string[] = [];
  socket.on('data', (chunk: Buffer) => reply.push(chunk.toString()));
  for (let sent = 0; sent < 60 && reply.length === 0; sent++) await new Promise((resolve) => socket.write(piece, resolve));
  await once(socket, 'close');
  t.regex(reply.join(''), /^HTTP\/1\.1 413 /);
});

test('who still sends what is refused gets the answer all the same', async (t) => {
  const body = JSON.stringify({ metadata: { name: 'a' }, data: { a: 'x'.repeat(4 << 20) } });
  for (let turn = 0; turn < 10; turn++) {
    const socket = await api.raw('admin');
    let reply = '';
    socket.on('data', (part: Buffer) => void (reply += part.toString())).on('error', () => undefined);
    socket.write(`POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
    await once(socket, 'close');
    t.regex(reply, /^HTTP\/1\.1 413 /);
  }
});

test('bytes that are no HTTP get a Status and lose their connection', async (t) => {
  const say = async (text: string): Promise<string> => {
    const socket = await api.raw();
    let reply = '';
    socket.on('data', (chunk: Buffer) => { reply += chunk.toString(); });
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return reply;
  };
  t.regex(await say('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [^]*"kind":"Status"/);
  t.regex(await say(`GET /version HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 [^]*"kind":"Status"/);
  t.regex(await say('POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), /^HTTP\/1\.1 400 /);
  t.regex(await say(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nContent-Length: 3\r\n\r\n{}`), /^HTTP\/1\.1 400 /);
  t.regex(await say('GET /version HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const plain = connectPlainly({ host: '127.0.0.1', port: api.port }, () => plain.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n'));
  await once(plain.on('error', () => undefined).resume(), 'close');
  t.is((await api.call('/version')).code, 200, 'and bytes that are no TLS lose theirs');
});

test('pages of other sites may not write or open streams', async (t) => {
  const body = { metadata: { name: 'csrf' } };
  t.is((await api.call(configMaps, { body, headers: { origin: 'https://evil.example' } })).code, 403);
  t.is((await api.call(configMaps, { body, headers: { origin: 'null' } })).code, 403);
  t.is((await api.call(`${configMaps}?dryRun=All`, { body, headers: { origin: `https://127.0.0.1:${api.port}` } })).code, 201);
  t.is((await api.call(configMaps, { headers: { origin: 'https://evil.example' } })).headers['access-control-allow-origin'], undefined);
});

test('a watch sends its headers at once and each event when it happens', async (t) => {
  const { resourceVersion } = (await api.call(configMaps)).json<{ metadata: { resourceVersion: string } }>().metadata;
  const stream = await api.open(`${configMaps}?watch=true&resourceVersion=${resourceVersion}&labelSelector=w%3D1`);
  t.is(stream.statusCode, 200);
  t.is(stream.headers['transfer-encoding'], 'chunked');
  const events = lines(stream);
  await api.call(configMaps, { body: { metadata: { name: 'watched', labels: { w: '1' } } } });
  t.like((await events.next()).value, { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'watched' } } });
  await api.call(`${configMaps}/watched`, { method: 'DELETE' });
  t.like((await events.next()).value, { type: 'DELETED' });
  stream.destroy();
});

test('a watch of tables names its columns once; a watch of one object is narrowed to it', async (t) => {
  const stream = await api.open(`${configMaps}/seed?watch=1`, { headers: { accept: tableType } });
  const events = lines(stream);
  const first = (await events.next()).value!;
  t.like(first, { type: 'ADDED', object: { kind: 'Table' } });
  t.true(Array.isArray(first.object['columnDefinitions']));
  await api.call(configMaps, { body: { metadata: { name: 'other' } } });
  await api.call(`${configMaps}/seed`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { data: { y: '2' } } });
  const second = (await events.next()).value!;
  t.like(second, { type: 'MODIFIED', object: { kind: 'Table', columnDefinitions: null } });
  t.is((second.object['rows'] as { cells: unknown[] }[])[0]!.cells[0], 'seed');
  stream.destroy();
});

test('a bad watch is refused before it begins; one that cannot go on says so', async (t) => {
  t.is((await api.call(`${configMaps}?watch=true&labelSelector=((`)).code, 400);
  t.is((await api.call(`${configMaps}?watch=maybe`)).code, 400);
  t.is((await api.call(`${configMaps}?watch=true&sendInitialEvents=true`)).code, 422);
  t.is((await api.call(`${configMaps}?watch=true`, { headers: { accept: 'application/yaml' } })).code, 406);
});

test('an answer is written in lines for eyes: browsers, curl, and who asks for it', async (t) => {
  const cases: readonly (readonly [query: string, agent: string | undefined, lines: boolean])[] = [
    ['', undefined, false], ['?pretty=true', undefined, true], ['?pretty=1', 'kubectl/v1.32', true], ['?pretty=nonsense', 'curl/8', false], ['?pretty=', 'curl/8', true],
    ['', 'curl/8.5.0', true], ['', 'Wget/1.21', true], ['', 'Mozilla/5.0 (X11)', true], ['?pretty=false', 'curl/8.5.0', false], ['', 'kubectl/v1.32', false],
  ];
  for (const [query, agent, inLines] of cases) {
    const headers: Record<string, string> = agent === undefined ? {} : { 'user-agent': agent };
    for (const path of [`${configMaps}/seed`, configMaps, `${configMaps}/none`]) {
      const { text } = await api.call(`${path}${query}`, { headers });
      t.is(/^\{\n {2}"kind": /.test(text), inLines, `${path}${query} ${agent}`);
      t.is(text, `${JSON.stringify(JSON.parse(text), null, inLines ? 2 : 0)}${text.endsWith('\n') ? '\n' : ''}`);
    }
    const table = await api.call(`${configMaps}/seed${query}`, { headers: { ...headers, accept: tableType } });
    t.is(table.text.includes('\n  "rows"'), inLines, `${query} ${agent}: ${table.text}`);
  }
});

test('objects, lists and the outcome of deletes come as YAML to who wants that', async (t) => {
  const headers = { accept: 'application/yaml, */*' };
  await api.call(configMaps, { body: { metadata: { name: 'yaml', annotations: { a: '1.0', b: 'true', c: '2026-01-01T00:00:00Z', d: '' } }, data: { text: 'a\nb: c\n', octal: '0o7', nothing: 'null' } } });
  const one = await api.call(`${configMaps}/yaml`, { headers });
  t.is(one.headers['content-type'], 'application/yaml');
  t.deepEqual(load(one.text), (await api.call(`${configMaps}/yaml`)).json());
  const all = load((await api.call(`${configMaps}?fieldSelector=metadata.name%3Dyaml`, { headers })).text);
  t.like(all, { kind: 'ConfigMapList', items: [(await api.call(`${configMaps}/yaml`)).json()] });
  const gone = await api.call(`${configMaps}/yaml`, { method: 'DELETE', headers });
  t.like(load(gone.text), { kind: 'Status', status: 'Success' });
});

test('lists and watches say only what fits them', async (t) => {
  const causes = async (query: string): Promise<readonly string[]> =>
    (await api.call(`${configMaps}?${query}`)).json<{ details: { causes: { reason: string; field: string }[] } }>().details.causes.map(({ reason, field }) => `${reason} ${field}`);
  t.deepEqual(await causes('sendInitialEvents=true'), ['FieldValueForbidden sendInitialEvents']);
  t.deepEqual(await causes('watch=1&sendInitialEvents=true'), ['FieldValueForbidden resourceVersionMatch']);
  t.deepEqual(await causes('watch=1&resourceVersionMatch=NotOlderThan'), ['FieldValueForbidden resourceVersionMatch']);
  t.deepEqual(await causes('watch=1&sendInitialEvents=true&resourceVersionMatch=Exact'), ['FieldValueForbidden resourceVersionMatch', 'FieldValueNotSupported resourceVersionMatch']);
});

test('a document of OpenAPI at its hash may be kept; an old hash leads to the new one', async (t) => {
  const { serverRelativeURL: url } = (await api.call('/openapi/v3')).json<{ paths: Record<string, { serverRelativeURL: string }> }>().paths['apis/apps/v1']!;
  const kept = await api.call(url);
  t.is(kept.headers['cache-control'], 'public, immutable');
  t.true(Date.parse(kept.headers.expires!) - Date.now() > 360 * 24 * 3_600_000);
  const again = await api.call(url, { headers: { 'if-none-match': kept.headers.etag! } });
  t.like(again, { code: 304, text: '' });
  t.is(again.headers['cache-control'], 'public, immutable');
  t.like((await api.call('/openapi/v3/apis/apps/v1')).headers, { 'cache-control': 'no-cache, private', 'expires': undefined });
  const old = await api.call('/openapi/v3/apis/apps/v1?hash=old');
  t.is(old.code, 301);
  t.is(old.headers.location, url);
  t.is((await api.call('/openapi/v3/apis/none/v1?hash=old')).code, 404);
});

const socketTo = async (path: string, protocols: readonly string[] = [], as: 'admin' | null = 'admin'): Promise<WebSocket> => {
  const { ca, admin } = api.certificates;
  return new WebSocket(`wss://127.0.0.1:${api.port}${path}`, [...protocols], { ca: ca.cert, ...(as === null ? {} : { cert: admin.cert, key: admin.key }) });
};
const refusal = async (socket: WebSocket): Promise<{ code: number; body: string }> => new Promise((resolve) => {
  socket.on('unexpected-response', (_request, response: IncomingMessage) => {
    let body = '';
    response.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
  });
});

test('a watch over WebSocket: one message an event', async (t) => {
  const socket = await socketTo(`${configMaps}?watch=true&fieldSelector=metadata.name%3Dsocket`, ['base64.binary.k8s.io']);
  const messages: string[] = [];
  socket.on('message', (data: Buffer, binary: boolean) => messages.push(`${binary}${data.toString()}`));
  await once(socket, 'open');
  t.is(socket.protocol, 'base64.binary.k8s.io');
  await api.call(configMaps, { body: { metadata: { name: 'socket' } } });
  while (messages.length === 0) await once(socket, 'message');
  t.true(messages[0]!.startsWith('false{"type":"ADDED","object":{"kind":"ConfigMap"'));
  const closed = once(socket, 'close');
  socket.close();
  await closed;
});

test('an upgrade that is refused gets a Status', async (t) => {
  const cases = [
    [configMaps, 'admin', 400], [`${configMaps}?watch=true`, null, 403], [`${configMaps}?watch=true&fieldSelector=x%3D1`, 'admin', 400], ['/nothing', 'admin', 404],
    ['/api/v1/namespaces/default/pods/none/exec?command=ls', 'admin', 404], ['/api/v1/namespaces/default/pods/none/exec?command=ls', null, 403],
  ] as const;
  for (const [path, as, code] of cases) {
    const answer = await refusal(await socketTo(path, [], as));
    t.is(answer.code, code, path);
    t.like(JSON.parse(answer.body), { kind: 'Status', code });
  }
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
  for (const headers of [upgrade, { ...upgrade, 'sec-websocket-key': 'short' }, { ...upgrade, 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '7' }]) {
    t.like((await api.call(`${configMaps}?watch=true`, { headers })).json(), { kind: 'Status', code: 400, reason: 'BadRequest' });
  }
  t.is((await api.call('/version', { headers: { connection: 'Upgrade', upgrade: 'h2c' } })).code, 200);
});

/** A node's agent that answers as the test says. */
const agent = async (t: { teardown(run: () => void): void }): Promise<{ server: Server; port: number }> => {
  const { apiserver, ca } = await testCertificates();
  const server = createServer({ ...apiserver, ca: ca.cert, requestCert: true, rejectUnauthorized: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  return { server, port: (server.address() as AddressInfo).port };
};

const podOn = async (name: string, port: number): Promise<string> => {
  const ref = { namespace: 'default', name };
  await api.call('/api/v1/nodes', { body: { metadata: { name } } });
  await api.call(`/api/v1/nodes/${name}/status`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: {
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  } });
  await api.call('/api/v1/namespaces/default/pods', { body: { metadata: { name }, spec: { nodeName: name, containers: [{ name: 'c', image: 'i' }] } } });
  await api.call(`/api/v1/namespaces/default/pods/${name}/status`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: {
    status: { phase: 'Running', containerStatuses: [{ name: 'c', image: 'i', imageID: 'i', ready: true, restartCount: 0, state: { running: {} } }] },
  } });
  return `/api/v1/namespaces/${ref.namespace}/pods/${ref.name}`;
};

test('logs come from the node\'s agent as they are written, and end with it', async (t) => {
  const { server, port } = await agent(t);
  const pod = await podOn('logs', port);
  let writeMore: (() => void) | undefined;
  const asked: string[] = [];
  let left: Promise<unknown> | undefined;
  server.on('request', (request, response) => {
    asked.push(`${(request.socket as TLSSocket).getPeerCertificate().subject.CN} ${request.url}`);
    left = once(response, 'close');
    response.write('first\n');
    writeMore = () => response.end('second\n');
  });
  const stream = await api.open(`${pod}/log?follow=true&tailLines=10`);
  t.is(stream.statusCode, 200);
  t.regex(stream.headers['content-type'] ?? '', /^text\/plain/);
  const [first] = await once(stream, 'data') as [Buffer];
  t.is(first.toString(), 'first\n');
  t.regex(asked[0]!, /^system:barge:apiserver \/containerLogs\/default\/logs\/c\?/);
  writeMore!();
  const [second] = await once(stream, 'data') as [Buffer];
  t.is(second.toString(), 'second\n');
  await once(stream, 'end');
  const impatient = await api.open(`${pod}/log?follow=true`);
  await once(impatient, 'data');
  impatient.destroy();
  await left; // the agent's response was closed
});

test('what goes wrong at the agent reaches the client as a Status', async (t) => {
  const { server, port } = await agent(t);
  const pod = await podOn('broken', port);
  server.once('request', (_request, response) => { response.writeHead(400).end('no such thing'); });
  t.like((await api.call(`${pod}/log`)).json(), { kind: 'Status', code: 400, message: 'no such thing' });
  server.once('request', (_request, response) => { response.writeHead(404).end('{"kind":"Status","status":"Failure","reason":"NotFound","message":"gone","code":404}'); });
  t.like((await api.call(`${pod}/log`)).json(), { kind: 'Status', code: 404, reason: 'NotFound', message: 'gone' });
  server.once('upgrade', (_request, socket) => { socket.end('HTTP/1.1 500 Broken\r\nContent-Length: 4\r\n\r\noops'); });
  t.like(JSON.parse((await refusal(await socketTo(`${pod}/exec?command=ls&stdout=true`))).body), { kind: 'Status', code: 500, message: 'oops' });
  server.closeAllConnections();
  server.close();
  const unreachable = await api.call(`${pod}/log`);
  t.is(unreachable.code, 500);
  t.regex(String(unreachable.json()['message']), /^error dialing backend: /);
  t.is((await api.call(`${pod}/exec?command=ls`)).code, 400);
});

test('exec and port-forward pass bytes both ways, whatever they mean', async (t) => {
  const { server, port } = await agent(t);
  const pod = await podOn('tunnel', port);
  const seen: IncomingMessage[] = [];
  let ended: Promise<unknown> | undefined;
  server.on('upgrade', (request, socket) => {
    seen.push(request);
    ended = once(socket, 'close');
    socket.write(`HTTP/1.1 101 Switching\r\nUpgrade: ${request.headers.upgrade}\r\nConnection: Upgrade\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Secret: no\r\n\r\nhello `);
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('error', () => undefined);
  });
  const socket = await api.raw();
  socket.write(`POST ${pod}/exec?command=ls&command=-l&stdout=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io\r\nAuthorization-Hint: secret\r\nContent-Length: 0\r\n\r\nearly`);
  let reply = '';
  socket.on('data', (chunk: Buffer) => { reply += chunk.toString(); });
  while (!reply.includes('EARLY')) await once(socket, 'data');
  t.regex(reply, /^HTTP\/1\.1 101 [^]*\r\nupgrade: SPDY\/3\.1\r\n[^]*x-stream-protocol-version: v4\.channel\.k8s\.io\r\n\r\nhello EARLY$/i);
  t.false(reply.includes('Secret'));
  t.is(seen[0]!.method, 'POST');
  t.regex(seen[0]!.url!, /^\/exec\/default\/tunnel\/c\?.*command=ls&command=-l/);
  t.is(seen[0]!.headers['x-stream-protocol-version'], 'v4.channel.k8s.io, v3.channel.k8s.io');
  t.is(seen[0]!.headers['authorization-hint'], undefined);
  socket.write('more');
  while (!reply.endsWith('MORE')) await once(socket, 'data');
  socket.destroy();
  await ended; // the agent's side went with the client
});

test('closing ends watches cleanly and lets requests finish', async (t) => {
  const own = await httpsApi();
  const watch = await own.open(`${configMaps}?watch=true`);
  watch.resume();
  const ended = once(watch, 'end');
  const body = JSON.stringify({ metadata: { name: 'late' } });
  const socket = await own.raw();
  socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
  let reply = '';
  socket.on('data', (chunk: Buffer) => { reply += chunk.toString(); });
  await own.call('/version'); // the server has read the half request by now
  const closed = own.server.close();
  await ended;
  socket.write(body.slice(5));
  await once(socket, 'close');
  t.regex(reply, /^HTTP\/1\.1 201 /);
  await closed;
  await t.throwsAsync(own.call('/version'), { code: 'ECONNREFUSED' });
  await own.close();
});

test('the same server answers at further addresses, and shows a new certificate without ending what is open, until it closes', async (t) => {
  const own = await httpsApi();
  const { ca } = own.certificates;
  const certificate = await issueCertificate({ ca, commonName: 'apiserver', usages: ['server'], ipAddresses: ['127.0.0.9'], lifetimeDays: 1, nowMs: Date.now() });
  const open = await own.raw();
  const watch = await own.open(`${configMaps}?watch=true`);
  t.is(open.getPeerX509Certificate()?.fingerprint256, new X509Certificate(own.certificates.server.cert).fingerprint256);
  own.server.useTls({ ...certificate, cert: `${certificate.cert}${ca.cert}`, ca: ca.cert });
  t.deepEqual(await own.server.listen({ host: '127.0.0.9', port: own.port }), { address: '127.0.0.9', port: own.port });
  await t.throwsAsync(own.server.listen({ host: '127.0.0.9', port: own.port }), { code: 'EADDRINUSE' });
  const version = (): Promise<number | undefined> => new Promise((resolve, reject) => {
    get({ host: '127.0.0.9', port: own.port, path: '/version', ca: ca.cert, agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });
  t.is(await version(), 200);
  const shown = await new Promise<PeerCertificate>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: own.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    }).on('error', reject);
  });
  t.is(shown.fingerprint256, new X509Certificate(certificate.cert).fingerprint256, 'who connects now sees the new one');
  t.is((shown as DetailedPeerCertificate).issuerCertificate.fingerprint256, new X509Certificate(ca.cert).fingerprint256, 'with the authority beside it');
  const admin = { ...own.certificates.admin, ca: ca.cert, host: '127.0.0.9', port: own.port, agent: false, method: 'POST', path: configMaps } as const;
  await new Promise((resolve, reject) => request(admin, resolve).on('error', reject).end(JSON.stringify({ metadata: { name: 'seen' } })));
  const [event] = await once(watch, 'data') as [Buffer];
  t.regex(event.toString(), /"ADDED".*"seen"/, 'a watch from before goes on');
  watch.destroy();
  open.write('GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  t.regex(String((await once(open, 'data'))[0]), /^HTTP\/1\.1 200 /, 'and so does a connection');
  await own.close();
  await t.throwsAsync(version(), { code: 'ECONNREFUSED' });
  await t.throwsAsync(own.server.listen({ host: '127.0.0.9', port: own.port }), { message: /closed/ });
});

test('a reader that does not read is dropped', async (t) => {
  const own = await httpsApi({ limits: { drainMs: 200 } });
  t.teardown(() => own.close());
  const socket = await own.raw();
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${configMaps}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`);
  const data = { x: 'x'.repeat(900_000) };
  for (let index = 0; index < 12; index++) await own.call(configMaps, { body: { metadata: { name: `fill-${index}` }, data } });
  await new Promise((resolve) => setTimeout(resolve, 400));
  let read = 0;
  socket.on('data', (chunk: Buffer) => { read += chunk.length; });
  socket.resume();
  await once(socket, 'close');
  t.true(read < 12 * 900_000, `${read} bytes`);
});

test('who sends too slowly is cut off, who waits for a watch is not', async (t) => {
  const own = await httpsApi({ limits: { headersMs: 150, requestMs: 150 } });
  t.teardown(() => own.close());
  const watch = await own.open(`${configMaps}?watch=true`);
  watch.resume();
  for (const start of ['GET /version HTTP/1.1\r\nHost:', `POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`]) {
    const socket = await own.raw();
    const reply: string[] = [];
    socket.on('data', (chunk: Buffer) => reply.push(chunk.toString()));
    socket.write(start);
    await once(socket, 'close');
    t.regex(reply.join(''), /^HTTP\/1\.1 408 [^]*"kind":"Status"/);
  }
  t.false(watch.destroyed);
});

test('a fault of ours is a 500 without details, and one line in the log', async (t) => {
  const faulty = recordingLog();
  const own = await httpsApi({ serverLog: faulty });
  t.teardown(() => own.close());
  own.core.send = () => Promise.reject(new Error('secret path /var/lib'));
  const answer = await own.call(`${configMaps}/x`);
  t.like(answer.json(), { kind: 'Status', code: 500, reason: 'InternalError', message: 'Internal error occurred' });
  t.is(faulty.errors.length, 1);
});

test('no query and no body makes the server fail', async (t) => {
  // What it deletes must not be what the other tests look at.
  const own = '/api/v1/namespaces/fuzzed/configmaps';
  await api.call('/api/v1/namespaces', { body: { metadata: { name: 'fuzzed' } } });
  await api.call(own, { body: { metadata: { name: 'seed' } } });
  const part = fc.oneof(fc.constantFrom('api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'pods', 'configmaps', 'log', 'scale', 'status', 'openapi', 'v3', 'healthz', '%2e', '%00', '..', '?', '&', 'watch=x', 'limit=', '='), fc.webPath(), fc.webQueryParameters());
  const query = fc.constantFrom('', '?limit=1&continue=x', '?fieldSelector=,', '?labelSelector=a+in+(', '?resourceVersion=-1', '?resourceVersion=99999999999999999999', '?resourceVersionMatch=Exact', '?dryRun=', '?fieldValidation=Strict', '?gracePeriodSeconds=1');
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS');
  const type = fc.constantFrom('', 'application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/merge-patch+json', 'application/json-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml', 'x/y');
  const odd = fc.constantFrom(null, [], 'x', 1, {}, { metadata: null }, { metadata: [] }, { metadata: { name: 1 } }, { metadata: { name: 'n', labels: [] } }, { kind: 7 }, { metadata: { name: 'n' }, data: 7 }, [{ op: 'x' }], { spec: { $patch: 'x' } }, { $setElementOrder: 1 }, { metadata: { finalizers: {} } });
  const body = fc.oneof(fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)), odd.map((value) => JSON.stringify(value)), fc.json(), fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)])));
  const target = fc.oneof(fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`.replaceAll(/[^\x21-\x7e]/g, '')), fc.tuple(fc.constantFrom(own, `${own}/seed`, '/api/v1/nodes/n', '/apis/apps/v1/namespaces/default/deployments', '/apis/apps/v1/namespaces/default/deployments/d/scale', '/api/v1/namespaces/default/pods/p/binding', '/api/v1/namespaces/default/pods/p/eviction', '/api/v1/namespaces/default/pods/p/status'), query).map((both) => both.join('')));
  const before = log.errors.length;
  await fc.assert(fc.asyncProperty(target, method, type, body, async (path, verb, contentType, bytes) => {
    if (/[?&]watch/.test(path)) return;
    const headers = contentType === '' ? {} : { 'content-type': contentType };
    const answer = await api.call(path, { method: verb, headers, ...(verb === 'GET' || verb === 'HEAD' ? {} : { body: bytes }) });
    t.true(answer.code < 500 || answer.code === 504, `${verb} ${path} ${contentType} ${bytes.toString('latin1')}: ${answer.text}`);
    if (answer.code >= 400 && verb !== 'HEAD') t.is(answer.json()['kind'], 'Status');
  }), { numRuns: 300 });
  t.deepEqual(log.errors.slice(before), []);
});

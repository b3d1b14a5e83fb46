import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import { htmlTurner, isTurned } from '../../../apiserver/http/proxy-html.ts';
import { turnedLink } from '../../../apiserver/http/proxy-headers.ts';
import { parseProxyPath } from '../../../apiserver/http/proxy-path.ts';
import type { NewObject } from '../../../client/client.ts';
import { Endpoints } from '../../../schemas/kinds/core/endpoints.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { Service } from '../../../schemas/kinds/core/service.ts';
import { admin } from '../../helpers/api.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { httpsApi, testCertificates, type HttpsApi } from '../../helpers/https-api.ts';

/** What listens at the cluster's addresses: `address:port` of the cluster to a port of this test. */
const listening = new Map<string, number>();
/** `address:port` of each pod. */
const placeOf = new Map<string, string>();

let api: HttpsApi;

const pods = '/api/v1/namespaces/default/pods';
const services = '/api/v1/namespaces/default/services';

/** An HTTP server of this test at the address of a pod of that name, and a service in front of it. */
const serve = async (t: ExecutionContext, name: string, { server = createServer(), port = 8080 }: { readonly server?: Server; readonly port?: number } = {}): Promise<Server> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  const ip = `10.244.0.${placeOf.size + 1}`;
  listening.set(`${ip}:${port}`, (server.address() as AddressInfo).port);
  placeOf.set(name, `${ip}:${port}`);
  const metadata = { name, namespace: 'default' };
  await api.client.of(Pod).create({ metadata, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: port }] }] } } as NewObject<Pod>);
  await api.client.of(Pod).modifyStatus(metadata, (draft) => { draft.status = { ...draft.status, phase: 'Running', podIP: ip, podIPs: [{ ip }] }; });
  await api.client.of(Service).create({ metadata, spec: { ports: [{ port: 80 }] } } as NewObject<Service>);
  await api.client.of(Endpoints).create({ metadata, subsets: [{ addresses: [{ ip, targetRef: { kind: 'Pod', name, namespace: 'default' } }], ports: [{ port }] }] } as NewObject<Endpoints>);
  return server;
};

test.before(async () => {
  // Port 1 of the loopback refuses.
  api = await httpsApi({ limits: { bodyBytes: 1_000 }, dial: ({ host, port }) => connect({ host: '127.0.0.1', port: listening.get(`${host}:${port}`) ?? 1 }) });
  await api.client.of(Node).create({ metadata: { name: 'n1' }, spec: { podCIDR: '10.244.0.0/24' } });
});
test.after.always(() => api.close());

test('paths through a proxy', (t) => {
  t.deepEqual(parseProxyPath('/api/v1/namespaces/a/services/http:web:80/proxy/x//y?'), { prefix: '/api/v1/namespaces/a/services/http:web:80/proxy', resource: 'services', namespace: 'a', name: 'http:web:80', path: '/x//y?' });
  t.like(parseProxyPath('/api/v1/nodes/n1/proxy'), { resource: 'nodes', namespace: undefined, name: 'n1', path: '' });
  t.like(parseProxyPath('/api/v1/namespaces/a/pods/web%3A80/proxy/'), { name: 'web:80', path: '/' });
  for (const other of ['/api/v1/pods/web/proxy/', '/api/v1/namespaces/a/nodes/n/proxy', '/apis/apps/v1/namespaces/a/pods/x/proxy/', '/api/v1/namespaces/a/pods/x/proxyx', '/api/v1/namespaces/a/pods/../proxy/', '/api/v1/namespaces/a/pods/..%2fx/proxy/', 'http://evil/api/v1/nodes/n1/proxy/']) {
    t.is(parseProxyPath(other), undefined, other);
  }
  t.throws(() => parseProxyPath('/api/v1/nodes/%zz/proxy/'), { message: /escape/ });
});

test('a request reaches the pod as it is, without who sent it, by pod and by service', async (t) => {
  const app = await serve(t, 'web1');
  const name = 'web1';
  let seen: IncomingMessage | undefined;
  app.on('request', (request, response) => {
    seen = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(207, { 'X-App': 'yes', 'Set-Cookie': ['a=1', 'b=2'], Connection: 'X-Private', 'X-Private': 'secret', 'Access-Control-Allow-Origin': '*' });
      response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
    });
  });
  for (const [base, target] of [[`${services}/${name}:80/proxy`, 'by number'], [`${services}/${name}/proxy`, 'the only one'], [`${pods}/${name}:8080/proxy`, 'by number'], [`${pods}/http:${name}:web/proxy`, 'by name'], [`${pods}/${name}/proxy`, 'the first']] as const) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await api.call(`${base}/a%2Fb//c;d?x=1&x=%20+`, { method, ...(method === 'GET' ? {} : { body: 'text' }) });
      t.is(answer.code, 207, target);
      t.is(answer.text, `${method} /a%2Fb//c;d?x=1&x=%20+ ${method === 'GET' ? '' : 'text'}`);
      t.is(answer.headers['x-app'], 'yes');
      t.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
      t.is(answer.headers['x-private'], undefined);
      t.is(answer.headers['access-control-allow-origin'], undefined);
    }
  }
  t.is((await api.call(`${pods}/${name}/proxy/head`, { method: 'HEAD' })).code, 207);

  await api.call(`${pods}/${name}/proxy/who`, { headers: {
    authorization: 'Bearer t0ken', 'x-remote-user': 'root', 'x-remote-extra-scopes': 'all', 'impersonate-user': 'admin', 'impersonate-group': 'system:masters', 'proxy-authorization': 'Basic x', te: 'trailers',
    cookie: 'session=1', 'x-forwarded-for': '198.51.100.1', 'user-agent': 'tester', connection: 'x-hop', 'x-hop': '1', 'x-many': ['1', '2'],
  } });
  const { headers } = seen!;
  for (const gone of ['authorization', 'x-remote-user', 'x-remote-extra-scopes', 'impersonate-user', 'impersonate-group', 'proxy-authorization', 'te', 'x-hop']) t.is(headers[gone], undefined, gone);
  t.like(headers, {
    cookie: 'session=1', 'user-agent': 'tester', 'x-many': '1, 2', 'x-forwarded-for': '198.51.100.1, 127.0.0.1', 'x-forwarded-proto': 'https',
    'x-forwarded-host': `127.0.0.1:${api.port}`, 'x-forwarded-uri': `${pods}/${name}/proxy/who`, host: `127.0.0.1:${api.port}`,
  });
});

test('redirects and links lead through the proxy again, and nobody follows them here', async (t) => {
  const app = await serve(t, 'web2');
  const name = 'web2';
  let requests = 0;
  app.on('request', (request, response) => {
    requests++;
    if (request.url === '/page') response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': 20 }).end('<a href="/x">é</a>\n');
    else response.writeHead(302, { Location: decodeURIComponent(request.url!.slice(1)) }).end();
  });
  const prefix = `${services}/${name}/proxy`;
  const host = placeOf.get(name)!;
  const locations: readonly (readonly [string, string])[] = [
    ['/login?a=b', `${prefix}/login?a=b`], [`http://${host}/x`, `${prefix}/x`], [`http://${host}`, `${prefix}/`], ['relative', 'relative'], ['../up', '../up'],
    ['http://169.254.169.254/latest/', 'http://169.254.169.254/latest/'], ['https://example.org/', 'https://example.org/'], [`${prefix}/y`, `${prefix}/y`], ['?q', '?q'],
    ['//evil.example/x', '//evil.example/x'],
  ];
  for (const [location, turned] of locations) {
    const answer = await api.call(`${prefix}/${encodeURIComponent(location)}`);
    t.is(answer.code, 302);
    t.is(answer.headers.location, turned, location);
  }
  t.is(requests, locations.length);
  const bare = await api.call(`${prefix}?x=1`);
  t.is(bare.code, 301);
  t.is(bare.headers.location, `${prefix}/?x=1`);
  t.is((await api.call(`${prefix}/page`)).text, `<a href="${prefix}/x">é</a>\n`);
});

/** The page after the turner, cut into pieces of a size. */
const turnedPage = async (page: string, size: number): Promise<string> => {
  const bytes = Buffer.from(page);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
  const out: Buffer[] = [];
  await pipeline(pieces, htmlTurner({ prefix: '/p', hosts: ['h:1'] }), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) out.push(chunk);
  });
  return Buffer.concat(out).toString();
};

test('links in pages, however the page is cut', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['<A HREF=/x class="a>b">ü</A>', '<A HREF=/p/x class="a>b">ü</A>'], ['<img alt=\'<a href="/no">\' src="/i.png"/>', '<img alt=\'<a href="/no">\' src="/p/i.png"/>'],
    ['<link rel=x href="//cdn/x"><script src="/s.js">var a = "<a href=\'/no\'>";</script><a href="/y">', '<link rel=x href="//cdn/x"><script src="/p/s.js">var a = "<a href=\'/no\'>";</script><a href="/p/y">'],
    ['<!-- <a href="/no"> --><a href="http://h:1/z">', '<!-- <a href="/no"> --><a href="/p/z">'], ['a < b <form action="/f" method=post>', 'a < b <form action="/p/f" method=post>'],
    ['<textarea><a href="/no"></textarea ><a data-href="/no" href="">', '<textarea><a href="/no"></textarea ><a data-href="/no" href="">'], ['text <', 'text <'], ['<a href="/open', '<a href="/open'],
    [`<a title="${'x'.repeat(70_000)}" href="/long">`, `<a title="${'x'.repeat(70_000)}" href="/${'long'}">`],
  ];
  for (const [page, turned] of cases) {
    for (const size of page.length > 1000 ? [4096] : [1, 2, 3, 7, 1000]) t.is(await turnedPage(page, size), turned);
  }
  t.true(isTurned({ 'content-type': 'text/html; charset=utf-8' }));
  for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'text/html', 'content-encoding': 'gzip' }, { 'content-type': 'text/html;charset=UTF-16' }, { 'content-type': 'text/htmlx' }, {}]) t.false(isTurned(headers));
  t.is(turnedLink('/px', { prefix: '/p', hosts: [] }), '/p/px');
});

test('bodies stream both ways at once, with their bytes and without being held', async (t) => {
  const app = await serve(t, 'web3');
  const name = 'web3';
  app.on('request', (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    request.pipe(response);
  });
  const socket = await api.raw();
  socket.write(`POST ${pods}/${name}/proxy/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  let reply = '';
  socket.on('data', (chunk: Buffer) => { reply += chunk.toString('latin1'); });
  while (!reply.includes('hello')) await once(socket, 'data');
  socket.write('5\r\nworld\r\n0\r\n\r\n');
  while (!reply.endsWith('0\r\n\r\n')) await once(socket, 'data');
  t.true(reply.includes('world'));
  socket.destroy();
  const large = randomBytes(8 * 2 ** 20);
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const answer = await api.call(`${services}/${name}:80/proxy/large`, { method: 'PUT', body: large });
  t.is(answer.code, 200);
  t.is(sum(answer.bytes), sum(large));
});

test('a client that goes takes its request along, an application that breaks off is not taken for one that ended', async (t) => {
  const app = await serve(t, 'web4');
  const name = 'web4';
  const left = Promise.withResolvers<void>();
  app.on('request', (request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'Content-Length': 100 }).write('half');
      setImmediate(() => request.socket.destroy());
      return;
    }
    response.writeHead(200).write('first');
    response.on('close', left.resolve);
  });
  const stream = await api.open(`${pods}/${name}/proxy/endless`);
  await once(stream, 'data');
  stream.destroy();
  await left.promise;
  await t.throwsAsync(api.call(`${pods}/${name}/proxy/cut`));
});

test('answers that are none are told as errors, and harm nobody', async (t) => {
  const app = await serve(t, 'odd', { server: createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request: Buffer) => socket.end(decodeURIComponent(/^\S+ \/(\S*)/.exec(request.toString())![1]!)));
  }) as unknown as Server });
  t.true(app.listening);
  for (const answer of ['HTTP/1.1 099 Odd\r\n\r\n', 'HTTP/1.1 000 Odd\r\n\r\n', 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'HTTP/1.1 99999 Odd\r\n\r\n', 'no HTTP', 'HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', '']) {
    const path = `${services}/odd/proxy/${answer.length > 1_000 ? 'HTTP%2F1.1%20200%20OK%0D%0A' + 'X:x%0D%0A'.repeat(1_500) : encodeURIComponent(answer)}`;
    const got = await api.call(path);
    t.like(got.json(), { kind: 'Status', code: 503 }, answer.slice(0, 60));
    if (!answer.includes('101')) t.true([503, 0].includes((await api.call(path, { headers: { connection: 'Upgrade', upgrade: 'anything' } }).catch(() => ({ code: 0 }))).code), answer.slice(0, 60));
  }
  t.is((await api.call('/version')).code, 200);
});

test('a body may take long as long as it moves', async (t) => {
  const clock = new FakeClock();
  const own = await httpsApi({ limits: { headersMs: 150, requestMs: 150 }, serverClock: clock, dial: ({ host, port }) => connect({ host: '127.0.0.1', port: listening.get(`${host}:${port}`) ?? 1 }), storage: api.storage });
  t.teardown(() => own.close());
  (await serve(t, 'slow')).on('request', (request, response) => request.pipe(response));
  await own.core.as(admin).send({ verb: 'get', group: '', version: 'v1', resource: 'services', namespace: 'default', name: 'slow' });
  const moving = await own.raw();
  let reply = '';
  moving.on('data', (chunk: Buffer) => { reply += chunk.toString(); });
  moving.write(`POST ${pods}/slow/proxy/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
  for (const letter of 'bcd') {
    // A request of another kind is cut off by then.
    const other = await own.raw();
    other.write('POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    other.resume();
    await once(other, 'close');
    moving.write(`1\r\n${letter}\r\n`);
    while (!reply.includes(`1\r\n${letter}`)) await once(moving, 'data');
  }
  const gone = once(moving, 'close');
  await clock.advance(150);
  await clock.advance(150);
  await gone;
  t.false(reply.endsWith('0\r\n\r\n'));
});

test('WebSockets go through, with their protocols and without bearer tokens', async (t) => {
  const app = await serve(t, 'web5');
  const name = 'web5';
  let seen: IncomingMessage | undefined;
  new WebSocketServer({ server: app, handleProtocols: () => 'chat', path: '/chat' }).on('connection', (socket, request) => {
    seen = request;
    socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const { ca, admin } = api.certificates;
  const open = (path: string, headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`wss://127.0.0.1:${api.port}${path}`, ['base64url.bearer.authorization.k8s.io.c2VjcmV0', 'chat'], { ca: ca.cert, cert: admin.cert, key: admin.key, headers });
  const socket = open(`${services}/${name}:80/proxy/chat?room=1`, { authorization: 'Bearer t0ken', cookie: 'c=1' });
  await once(socket, 'open');
  socket.send('hi');
  t.is(String((await once(socket, 'message') as [Buffer])[0]), 'hi');
  const large = randomBytes(2 ** 20);
  socket.send(large);
  t.true(large.equals((await once(socket, 'message') as [Buffer])[0]));
  t.is(seen!.url, '/chat?room=1');
  t.like(seen!.headers, { 'sec-websocket-protocol': 'chat', cookie: 'c=1', upgrade: 'websocket' });
  t.is(seen!.headers.authorization, undefined);
  socket.close(1000);
  await once(socket, 'close');
  // What does not switch answers for itself.
  const refused = open(`${services}/${name}:80/proxy/nothing`);
  const [, answer] = await once(refused, 'unexpected-response') as [unknown, IncomingMessage];
  t.is(answer.statusCode, 400);
  answer.destroy();
});

test('pods behind TLS are reached with whatever certificate they have, and see none of ours', async (t) => {
  const { server: pair } = await testCertificates();
  let shown: object | undefined;
  await serve(t, 'safe', { port: 443, server: createTlsServer({ ...pair, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    shown = (request.socket as TLSSocket).getPeerCertificate();
    response.end('safe');
  }) as unknown as Server });
  t.is((await api.call(`${pods}/https:safe:/proxy/`)).text, 'safe');
  t.deepEqual(shown, {});
});

test('what cannot be reached or may not be asked is told as a Status', async (t) => {
  await serve(t, 'gone');
  listening.delete(placeOf.get('gone')!);
  const refused = await api.call(`${services}/gone/proxy/`);
  t.like(refused.json(), { kind: 'Status', status: 'Failure', code: 503, reason: 'ServiceUnavailable' });
  t.regex(refused.text, /error trying to reach service: connect ECONNREFUSED/);
  t.like((await api.call(`${services}/none/proxy/`)).json(), { kind: 'Status', code: 404 });
  t.like((await api.call(`${services}/gone/proxy/`, { as: null })).json(), { kind: 'Status', code: 403 });
  t.like((await api.call(`${services}/gone/proxy/`, { method: 'PROPFIND' })).json(), { kind: 'Status', code: 405 });
  t.is((await api.call(`${services}/gone/proxy/`, { headers: { connection: 'Upgrade', upgrade: 'anything' } })).code, 503);
});

test('pages of other sites may not write through a proxy, pages behind kubectl proxy may', async (t) => {
  const app = await serve(t, 'web6');
  const name = 'web6';
  app.on('request', (_request, response) => response.end('ok'));
  const post = async (origin: string, path = `${services}/${name}/proxy/save`): Promise<number> => (await api.call(path, { body: 'x', headers: { origin } })).code;
  t.is(await post('https://evil.example'), 403);
  t.is(await post('http://localhost.evil.example'), 403);
  t.is(await post('null'), 403);
  t.is(await post('http://127.0.0.1:8001'), 200);
  t.is(await post('http://localhost:8001'), 200);
  t.is(await post('http://127.0.0.1:8001', '/api/v1/namespaces/default/configmaps'), 403);
  t.is(await post('http://127.0.0.1:8001', '/api/v1/namespaces/default/configmaps?/proxy/'), 403);
});

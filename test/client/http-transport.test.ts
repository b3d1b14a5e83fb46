import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { WebSocketServer, type WebSocket } from 'ws';
import { createHttpTransport, warningsOf, type HttpTransportOptions } from '../../client/http-transport.ts';
import { LineSplitter } from '../../client/line-splitter.ts';
import { httpRequestOf } from '../../client/request-url.ts';
import type { ApiRequest, WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';

interface Seen { readonly method: string | undefined; readonly url: string | undefined; readonly headers: IncomingMessage['headers']; readonly body: string }

/** A server on the loopback whose answers the test writes. */
const serve = async (answer: (request: Seen, response: ServerResponse) => void, options: Partial<HttpTransportOptions> = {}) => {
  const seen: Seen[] = [];
  let connections = 0;
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    answer(seen.at(-1)!, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = createHttpTransport({ server: url, token: 'secret', ...options });
  return { server, url, transport, seen, connections: () => connections, close: () => {
    transport.close();
    server.closeAllConnections();
    server.close();
  } };
};

const pods: ApiRequest = { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: 'default' };
const json = (response: ServerResponse, code: number, body: unknown, headers: Record<string, string | string[]> = {}): void => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const read = async (events: AsyncIterable<readonly WatchEvent[]>): Promise<WatchEvent[]> => {
  const all: WatchEvent[] = [];
  for await (const batch of events) all.push(...batch);
  return all;
};
const event = (name: string) => ({ type: 'ADDED', object: { apiVersion: 'v1', kind: 'Pod', metadata: { name } } });

for (const [what, request, method, path, body] of [
  ['a list', { ...pods, options: { labelSelector: 'a=b,c', limit: 5, continue: 'x/y' } }, 'GET', '/api/v1/namespaces/default/pods?labelSelector=a%3Db%2Cc&limit=5&continue=x%2Fy', undefined],
  ['a watch', { ...pods, verb: 'watch', namespace: undefined, options: { resourceVersion: '7', allowWatchBookmarks: true } }, 'GET', '/api/v1/pods?watch=true&resourceVersion=7&allowWatchBookmarks=true', undefined],
  ['a name with signs', { ...pods, verb: 'get', name: 'a/b?c' }, 'GET', '/api/v1/namespaces/default/pods/a%2Fb%3Fc', undefined],
  ['a status', { verb: 'update', group: 'apps', version: 'v1', resource: 'deployments', namespace: 'n', name: 'web', subresource: 'status', body: { a: 1 }, options: { dryRun: true } }, 'PUT', '/apis/apps/v1/namespaces/n/deployments/web/status?dryRun=All', '{"a":1}'],
  ['an apply', { verb: 'patch', group: '', version: 'v1', resource: 'namespaces', name: 'n', patchType: 'apply', body: {}, options: { fieldManager: 'me', force: true } }, 'PATCH', '/api/v1/namespaces/n?fieldManager=me&force=true', '{}'],
  ['a delete', { ...pods, verb: 'delete', name: 'a', options: { gracePeriodSeconds: 0, propagationPolicy: 'Foreground', dryRun: true } }, 'DELETE', '/api/v1/namespaces/default/pods/a', '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"propagationPolicy":"Foreground","dryRun":["All"]}'],
] as const) {
  test(`goes over HTTP: ${what}`, (t) => {
    t.like(httpRequestOf(request as ApiRequest), { method, path, body });
  });
}

test('lines are found however the bytes are cut', (t) => {
  const text = Buffer.from('first\n\nzwölf\nrest');
  for (let size = 1; size <= text.length; size++) {
    const lines = new LineSplitter(100);
    const found: string[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...lines.push(text.subarray(at, at + size)));
    t.deepEqual([...found, lines.end()], ['first', '', 'zwölf', 'rest']);
  }
  t.throws(() => new LineSplitter(4).push(Buffer.from('abcde')), { instanceOf: RangeError });
});

test('warning headers become texts', (t) => {
  t.deepEqual(warningsOf('299 - "one, two", 299 barge "say \\"hi\\""'), ['one, two', 'say "hi"']);
  t.deepEqual(warningsOf(undefined), []);
});

test('sends credentials, keeps the connection, gives frozen bodies and warnings', async (t) => {
  const world = await serve((_request, response) => json(response, 200, {
    kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'a' } }],
  }, { warning: ['299 - "careful"', '299 - "really"'] }));
  for (let n = 0; n < 3; n++) {
    const answer = await world.transport.send(pods);
    t.deepEqual(answer.warnings, ['careful', 'really']);
    t.true('items' in answer.body && Object.isFrozen(answer.body.items[0]?.metadata));
    t.like(answer.body, { items: [{ kind: 'Pod', apiVersion: 'v1' }] });
  }
  t.is(world.seen[0]?.headers.authorization, 'Bearer secret');
  t.is(world.connections(), 1);
  world.close();
});

test('a Status becomes the ApiError it stands for; anything else one by its code', async (t) => {
  let which = 0;
  const world = await serve((_request, response) => {
    const answers = [
      () => json(response, 409, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'AlreadyExists', message: 'pods "a" already exists', code: 409, details: { name: 'a' } }),
      () => response.writeHead(503).end('try later'),
      () => response.writeHead(200).end('<html>'),
      () => response.destroy(),
    ];
    answers[which++]?.();
  });
  await t.throwsAsync(world.transport.send({ ...pods, verb: 'create', body: {} }), { instanceOf: ApiError, message: 'pods "a" already exists', code: 409 });
  await t.throwsAsync(world.transport.send(pods), { message: 'try later', code: 503 });
  await t.throwsAsync(world.transport.send(pods), { message: /not JSON: <html>/, code: 503 });
  await t.throwsAsync(world.transport.send({ ...pods, verb: 'create', body: {} }), { code: 503 });
  world.close();
  await t.throwsAsync(world.transport.send(pods), { message: /ECONNREFUSED/, code: 503 });
});

test('a read that meets a connection the server has just closed is sent again; a write is not', async (t) => {
  let requests = 0;
  const world = await serve((request, response) => {
    // Every second request finds its kept connection closed.
    if (++requests % 2 === 0) response.socket?.destroy();
    else json(response, 200, { kind: 'Pod', apiVersion: 'v1', metadata: { name: request.method } });
  });
  await world.transport.send(pods);
  await t.notThrowsAsync(world.transport.send(pods));
  await t.throwsAsync(world.transport.send({ ...pods, verb: 'create', body: {} }), { code: 503 });
  t.is(world.seen.filter((request) => request.method === 'POST').length, 1);
  world.close();
});

test('an idle connection is given up before the server closes it', async (t) => {
  const http = await serve((_, response) => json(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [] }, { 'keep-alive': 'timeout=2' }));
  t.teardown(http.close);
  const closed = new Promise<string>((resolve) => http.server.once('connection', (socket: Socket) => socket.once('end', () => resolve('by the client'))));
  await http.transport.send(pods);
  t.is(await Promise.race([closed, delay(10_000, 'not at all', { ref: false })]), 'by the client');
});

test('a burst of requests waits for a few connections; leases and watches do not wait for it', async (t) => {
  const waiting: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  const world = await serve((request, response) => {
    const answer = (): void => json(response, 200, { kind: 'Pod', apiVersion: 'v1', metadata: { name: request.url } });
    if (request.url?.includes('leases') === true) return answer();
    if (request.url?.includes('watch') === true) return void response.writeHead(200).end(`${JSON.stringify(event('a'))}\n`);
    waiting.push(answer);
    if (waiting.length === 3) arrived.resolve();
  }, { requestsAtATime: 3 });
  const burst = Array.from({ length: 50 }, () => world.transport.send({ ...pods, verb: 'create', body: {} }));
  await arrived.promise;
  await world.transport.send({ verb: 'update', group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace: 'kube-node-lease', name: 'n', body: {} });
  t.deepEqual((await read(world.transport.watch(pods, new AbortController().signal))).map(({ type }) => type), ['ADDED']);
  t.is(waiting.length, 3);
  const answering = setInterval(() => waiting.splice(0).forEach((answer) => answer()), 1);
  t.is((await Promise.all(burst)).length, 50);
  clearInterval(answering);
  t.is(world.connections(), 5);
  world.close();
});

test('a server that does not answer in time', async (t) => {
  const world = await serve(() => undefined, { timeoutMs: 30 });
  await t.throwsAsync(world.transport.send(pods), { message: /no answer to GET .* within 30 ms/, code: 503 });
  world.close();
});

test('watch by HTTP: events as they come, the end, an ERROR event, a refusal, an abort', async (t) => {
  let which = 0;
  const held: ServerResponse[] = [];
  const world = await serve((_request, response) => {
    const lines = [event('a'), event('b'), event('c')].map((one) => JSON.stringify(one)).join('\n');
    const answers = [
      () => {
        response.write(lines.slice(0, 90));
        setImmediate(() => response.end(`${lines.slice(90)}\n`));
      },
      () => response.end(`${JSON.stringify(event('a'))}\n${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410, message: 'too old', metadata: {} } })}\n`),
      () => json(response, 403, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Forbidden', message: 'no', code: 403 }),
      () => {
        held.push(response);
        response.write(`${JSON.stringify(event('a'))}\n`);
      },
    ];
    answers[which++]?.();
  });
  const { signal } = new AbortController();
  t.deepEqual((await read(world.transport.watch(pods, signal))).map((one) => one.object.metadata.name), ['a', 'b', 'c']);
  const got: WatchEvent[] = [];
  await t.throwsAsync(async () => { for await (const batch of world.transport.watch(pods, signal)) got.push(...batch); }, { code: 410 });
  t.is(got.length, 1);
  await t.throwsAsync(read(world.transport.watch(pods, signal)), { code: 403 });
  const stop = new AbortController();
  for await (const batch of world.transport.watch(pods, stop.signal)) {
    t.is(batch.length, 1);
    stop.abort();
  }
  t.is(held.length, 1);
  world.close();
});

const webSocketServer = (server: Server, handle: (socket: WebSocket, request: IncomingMessage) => void): WebSocketServer => {
  const sockets = new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false });
  sockets.on('connection', handle);
  return sockets;
};

test('watch by WebSocket: many events, the end, a break, an abort, a refusal', async (t) => {
  const world = await serve((_request, response) => json(response, 403, {}), { watchBy: 'websocket' });
  let which = 0;
  webSocketServer(world.server, (socket, request) => {
    t.true(request.url?.includes('watch=true'));
    t.is(request.headers.authorization, 'Bearer secret');
    const answers = [
      () => {
        for (let n = 0; n < 2_000; n++) socket.send(JSON.stringify(event(`p${n}`)));
        socket.close(1000);
      },
      () => {
        socket.send(JSON.stringify(event('a')));
        setTimeout(() => socket.terminate(), 20);
      },
      () => socket.send(JSON.stringify(event('a'))),
    ];
    answers[which++]?.();
  });
  const { signal } = new AbortController();
  const names = (await read(world.transport.watch(pods, signal))).map((one) => one.object.metadata.name);
  t.deepEqual(names, Array.from({ length: 2_000 }, (_, n) => `p${n}`));
  await t.throwsAsync(read(world.transport.watch(pods, signal)), { code: 503 });
  const stop = new AbortController();
  for await (const batch of world.transport.watch(pods, stop.signal)) {
    t.is(batch.length, 1);
    stop.abort();
  }
  world.close();
  const refusing = await serve(() => undefined, { watchBy: 'websocket' });
  refusing.server.on('upgrade', (_request, socket) => {
    const body = JSON.stringify({ kind: 'Status', metadata: {}, status: 'Failure', reason: 'Expired', message: 'too old', code: 410 });
    socket.end(`HTTP/1.1 410 Gone\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
  await t.throwsAsync(read(refusing.transport.watch(pods, signal)), { code: 410, message: 'too old' });
  refusing.close();
});

test('exec: input with its end, both outputs, sizes and the exit code', async (t) => {
  const world = await serve(() => undefined);
  const got: { input: string; sizes: unknown[]; url: string | undefined } = { input: '', sizes: [], url: undefined };
  webSocketServer(world.server, (socket, request) => {
    got.url = request.url;
    t.is(socket.protocol, 'v5.channel.k8s.io');
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) got.input += data.subarray(1).toString();
      if (data[0] === 4) got.sizes.push(JSON.parse(data.subarray(1).toString()));
      if (data[0] !== 255) return;
      t.is(data[1], 0);
      socket.send(Buffer.from('\x01out'));
      socket.send(Buffer.from('\x02err'));
      socket.send(Buffer.from(`\x03${JSON.stringify({ metadata: {}, status: 'Failure', reason: 'NonZeroExitCode', message: 'exit code 7', details: { causes: [{ reason: 'ExitCode', message: '7' }] } })}`));
      socket.close(1000);
    });
  });
  const output = { out: '', err: '' };
  const code = await world.transport.exec({ namespace: 'n', name: 'p' }, ['sh', '-c', 'a b'], {
    container: 'c', tty: true,
    stdin: (async function* () { yield Buffer.from('hel'); yield Buffer.from('lo'); })(),
    stdout: (bytes) => void (output.out += bytes.toString()),
    stderr: (bytes) => void (output.err += bytes.toString()),
    sizes: (async function* () { yield { columns: 80, rows: 24 }; await new Promise(() => undefined); })(),
  }, new AbortController().signal);
  t.is(code, 7);
  t.deepEqual(output, { out: 'out', err: 'err' });
  t.is(got.input, 'hello');
  t.deepEqual(got.sizes, [{ Width: 80, Height: 24 }]);
  t.is(got.url, '/api/v1/namespaces/n/pods/p/exec?command=sh&command=-c&command=a+b&container=c&stdin=true&stdout=true&tty=true');
  world.close();
});

test('exec: a process that cannot be started, and a connection that ends early', async (t) => {
  const world = await serve(() => undefined);
  let which = 0;
  webSocketServer(world.server, (socket) => {
    if (which++ === 0) socket.send(Buffer.from(`\x03${JSON.stringify({ metadata: {}, status: 'Failure', reason: 'InternalError', message: 'no such file' })}`));
    socket.close(1000);
  });
  const exec = () => world.transport.exec({ namespace: 'n', name: 'p' }, ['x'], { stdout: () => undefined }, new AbortController().signal);
  await t.throwsAsync(exec(), { code: 500, message: 'no such file' });
  await t.throwsAsync(exec(), { code: 503, message: /before the process did/ });
  world.close();
});

test('logs: the bytes as they come', async (t) => {
  const world = await serve((_request, response) => {
    response.write('one\n');
    response.end('two\n');
  });
  let text = '';
  for await (const bytes of world.transport.logs({ namespace: 'n', name: 'p' }, { follow: true, previous: false, tailLines: 5 }, new AbortController().signal)) text += bytes.toString();
  t.is(text, 'one\ntwo\n');
  t.is(world.seen[0]?.url, '/api/v1/namespaces/n/pods/p/log?follow=true&tailLines=5');
  world.close();
});

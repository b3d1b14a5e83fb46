import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Actions } from '../../kubelet-lite/actions.ts';
import { checkRequest, grpcHealth, servingStatus } from '../../kubelet-lite/grpc-health.ts';
import { realNetwork } from '../../kubelet-lite/network-probes.ts';
import { Probes } from '../../kubelet-lite/probes.ts';
import { SimulatedRuntime } from '../../kubelet-lite/runtime/simulated.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';

const framed = (...bytes: readonly number[]): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), Buffer.from(bytes)]);
const never = new AbortController().signal;

test('the messages are those of grpc.health.v1', (t) => {
  t.deepEqual([...checkRequest('')], [0, 0, 0, 0, 0]);
  t.deepEqual([...checkRequest('ab')], [0, 0, 0, 0, 4, 10, 2, 97, 98]);
  t.deepEqual([...checkRequest('x'.repeat(200)).subarray(0, 8)], [0, 0, 0, 0, 203, 10, 200, 1]);
  t.deepEqual([framed(), framed(8, 1), framed(8, 2), framed(8, 3), framed(8, 9), framed(18, 2, 1, 1, 8, 1), framed(16, 129, 1, 8, 2)].map(servingStatus),
    ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', '9', 'SERVING', 'NOT_SERVING']);
  for (const wrong of [Buffer.alloc(0), Buffer.from([1, 0, 0, 0, 0]), Buffer.from([0, 0, 0, 0, 9, 8, 1]), framed(8), framed(8, 255, 255, 255, 255, 255, 1), framed(11, 1)]) t.throws(() => servingStatus(wrong));
});

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

const serve = async (t: ExecutionContext, answer: Answer): Promise<number> => {
  const server = createServer();
  const open = new Set<ServerHttp2Stream>();
  server.on('stream', (stream, headers) => {
    open.add(stream);
    stream.on('error', () => undefined);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, headers, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => {
    for (const stream of open) stream.session?.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

/** An answer with a message and, as trailers, its outcome. */
const reply = (message: Buffer, trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' }): Answer => (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(message);
};

const ask = async (t: ExecutionContext, answer: Answer, service = ''): Promise<string | undefined> => grpcHealth({ host: '127.0.0.1', port: await serve(t, answer), service }, never);

test('a server that serves is asked as gRPC wants it', async (t) => {
  let asked: IncomingHttpHeaders = {};
  let sent: Buffer = Buffer.alloc(0);
  t.is(await ask(t, (stream, headers, body) => {
    asked = headers;
    sent = body;
    reply(framed(8, 1))(stream, headers, body);
  }, 'shop.Cart'), undefined);
  t.like(asked, { ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' });
  t.deepEqual(sent, checkRequest('shop.Cart'));
});

for (const [what, answer, words] of [
  ['does not serve', reply(framed(8, 2)), 'service unhealthy (responded with "NOT_SERVING")'],
  ['does not know', reply(framed()), 'service unhealthy (responded with "UNKNOWN")'],
  ['has no such service', reply(Buffer.alloc(0), { 'grpc-status': '5', 'grpc-message': 'unknown%20service' }), 'rpc error: code = NotFound desc = unknown service'],
  ['has no health service', (stream) => stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true }), 'rpc error: code = Unimplemented'],
  ['speaks HTTP', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'the answer is no gRPC: HTTP status 404'],
  ['says no outcome', (stream) => { stream.respond({ ':status': 200 }); stream.end('hello'); }, 'the answer is no gRPC: it has no grpc-status'],
  ['says nonsense', reply(Buffer.from('hello')), 'the answer is no plain gRPC message'],
  ['does not end', reply(Buffer.alloc(100_000)), 'the answer is no gRPC: it has no grpc-status'],
] as readonly (readonly [string, Answer, string])[]) test(`a server that ${what}`, async (t) => t.is(await ask(t, answer), words));

test('no connection, another protocol and a wait that is given up are errors', async (t) => {
  const server = createTcpServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as AddressInfo;
  await t.throwsAsync(grpcHealth({ host: '127.0.0.1', port, service: '' }, never));
  await new Promise((resolve) => { server.close(resolve); });
  await t.throwsAsync(grpcHealth({ host: '127.0.0.1', port, service: '' }, never), { message: /ECONNREFUSED/ });
  const abort = new AbortController();
  const silent = await serve(t, () => abort.abort());
  await t.throwsAsync(grpcHealth({ host: '127.0.0.1', port: silent, service: '' }, abort.signal), { message: 'given up' });
});

test('a probe counts a service that does not serve, and says why', async (t) => {
  let status = 1;
  const port = await serve(t, (stream, headers, body) => reply(framed(8, status))(stream, headers, body));
  const clock = new FakeClock();
  const failures: string[] = [];
  const probes = new Probes({ clock, actions: new Actions({ runtime: new SimulatedRuntime({ clock }), network: realNetwork, clock }), changed: () => undefined, failed: (_, kind, message) => failures.push(`${kind} ${message}`) });
  t.teardown(() => probes.keep(new Set()));
  probes.watch({ container: { name: 'a', readinessProbe: { grpc: { port }, failureThreshold: 1, periodSeconds: 1, timeoutSeconds: 60 } }, containerId: 'c', host: '127.0.0.1' }, clock.now(), false);
  const becomes = (ready: boolean): Promise<void> => eventually(async () => {
    await clock.advance(1_000);
    if (probes.verdicts().get('c')?.ready !== ready) throw new Error(`ready is not ${ready}`);
  });
  await becomes(true);
  status = 2;
  await becomes(false);
  t.regex(failures[0] ?? '', /^readiness service unhealthy \(responded with "NOT_SERVING"\)$/);
});

import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { constants, createDeflate, type Deflate } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { spdyDictionary } from '../../kubelet-lite/server/spdy-dictionary.ts';
import { sizeOf } from '../../kubelet-lite/server/web-socket-session.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { eventually } from '../helpers/eventually.ts';
import { agentFixture, agentPki, nodeName, type AgentFixture, type AgentPki } from './agent-fixture.ts';

const pki = agentPki();

interface Begun { readonly agent: AgentFixture; readonly port: number; readonly tls: { readonly ca: string; readonly cert: string; readonly key: string; readonly rejectUnauthorized: true; readonly host: string; readonly port: number } }

const begun = async (t: ExecutionContext): Promise<Begun> => {
  const agent = await agentFixture(pki);
  t.teardown(agent.close);
  await agent.start();
  agent.runtime.script('talker:1', { runs: [{ exit: { afterMs: 1_000, code: 1 }, output: [{ stream: 'stdout', line: 'first run' }] }, {
    output: [{ stream: 'stdout', line: 'out' }, { stream: 'stderr', line: 'err' }],
    exec: (command, input) => ({ stdout: input === '' ? `${command.join(' ')}\n` : input, stderr: 'noise', code: command[0] === 'fail' ? 7 : 0 }),
  }] });
  await agent.createPod({ name: 'talker', spec: { containers: [{ name: 'main', image: 'talker:1' }] } });
  await agent.phase('talker', 'Running');
  await agent.clock.advance(1_000);
  await agent.until('talker', ({ status }) => (status?.containerStatuses?.[0]?.restartCount === 1 ? undefined : 'has not been restarted'));
  const port = (await agent.api.client.of(Node).get({ name: nodeName })).status!.daemonEndpoints!.kubeletEndpoint!.Port;
  const { ca, client } = await pki;
  return { agent, port, tls: { ca: ca.cert, cert: client.cert, key: client.key, rejectUnauthorized: true, host: '127.0.0.1', port } };
};

const get = (tls: Begun['tls'], path: string, extra: Partial<AgentPki['client']> = {}): Promise<{ readonly code: number; readonly body: string }> => new Promise((resolve, reject) => {
  httpsRequest({ ...tls, ...extra, path, agent: false }, (response) => {
    let body = '';
    response.on('data', (chunk: Buffer) => { body += chunk.toString(); });
    response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
  }).on('error', reject).end();
});

test('logs of this and the previous run, and what is wrong with a request', async (t) => {
  const { tls } = await begun(t);
  const log = async (query: string): Promise<string> => (await get(tls, `/containerLogs/default/talker/main${query}`)).body;
  t.is(await log(''), 'out\nerr\n');
  t.is(await log('?previous=true'), 'first run\n');
  t.is(await log('?tailLines=1'), 'err\n');
  t.is(await log('?limitBytes=2'), 'ou');
  t.regex(await log('?timestamps=true&tailLines=1'), /^2026-01-01T00:00:01\.\d+Z err\n$/);
  const refusals: readonly (readonly [string, number, RegExp])[] = [
    ['/containerLogs/default/none/main', 404, /pods \\"none\\" not found/], ['/containerLogs/default/talker/other', 400, /container other is not valid for pod talker/],
    ['/containerLogs/default/talker/main?tailLines=-1', 400, /tailLines: \\"-1\\"/], ['/containerLogs/default/talker/main?follow=maybe', 400, /neither true nor false/],
    ['/containerLogs/default/talker/main?sinceTime=now', 400, /RFC 3339/], ['/nothing', 404, /could not find/], ['/exec/default/talker/main?command=x', 400, /upgrade/], ['/%zz/', 400, /well encoded/],
  ];
  for (const [path, code, words] of refusals) {
    const answer = await get(tls, path);
    t.is(answer.code, code, path);
    t.regex(answer.body, words);
  }
});

test('only the API server is let in', async (t) => {
  const { tls } = await begun(t);
  const { stranger } = await pki;
  t.is((await get(tls, '/containerLogs/default/talker/main', stranger)).code, 403);
  await t.throwsAsync(get({ ...tls, cert: undefined as unknown as string, key: undefined as unknown as string }, '/healthz'));
});

/** Opens a WebSocket and collects what comes on each channel until it closes. */
const dialogue = async ({ tls }: Begun, path: string, protocol: string, say: (socket: WebSocket) => void = () => undefined): Promise<Record<number, string>> => {
  const socket = new WebSocket(`wss://127.0.0.1:${tls.port}${path}`, protocol, { ca: tls.ca, cert: tls.cert, key: tls.key });
  const heard: Record<number, string> = {};
  socket.on('message', (data: Buffer) => { heard[data[0]!] = (heard[data[0]!] ?? '') + data.subarray(1).toString(); });
  await once(socket, 'open');
  say(socket);
  const [code] = await once(socket, 'close') as [number];
  if (code !== 1000) throw new Error(`closed with ${code}`);
  return heard;
};

test('exec over WebSocket, versions 4 and 5', async (t) => {
  const all = await begun(t);
  const exec = '/exec/default/talker/main?stdout=true&stderr=true';
  t.deepEqual(await dialogue(all, `${exec}&command=echo&command=hi`, 'v4.channel.k8s.io'), { 1: 'echo hi\n', 2: 'noise', 3: '{"metadata":{},"status":"Success"}' });
  const failed = await dialogue(all, `${exec}&command=fail`, 'v5.channel.k8s.io');
  t.deepEqual(JSON.parse(failed[3]!), { metadata: {}, status: 'Failure', message: 'command terminated with non-zero exit code: exit status 7', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '7' }] } });
  const typed = await dialogue(all, `${exec}&stdin=true&command=cat`, 'v5.channel.k8s.io', (socket) => {
    socket.send(Buffer.from('\0hello '));
    socket.send(Buffer.from('\0there'));
    socket.send(Buffer.from('\u0004{"Width":80,"Height":24}'));
    socket.send(Buffer.from([255, 0]));
  });
  t.is(typed[1], 'hello there');
});

test('sizes of terminals', (t) => {
  t.deepEqual(sizeOf('{"Width":80,"Height":24}'), { columns: 80, rows: 24 });
  for (const odd of ['', '{', '{"Width":0,"Height":1}', '{"Width":1e9,"Height":1}', '{"Width":"80","Height":24}', 'null']) t.is(sizeOf(odd), undefined, odd);
});

/** As much of a SPDY client as kubectl's is. */
class SpdyClient {
  readonly heard = new Map<number, string>();
  readonly ended = new Set<number>();
  readonly replies: number[] = [];
  readonly #socket: TLSSocket;
  readonly #deflate: Deflate = createDeflate({ dictionary: spdyDictionary, flush: constants.Z_SYNC_FLUSH });
  #rest = Buffer.alloc(0);

  constructor(socket: TLSSocket, head: Buffer) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#take(head);
  }

  static async open({ tls }: Begun, path: string, protocols: string): Promise<SpdyClient> {
    const socket = tlsConnect(tls);
    await once(socket, 'secureConnect');
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocols}\r\n\r\n`);
    let head = Buffer.alloc(0);
    while (!head.includes('\r\n\r\n')) head = Buffer.concat([head, (await once(socket, 'data') as [Buffer])[0]]);
    const text = head.toString('latin1');
    if (!text.startsWith('HTTP/1.1 101')) throw new Error(text);
    return new SpdyClient(socket, head.subarray(head.indexOf('\r\n\r\n') + 4));
  }

  async stream(id: number, headers: Record<string, string>, fin = false): Promise<void> {
    const number = (value: number): Buffer => { const out = Buffer.alloc(4); out.writeUInt32BE(value); return out; };
    const pairs = Object.entries(headers).flatMap(([name, value]) => [number(name.length), Buffer.from(name), number(value.length), Buffer.from(value)]);
    const block = Buffer.concat([number(Object.keys(headers).length), ...pairs]);
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer): void => { chunks.push(chunk); };
    this.#deflate.on('data', collect);
    await new Promise<void>((resolve) => { this.#deflate.write(block, () => setImmediate(resolve)); });
    this.#deflate.off('data', collect);
    const body = Buffer.concat([number(id), number(0), Buffer.from([0, 0]), ...chunks]);
    this.#socket.write(Buffer.concat([Buffer.from([0x80, 3, 0, 1, fin ? 1 : 0, 0, body.length >> 8, body.length & 255]), body]));
  }

  raw(data: Buffer): void {
    this.#socket.write(data);
  }

  data(id: number, text: string, fin = false): void {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(id);
    head.writeUInt32BE(((fin ? 1 : 0) << 24) | Buffer.byteLength(text), 4);
    this.#socket.write(Buffer.concat([head, Buffer.from(text)]));
  }

  get closed(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32BE(4) & 0xffffff;
      if (this.#rest.length < 8 + length) return;
      const body = this.#rest.subarray(8, 8 + length);
      if ((this.#rest[0]! & 0x80) !== 0) {
        if (this.#rest.readUInt16BE(2) === 2) this.replies.push(body.readUInt32BE(0));
      } else {
        const id = this.#rest.readUInt32BE(0);
        if (length > 0) this.heard.set(id, (this.heard.get(id) ?? '') + body.toString());
        if ((this.#rest[4]! & 1) !== 0) this.ended.add(id);
      }
      this.#rest = this.#rest.subarray(8 + length);
    }
  }
}

test('exec over SPDY: streams, exit code, end', async (t) => {
  const all = await begun(t);
  const client = await SpdyClient.open(all, '/exec/default/talker/main?stdin=true&stdout=true&stderr=true&command=fail', 'v5.channel.k8s.io, v4.channel.k8s.io');
  for (const [index, streamtype] of ['error', 'stdin', 'stdout', 'stderr'].entries()) await client.stream(index * 2 + 1, { streamtype });
  client.data(3, 'typed');
  client.data(3, '', true);
  await eventually(() => { if (client.ended.size < 4 || !client.closed) throw new Error(`ended ${[...client.ended].join()}`); });
  t.deepEqual(client.replies, [1, 3, 5, 7]);
  t.is(client.heard.get(5), 'typed');
  t.is(client.heard.get(7), 'noise');
  t.is((JSON.parse(client.heard.get(1)!) as { details: { causes: { message: string }[] } }).details.causes[0]!.message, '7');
});

test('a SPDY client that breaks the rules is cut off, and one without a known protocol is refused', async (t) => {
  const all = await begun(t);
  const path = '/exec/default/talker/main?stdout=true&command=x';
  await t.throwsAsync(SpdyClient.open(all, path, 'v9.channel.k8s.io'), { message: /400[^]*none of the offered stream protocols is known/ });
  for (const wrong of [Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]), Buffer.concat([Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14]), Buffer.alloc(10), Buffer.from('junk')]), Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 1, 0])]) {
    const client = await SpdyClient.open(all, path, 'v4.channel.k8s.io');
    client.raw(wrong);
    await eventually(() => { if (!client.closed) throw new Error('is open'); });
  }
  t.is((await get(all.tls, '/healthz')).code, 200, 'the server goes on');
});

test('port forwarding: many connections over SPDY, and the channels of a WebSocket', async (t) => {
  const all = await begun(t);
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => { echo.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { echo.close(); });
  const { port } = echo.address() as AddressInfo;
  await all.agent.createPod({ name: 'host', spec: { hostNetwork: true, containers: [{ name: 'main', image: 'web:1' }] } });
  await all.agent.phase('host', 'Running');
  const client = await SpdyClient.open(all, '/portForward/default/host', 'portforward.k8s.io');
  for (const [index, to] of [port, port, 1].entries()) {
    await client.stream(index * 4 + 1, { streamtype: 'error', port: String(to), requestid: String(index) }, true);
    await client.stream(index * 4 + 3, { streamtype: 'data', port: String(to), requestid: String(index) });
    client.data(index * 4 + 3, `connection ${index}`, true);
  }
  await eventually(() => { for (const id of [1, 3, 5, 7, 9, 11]) if (!client.ended.has(id)) throw new Error(`${id} is open`); });
  t.is(client.heard.get(3), 'connection 0');
  t.is(client.heard.get(7), 'connection 1');
  t.regex(client.heard.get(9) ?? '', /error forwarding port 1 to pod: .*ECONNREFUSED/);

  // A pod that ends a connection first: kubectl reads the error stream to its end before it ends its own side.
  const farewell = createServer((connection) => void connection.end('bye'));
  await new Promise<void>((resolve) => { farewell.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { farewell.close(); });
  const first = String((farewell.address() as AddressInfo).port);
  await client.stream(13, { streamtype: 'error', port: first, requestid: '3' }, true);
  await client.stream(15, { streamtype: 'data', port: first, requestid: '3' });
  await eventually(() => { for (const id of [13, 15]) if (!client.ended.has(id)) throw new Error(`${id} is open`); });
  t.is(client.heard.get(15), 'bye');
  client.close();

  const socket = new WebSocket(`wss://127.0.0.1:${all.port}/portForward/default/host?ports=${port}`, ['v4.channel.k8s.io'], { ca: all.tls.ca, cert: all.tls.cert, key: all.tls.key });
  const heard: Buffer[] = [];
  socket.on('message', (data: Buffer) => { heard.push(data); });
  await once(socket, 'open');
  socket.send(Buffer.from('\0ping'));
  await eventually(() => { if (heard.length < 3) throw new Error('nothing yet'); });
  t.deepEqual(heard.slice(0, 2).map((data) => [data[0], data.readUInt16LE(1)]), [[0, port], [1, port]]);
  t.is(heard[2]!.toString(), '\0ping');
  socket.close();
});

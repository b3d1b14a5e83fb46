import { Resolver } from 'node:dns/promises';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import * as fc from 'fast-check';
import { DnsServer } from '../../proxy/dns-server.ts';
import { framed, upstreamsOf } from '../../proxy/dns-forwarder.ts';
import { decodeAnswers, decodeQuery, encodeResponse, MalformedMessage, readQuestion, types, type Query } from '../../proxy/dns-message.ts';
import type { DnsView } from '../../proxy/dns.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';

const service = (name: string, spec: Service['spec']): Service => ({ kind: 'Service', apiVersion: 'v1', metadata: { name, namespace: 'shop' }, spec });

const many = Array.from({ length: 200 }, (_, n) => `10.244.1.${n}`);
const viewOf = (services: readonly Service[]): DnsView => ({
  service: (namespace, name) => services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  slices: (namespace, name) => (name !== 'many' ? [] : [{ kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', metadata: { namespace, name }, addressType: 'IPv4', endpoints: many.map((ip) => ({ addresses: [ip] })) }]),
  hasNamespace: (name) => name === 'shop', serviceByIp: () => undefined, slicesByIp: () => [],
});
const inner = viewOf([
  service('web', { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }] }),
  service('many', { clusterIP: 'None', ports: [] }),
  service('out', { type: 'ExternalName', externalName: 'host.a.svc.example.test' }),
]);
// Stands for the world outside: another server of the same make, for the zone example.test.
const outer = viewOf([]);

const start = async (view: DnsView, domain: string, upstreams: readonly string[], clients?: readonly string[]): Promise<{ server: DnsServer; port: number }> => {
  const server = new DnsServer({ view, domain, upstreams, clients, clock: systemClock, log: silentLog });
  return { server, ...await server.listen({ host: '127.0.0.1', port: 0 }) };
};

const world = await start({ ...outer, service: (namespace, name) => (namespace === 'a' && name === 'host' ? service('host', { clusterIP: '192.0.2.7' }) : undefined) }, 'example.test', []);
const { server, port } = await start(inner, 'cluster.local', ['127.0.0.1:1', `127.0.0.1:${world.port}`]);
const strict = await start(inner, 'cluster.local', [`127.0.0.1:${world.port}`], ['10.244.0.0/16']);
test.after.always(() => Promise.all([server.close(), world.server.close(), strict.server.close()]));

const resolver = (at = port): Resolver => {
  const made = new Resolver({ timeout: 20_000, tries: 1 });
  made.setServers([`127.0.0.1:${at}`]);
  return made;
};

const query = (name: string, type: number, more: Partial<Query> = {}): Buffer => {
  const message = encodeResponse({ id: 77, opcode: 0, recursionDesired: true, question: { name, type, class: 1 }, ednsBytes: undefined, ednsVersion: 0, ...more },
    { rcode: 0, authoritative: false, answers: [], authority: [], additional: [] }, 65_535);
  message.writeUInt16BE(0x100, 2);
  return message;
};

const askUdp = async (message: Buffer, at = port): Promise<Buffer> => {
  const socket = createSocket('udp4');
  socket.send(message, at, '127.0.0.1');
  const [reply] = await once(socket, 'message') as [Buffer];
  socket.close();
  return reply;
};

test('an ordinary resolver gets addresses, services and reasons', async (t) => {
  t.deepEqual(await resolver().resolve4('web.shop.svc.cluster.local', { ttl: true }), [{ address: '10.96.0.5', ttl: 5 }]);
  t.like(await resolver().resolveSrv('_http._tcp.web.shop.svc.cluster.local'), [{ name: 'web.shop.svc.cluster.local', port: 80, priority: 0, weight: 100 }]);
  t.is((await resolver().resolveSoa('cluster.local')).minttl, 5);
  await t.throwsAsync(resolver().resolve4('nothing.shop.svc.cluster.local'), { code: 'ENOTFOUND' });
  await t.throwsAsync(resolver().resolve6('web.shop.svc.cluster.local'), { code: 'ENODATA' });
});

test('what does not fit a datagram is asked again over TCP', async (t) => {
  t.deepEqual((await resolver().resolve4('many.shop.svc.cluster.local')).toSorted(), many.toSorted());
  const plain = await askUdp(query('many.shop.svc.cluster.local', types.A));
  t.true((plain[2]! & 0x02) !== 0 && plain.length <= 512);
  const edns = await askUdp(query('many.shop.svc.cluster.local', types.A, { ednsBytes: 9_000 }));
  t.true((edns[2]! & 0x02) !== 0 && edns.length <= 1_232);
});

test('other names are asked of the first upstream that answers', async (t) => {
  t.deepEqual(await resolver().resolve4('host.a.svc.example.test'), ['192.0.2.7']);
  await t.throwsAsync(resolver().resolve4('nothing.a.svc.example.test'), { code: 'ENOTFOUND' });
});

test('an external name comes with the addresses it leads to', async (t) => {
  t.deepEqual(await resolver().resolve4('out.shop.svc.cluster.local'), ['192.0.2.7']);
  t.deepEqual(await resolver().resolveCname('out.shop.svc.cluster.local'), ['host.a.svc.example.test']);
});

test('strangers get the cluster names only', async (t) => {
  t.deepEqual(await resolver(strict.port).resolve4('web.shop.svc.cluster.local'), ['10.96.0.5']);
  await t.throwsAsync(resolver(strict.port).resolve4('host.a.svc.example.test'), { code: 'EREFUSED' });
});

test('the question comes back in the letters it was asked in, with the id', async (t) => {
  const reply = await askUdp(query('WeB.shop.SVC.cluster.local', types.A));
  t.is(reply.readUInt16BE(0), 77);
  t.is(readQuestion(reply).question.name, 'WeB.shop.SVC.cluster.local');
  t.is(decodeAnswers(reply).answers.length, 1);
});

test('wrong questions are told so, and the server goes on', async (t) => {
  const rcode = async (message: Buffer): Promise<number> => (await askUdp(message))[3]! & 0xf;
  const good = query('web.shop.svc.cluster.local', types.A);
  t.is(await rcode(good.subarray(0, 20)), 1);
  const opcode = Buffer.from(good);
  opcode.writeUInt16BE(0x2900, 2);
  t.is(await rcode(opcode), 4);
  const chaos = Buffer.from(good);
  chaos.writeUInt16BE(3, chaos.length - 2);
  t.is(await rcode(chaos), 5);
  const loop = Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  t.is(await rcode(loop), 1);
  t.is(await rcode(good), 0);
});

test('TCP carries several questions, in pieces', async (t) => {
  const socket = connect(port, '127.0.0.1');
  const bytes = Buffer.concat([framed(query('web.shop.svc.cluster.local', types.A)), framed(query('many.shop.svc.cluster.local', types.A))]);
  for (const byte of [bytes.subarray(0, 1), bytes.subarray(1, 40), bytes.subarray(40)]) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    const first = received.length < 2 ? 0 : 2 + received.readUInt16BE(0);
    if (first > 0 && received.length >= first + 2 && received.length >= first + 2 + received.readUInt16BE(first)) {
      t.is(decodeAnswers(received.subarray(2, first)).answers.length + decodeAnswers(received.subarray(first + 2)).answers.length, 201);
      break;
    }
  }
});

test('any bytes are read to an end: a query, nothing, or a MalformedMessage', (t) => {
  const good = query('web.shop.svc.cluster.local', types.A, { ednsBytes: 1_400 });
  const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
    const copy = Buffer.from(good);
    for (const [at, byte] of changes) copy[at] = byte;
    return copy;
  });
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)), mutated, mutated.chain((bytes) => fc.nat(bytes.length).map((end) => bytes.subarray(0, end)))), (bytes) => {
    for (const decode of [decodeQuery, decodeAnswers]) {
      try {
        const decoded = decode(bytes);
        if (decoded !== undefined && 'question' in decoded) t.true(decoded.question.name.length <= 254);
      } catch (error) {
        t.true(error instanceof MalformedMessage, String(error));
      }
    }
  }), { numRuns: 3_000 });
});

test('what is encoded is decoded again, compressed or not', (t) => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
  fc.assert(fc.property(name, fc.array(fc.tuple(name, fc.constantFrom('CNAME', 'A')), { maxLength: 8 }), (question, answers) => {
    const message = encodeResponse({ id: 1, opcode: 0, recursionDesired: true, question: { name: question, type: 1, class: 1 }, ednsBytes: 4096, ednsVersion: 0 }, {
      rcode: 0, authoritative: true, authority: [], additional: [],
      answers: answers.map(([target, type]) => (type === 'A' ? { name: target, ttlSeconds: 5, type: 'A', address: '10.0.0.1' } : { name: question, ttlSeconds: 5, type: 'CNAME', target })),
    }, 65_535);
    t.is(readQuestion(message).question.name, question);
    t.deepEqual(decodeAnswers(message).answers.map((record) => (record.type === 'CNAME' ? record.target : record.name)), answers.map(([target]) => target));
  }), { numRuns: 300 });
});

test('upstreams come from resolv.conf', (t) => {
  t.deepEqual(upstreamsOf('# nameserver 1.1.1.1\nsearch x\nnameserver 10.0.0.1\n nameserver\tfd00::1 # two\noptions ndots:5\nnameserver nonsense\n'), ['10.0.0.1', 'fd00::1']);
});

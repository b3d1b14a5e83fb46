import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import test from 'ava';
import { apiServerNames, createCa, issueCertificate, readCertificate, whyUnusable } from '../../base/pki.ts';
import { readPair, writePair } from '../../base/pki-files.ts';

const nowMs = Date.now();
const ca = await createCa({ commonName: 'barge-ca', lifetimeDays: 3650, nowMs });
const issue = (options: Partial<Parameters<typeof issueCertificate>[0]> = {}) =>
  issueCertificate({ ca, commonName: 'admin', organizations: ['system:masters', 'ops'], usages: ['client'], lifetimeDays: 365, nowMs, ...options });

test('a CA is a CA that signs itself', (t) => {
  const cert = new X509Certificate(ca.cert);
  t.true(cert.ca);
  t.true(cert.checkIssued(cert));
  t.true(cert.verify(cert.publicKey));
  t.is(readCertificate(ca.cert).commonName, 'barge-ca');
});

test('a certificate says what was asked for and is issued by the CA', async (t) => {
  const pair = await issue({ dnsNames: ['localhost', 'kubernetes.default.svc'], ipAddresses: ['127.0.0.1', '::1', 'fd00::a:0:1', '10.96.0.1'], usages: ['server', 'client'] });
  const cert = new X509Certificate(pair.cert);
  const authority = new X509Certificate(ca.cert);
  t.true(cert.checkIssued(authority));
  t.true(cert.verify(authority.publicKey));
  t.false(cert.ca);
  const facts = readCertificate(pair.cert);
  t.is(facts.commonName, 'admin');
  t.deepEqual(facts.organizations, ['system:masters', 'ops']);
  t.deepEqual(facts.dnsNames, ['localhost', 'kubernetes.default.svc']);
  t.deepEqual(facts.ipAddresses, ['127.0.0.1', '::1', 'fd00::a:0:1', '10.96.0.1']);
  t.true(Math.abs(facts.notAfterMs - (nowMs + 365 * 86_400_000)) < 1_000);
  t.deepEqual(cert.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
});

test('a certificate never outlives its CA, and odd names survive', async (t) => {
  const short = await createCa({ commonName: 'short', lifetimeDays: 10, nowMs });
  const pair = await issue({ ca: short, commonName: 'system:node:büro,O=evil\nCN=x', organizations: ['a+b=c, d'] });
  const facts = readCertificate(pair.cert);
  t.is(facts.notAfterMs, readCertificate(short.cert).notAfterMs);
  t.is(facts.commonName, 'system:node:büro,O=evil\nCN=x');
  t.deepEqual(facts.organizations, ['a+b=c, d']);
});

test('an address that is none is refused', async (t) => {
  await t.throwsAsync(issue({ ipAddresses: ['10.0.0.300'] }), { message: 'not an IP address: 10.0.0.300' });
});

test('a pair is usable, or the reason is named', async (t) => {
  const pair = await issue({ dnsNames: ['a'], ipAddresses: ['::1'] });
  const needs = { ca: ca.cert, nowMs, remainingDays: 30 };
  t.is(whyUnusable(pair, { ...needs, commonName: 'admin', organizations: ['ops'], dnsNames: ['a'], ipAddresses: ['0:0:0:0:0:0:0:1'] }), undefined);
  t.is(whyUnusable(pair, { ...needs, dnsNames: ['a', 'b'], ipAddresses: ['10.0.0.1'] }), 'it lacks b, 10.0.0.1');
  t.is(whyUnusable(pair, { ...needs, commonName: 'bob' }), 'it names admin, not bob');
  t.regex(whyUnusable(pair, { ...needs, remainingDays: 400 }) ?? '', /^it is valid only until /);
  t.is(whyUnusable(pair, { ...needs, nowMs: nowMs - 86_400_000 }), 'it is not valid yet');
  t.is(whyUnusable(pair, { ...needs, ca: (await createCa({ commonName: 'barge-ca', lifetimeDays: 1, nowMs })).cert }), 'it was signed by another CA');
  t.is(whyUnusable({ cert: pair.cert, key: (await issue()).key }, needs), 'the key is not the certificate\'s');
  t.regex(whyUnusable({ cert: 'x', key: 'y' }, needs) ?? '', /^it cannot be read: /);
});

test('the API server answers to its names and to no wildcard address', (t) => {
  t.deepEqual(apiServerNames({ hostname: 'box', listenHost: '0.0.0.0', nodeIps: ['192.0.2.7', '127.0.0.1'], clusterDomain: 'cluster.local', serviceIp: '10.96.0.1' }), {
    dnsNames: ['localhost', 'box', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    ipAddresses: ['127.0.0.1', '::1', '192.0.2.7', '10.96.0.1'],
  });
});

test('both sides of a TLS connection accept the certificates', async (t) => {
  const server = await issue({ commonName: 'kube-apiserver', organizations: [], dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const client = await issue();
  const listener = createServer({ ...server, ca: ca.cert, requestCert: true, rejectUnauthorized: true });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const accepted = new Promise<TLSSocket>((resolve) => listener.once('secureConnection', resolve));
  const socket = connect({ host: '127.0.0.1', port, ca: ca.cert, ...client });
  await new Promise<void>((resolve, reject) => { socket.once('secureConnect', resolve); socket.once('error', reject); });
  const inside = await accepted;
  t.true(inside.authorized);
  t.true(socket.authorized);
  socket.destroy();
  inside.destroy();
  await new Promise((resolve) => listener.close(resolve));
});

test('pairs are kept in files that only their owner may read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-pki-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const inner = join(folder, 'pki');
  t.is(await readPair(inner, 'admin'), undefined);
  const pair = await issue();
  await writePair(inner, 'admin', pair);
  t.deepEqual(await readPair(inner, 'admin'), pair);
  await writeFile(join(inner, 'admin.key.new'), 'left behind');
  await chmod(join(inner, 'admin.key.new'), 0o644);
  await writePair(inner, 'admin', pair);
  for (const file of ['admin.key', 'admin.crt']) t.is((await stat(join(inner, file))).mode & 0o777, 0o600);
  t.is((await stat(inner)).mode & 0o777, 0o700);
});

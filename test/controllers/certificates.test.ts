/** Requests for certificates from their author to the certificate: who is approved without a person, what is signed, what is kept. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../apiserver/authorization/reconcile-roles.ts';
import { createCertificateRequest, signCertificateRequest, type WantedCertificate } from '../../base/certificate-request.ts';
import { createLog, silentLog } from '../../base/log.ts';
import { createCa, issueCertificate, readCertificate } from '../../base/pki.ts';
import { createClient } from '../../client/client.ts';
import { runControllers } from '../../client/controller.ts';
import { certificateCleanerController } from '../../controllers/certificate-cleaner/controller.ts';
import { cleanAtMs } from '../../controllers/certificate-cleaner/plan.ts';
import { createSignerComponent } from '../../controllers/certificate-signer/controller.ts';
import { tokenCleanerController } from '../../controllers/token-cleaner/controller.ts';
import type { UserInfo } from '../../schemas/api.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { seededRandom, testApi } from '../helpers/api.ts';
import { controllersUser, startControllers, until } from '../helpers/control-plane.ts';

const workers = 'system:bootstrappers:barge:worker';
const token: UserInfo = { name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', workers, 'system:authenticated'] };
const agentOf = (name: string): UserInfo => ({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] });
const subjectOf = (name: string): WantedCertificate => ({ commonName: `system:node:${name}`, organizations: ['system:nodes'] });

const nodeClient = 'kubernetes.io/kube-apiserver-client-kubelet';
const nodeServing = 'kubernetes.io/kubelet-serving';
const clientUses = ['digital signature', 'client auth'];
const servingUses = ['digital signature', 'server auth'];

/** `signers`: as many servers of one cluster have. */
const cluster = async (t: ExecutionContext, { signers = 1, log = silentLog } = {}) => {
  const api = await testApi({ authorizer: createClusterAuthorizer });
  await reconcileRoles(api.core);
  const ca = await createCa({ commonName: 'ca', lifetimeDays: 3_650, nowMs: api.clock.now() });
  const controllers = await startControllers(api);
  const stop = new AbortController();
  const signing = Array.from({ length: signers }, () => createSignerComponent({ transport: api.core.as({ name: 'system:barge:certificate-signer', groups: [] }), clock: api.clock, log, random: seededRandom(3) }, {
    longestMs: 86_400_000, own: () => ({ dnsNames: ['first'], ipAddresses: ['192.0.2.1'] }),
    sign: ({ extendedKeyUsage, ...signing }) => signCertificateRequest({ ca, nowMs: api.clock.now(), extendedKeyUsages: [extendedKeyUsage], ...signing }),
  }).run(stop.signal, () => undefined));
  t.teardown(async () => {
    stop.abort();
    await Promise.all(signing);
    await controllers.stop();
    await api.close();
  });
  const requests = api.client.of(CertificateSigningRequest);
  let count = 0;
  const ask = async (user: UserInfo, signerName: string, usages: readonly string[], wanted: WantedCertificate, more: object = {}) => {
    const { request } = await createCertificateRequest(wanted);
    const name = `r${++count}`;
    await createClient(api.core.as(user)).of(CertificateSigningRequest).create({ metadata: { name }, spec: { request: Buffer.from(request).toString('base64'), signerName, usages: [...usages], ...more } } as never);
    return name;
  };
  const state = async (name: string) => {
    const { status } = await requests.get({ name });
    const certificate = Buffer.from(status?.certificate ?? '', 'base64').toString();
    return { conditions: status?.conditions ?? [], certificate, words: (status?.conditions ?? []).map(({ type, message }) => `${type}: ${message}`).join('; ') };
  };
  return {
    api, ca, ask, state, requests,
    issued: async (name: string) => until(api.clock, async () => {
      const found = await state(name);
      if (found.certificate === '') throw new Error(`${name} has no certificate: ${found.words}`);
      return found.certificate;
    }),
    refused: async (name: string, type = 'Denied') => until(api.clock, async () => {
      const { conditions } = await state(name);
      const found = conditions.find((one) => one.type === type);
      if (found === undefined) throw new Error(`${name} is not ${type}`);
      return found.message ?? '';
    }),
    node: (name: string, ...ips: readonly string[]) => createClient(api.core.as(agentOf(name))).of(Node).create({
      metadata: { name }, spec: {}, status: { addresses: [...ips.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: name }] },
    } as never),
  };
};

test('a token gets the client certificate of a new node, and that node its next ones and its serving certificate', async (t) => {
  const { api, ca, ask, state, issued, node } = await cluster(t);
  const first = await issued(await ask(token, nodeClient, clientUses, subjectOf('n2')));
  t.deepEqual(readCertificate(first).organizations, ['system:nodes']);
  t.is(readCertificate(first).commonName, 'system:node:n2');
  t.deepEqual(new X509Certificate(first).keyUsage, ['1.3.6.1.5.5.7.3.2'], 'for clients only');
  t.true(new X509Certificate(first).verify(new X509Certificate(ca.cert).publicKey));
  t.is(readCertificate(first).notAfterMs, api.clock.now() - (api.clock.now() % 1_000) + 86_400_000, 'as long as the authority allows');
  t.like((await state('r1')).conditions[0], { type: 'Approved', reason: 'AutoApproved', message: 'a new node may have a client certificate' });

  await node('n2', '192.0.2.12');
  const next = readCertificate(await issued(await ask(agentOf('n2'), nodeClient, clientUses, subjectOf('n2'), { expirationSeconds: 600 })));
  t.true(next.notAfterMs - api.clock.now() <= 600_000);
  const serving = await issued(await ask(agentOf('n2'), nodeServing, [...servingUses, 'key encipherment'], { ...subjectOf('n2'), dnsNames: ['n2'], ipAddresses: ['192.0.2.12'] }));
  t.deepEqual([readCertificate(serving).dnsNames, readCertificate(serving).ipAddresses], [['n2'], ['192.0.2.12']]);
  t.deepEqual(new X509Certificate(serving).keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers only');
});

test('a stolen token does not become a node that is there, nor one that another has just begun to be', async (t) => {
  const { ask, refused, issued, node, api } = await cluster(t);
  await node('n1', '192.0.2.11');
  t.regex(await refused(await ask(token, nodeClient, clientUses, subjectOf('n1'))), /node n1 is there already.*kubectl delete node n1/);
  const first = await ask(token, nodeClient, clientUses, subjectOf('n5'));
  await issued(first);
  t.regex(await refused(await ask(token, nodeClient, clientUses, subjectOf('n5'))), new RegExp(`given to another key by request ${first}.*kubectl delete csr ${first}`));
  await api.client.of(CertificateSigningRequest).delete({ name: first });
  await api.clock.advance(1_000);
  await issued(await ask(token, nodeClient, clientUses, subjectOf('n5')));
  await api.client.of(Node).delete({ name: 'n1' });
  await issued(await ask(token, nodeClient, clientUses, subjectOf('n1')));
});

test('of the signers of several servers one signs each request, and the others take it as it is', async (t) => {
  const said: string[] = [];
  const { ask, issued, requests, node } = await cluster(t, { signers: 3, log: createLog({ level: 'debug', format: 'text', now: () => 0, write: (line) => said.push(line) }) });
  await node('n1', '192.0.2.11');
  const names = [];
  for (let n = 0; n < 5; n++) names.push(await ask(agentOf('n1'), nodeClient, clientUses, subjectOf('n1')));
  const first = await Promise.all(names.map(issued));
  t.deepEqual(await Promise.all(names.map(issued)), first);
  t.is((await requests.list()).items.length, 5);
  t.deepEqual(said.filter((line) => /WARN|ERROR/.test(line)), []);
});

test('what does not follow the rules of its signer is denied with the reason', async (t) => {
  const { ask, refused, node } = await cluster(t);
  await node('n2', '192.0.2.12');
  await node('n3', '192.0.2.13');
  const [n2, n9] = [agentOf('n2'), subjectOf('n9')];
  const rows: readonly [UserInfo, string, readonly string[], WantedCertificate, RegExp][] = [
    [token, nodeClient, clientUses, { ...n9, organizations: ['system:nodes', 'system:masters'] }, /organization must be "system:nodes" alone, not "system:nodes", "system:masters"/],
    [token, nodeClient, clientUses, { ...n9, organizations: ['system:masters'] }, /organization must be "system:nodes" alone/],
    [token, nodeClient, clientUses, { ...n9, commonName: 'admin' }, /common name must be "system:node:NAME", not "admin"/],
    [token, nodeClient, clientUses, { ...n9, commonName: 'system:node:Up Here' }, /"Up Here" cannot be the name of a node/],
    [token, nodeClient, clientUses, { ...n9, dnsNames: ['kubernetes'] }, /DNS subjectAltNames are not allowed: "kubernetes"/],
    [token, nodeClient, clientUses, { ...n9, ipAddresses: ['192.0.2.1'] }, /IP subjectAltNames are not allowed/],
    [token, nodeClient, [...clientUses, 'server auth'], n9, /spec.usages: must be "digital signature", "client auth" and may be "key encipherment" too, not .*"server auth"/],
    [token, nodeServing, servingUses, { ...n9, dnsNames: ['n9'] }, /only system:node:n9 itself gets its serving certificate, not system:bootstrap:abcdef/],
    [n2, nodeServing, servingUses, { ...subjectOf('n3'), dnsNames: ['n3'] }, /only system:node:n3 itself/],
    [n2, nodeServing, servingUses, subjectOf('n2'), /a DNS or IP subjectAltName is required/],
    [n2, nodeServing, servingUses, { ...subjectOf('n2'), dnsNames: ['kubernetes.default.svc'] }, /no serving certificate for the name kubernetes.default.svc/],
    [n2, nodeServing, servingUses, { ...subjectOf('n2'), ipAddresses: ['192.0.2.12', '192.0.2.99'] }, /no serving certificate for 192.0.2.99: the addresses of its Node are 192.0.2.12/],
    [n2, nodeServing, clientUses, { ...subjectOf('n2'), ipAddresses: ['192.0.2.12'] }, /spec.usages/],
    [agentOf('gone'), nodeClient, clientUses, subjectOf('gone'), /node gone is not there \(any more\)/],
  ];
  for (const [user, signer, usages, wanted, message] of rows) t.regex(await refused(await ask(user, signer, usages, wanted)), message);
});

test('a node that says it is at the address of another, or of the API server, gets no certificate for it', async (t) => {
  const { ask, refused, node } = await cluster(t);
  await node('n2', '192.0.2.12');
  await node('liar', '192.0.2.12', '192.0.2.1');
  t.regex(await refused(await ask(agentOf('liar'), nodeServing, servingUses, { ...subjectOf('liar'), ipAddresses: ['192.0.2.12'] })), /192.0.2.12: it is an address of node n2; give each node its own with --node-ip/);
  t.regex(await refused(await ask(agentOf('liar'), nodeServing, servingUses, { ...subjectOf('liar'), ipAddresses: ['192.0.2.1'] }), 'Failed'), /the API server itself is at 192.0.2.1/);
  await node('first', '192.0.2.14');
  t.regex(await refused(await ask(agentOf('first'), nodeServing, servingUses, { ...subjectOf('first'), dnsNames: ['first'] }), 'Failed'), /the API server itself is at first/);
});

test('certificates of other clients wait for a person, who cannot have everything signed', async (t) => {
  const { api, ask, state, issued, refused, requests } = await cluster(t);
  const client = 'kubernetes.io/kube-apiserver-client';
  const approve = async (name: string): Promise<void> => {
    const request = await requests.get({ name });
    await api.transport.send({ verb: 'update', group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests', name, subresource: 'approval', body: { ...request, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test', message: 'by hand' }] } } });
  };
  const jane = await ask({ name: 'jane', groups: ['system:masters'] }, client, clientUses, { commonName: 'jane', organizations: ['dev', 'ops'] });
  const stranger = await ask({ name: 'jane', groups: ['system:masters', 'system:authenticated'] }, 'example.com/lab', clientUses, { commonName: 'jane', organizations: [] });
  await api.clock.advance(60_000);
  t.deepEqual([(await state(jane)).words, (await state(stranger)).words], ['', '']);
  await approve(jane);
  await approve(stranger);
  t.deepEqual(readCertificate(await issued(jane)).organizations, ['dev', 'ops']);
  const server = await ask({ name: 'jane', groups: ['system:masters'] }, client, [...clientUses, 'server auth'], { commonName: 'jane', organizations: [] });
  await approve(server);
  t.regex(await refused(server, 'Failed'), /spec.usages: "server auth" is not for the certificate of a client/);
  t.is((await state(stranger)).certificate, '', 'another signer\'s');
  // A token may not ask for such a certificate to be approved without a person either.
  const token9 = await ask(token, client, clientUses, { commonName: 'admin', organizations: [] });
  await api.clock.advance(60_000);
  t.is((await state(token9)).words, '');
});

test('a token of another group cannot even ask', async (t) => {
  const { ask, requests } = await cluster(t);
  const stranger = { ...token, groups: ['system:bootstrappers', 'system:bootstrappers:other', 'system:authenticated'] };
  await t.throwsAsync(ask(stranger, nodeClient, clientUses, subjectOf('n9')), { message: /cannot create resource "certificatesigningrequests"/ });
  t.is((await requests.list()).items.length, 0);
});

const made = '2026-01-01T00:00:00Z';
const at = (hours: number): number => Date.parse(made) + hours * 3_600_000;
const condition = (type: string, hours = 2) => ({ type, status: 'True', lastUpdateTime: new Date(at(hours)).toISOString() });

test('requests are kept until they have been looked at', async (t) => {
  const ca = await createCa({ commonName: 'ca', lifetimeDays: 3_650, nowMs: at(0) });
  const certificate = Buffer.from((await issueCertificate({ ca, commonName: 'a', usages: ['client'], lifetimeDays: 2.5 / 24, nowMs: at(0) })).cert).toString('base64');
  const long = Buffer.from(ca.cert).toString('base64');
  for (const [status, hours] of [
    [undefined, 24], [{ conditions: [condition('Denied')] }, 3], [{ conditions: [condition('Approved'), condition('Failed')] }, 3], [{ conditions: [condition('Approved')] }, undefined],
    [{ conditions: [condition('Approved')], certificate: long }, 3], [{ conditions: [condition('Approved')], certificate }, 2.5], [{ conditions: [condition('Approved')], certificate: 'bm8=' }, 3],
  ] as const) t.is(cleanAtMs({ metadata: { creationTimestamp: made }, spec: {}, status } as never), hours === undefined ? undefined : at(hours), JSON.stringify(status));
});

test('requests and tokens go at their time', async (t) => {
  const api = await testApi({ authorizer: createClusterAuthorizer });
  const stop = new AbortController();
  const running = runControllers([certificateCleanerController(), tokenCleanerController()], { transport: api.core.as(controllersUser), clock: api.clock, log: silentLog, random: seededRandom(4) }, stop.signal, () => undefined);
  t.teardown(async () => {
    stop.abort();
    await running;
    await api.close();
  });
  const { request } = await createCertificateRequest(subjectOf('n1'));
  await api.client.of(CertificateSigningRequest).create({ metadata: { name: 'r' }, spec: { request: Buffer.from(request).toString('base64'), signerName: 'example.com/lab', usages: clientUses } } as never);
  const secrets = api.client.of(Secret);
  const tokenOf = (name: string, type: string, expiration: string | undefined): Promise<Secret> => secrets.create({
    metadata: { name, namespace: 'kube-system' }, type, stringData: { 'token-id': 'abcdef', ...(expiration === undefined ? {} : { expiration }) },
  } as never);
  const soon = new Date(api.clock.now() + 3_600_000).toISOString();
  await tokenOf('bootstrap-token-abcdef', 'bootstrap.kubernetes.io/token', soon);
  await tokenOf('bootstrap-token-always', 'bootstrap.kubernetes.io/token', undefined);
  await tokenOf('other', 'Opaque', soon);
  const names = async () => [...(await api.client.of(CertificateSigningRequest).list()).items, ...(await secrets.list({ namespace: 'kube-system' })).items].map(({ metadata }) => metadata.name).sort();
  await api.clock.advance(3_500_000);
  t.deepEqual(await names(), ['bootstrap-token-abcdef', 'bootstrap-token-always', 'other', 'r']);
  await api.clock.advance(200_000);
  await until(api.clock, async () => assert.deepEqual(await names(), ['bootstrap-token-always', 'other', 'r']));
  await api.clock.advance(86_400_000);
  await until(api.clock, async () => assert.deepEqual(await names(), ['bootstrap-token-always', 'other']));
});

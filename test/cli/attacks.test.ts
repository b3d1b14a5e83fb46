/** What docs/design/security.md says of those who want in: a false server, a stolen token, nobody at all. */
import assert from 'node:assert/strict';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../apiserver/authorization/reconcile-roles.ts';
import { systemClock } from '../../base/clock.ts';
import { createCa, issueCertificate } from '../../base/pki.ts';
import { BootstrapSecrets } from '../../cli/cluster/join/bootstrap-secrets.ts';
import { joinCluster } from '../../cli/cluster/join/join-cluster.ts';
import { authorityHash, newBootstrapToken, printJoinToken } from '../../cli/cluster/join/join-token.ts';
import { MembershipFiles } from '../../cli/cluster/join/membership.ts';
import { eventually } from '../helpers/eventually.ts';
import { httpsApi } from '../helpers/https-api.ts';

const nowMs = Date.now();

/** A server that takes everything and writes down what it is told. */
const falseServer = async (t: ExecutionContext, cert: string, key: string) => {
  const told: Buffer[] = [];
  const sockets: TLSSocket[] = [];
  let [opened, closed] = [0, 0];
  const server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, (socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => told.push(bytes)).on('error', () => undefined);
  });
  server.on('connection', (socket: Socket) => {
    opened++;
    socket.on('close', () => void closed++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, told: () => Buffer.concat(told).toString('latin1'), connections: () => ({ opened, closed }) };
};

test('a server that is not the one of the token is told nothing, whatever it shows', async (t) => {
  const [right, wrong] = [await createCa({ commonName: 'barge-ca', lifetimeDays: 2, nowMs }), await createCa({ commonName: 'barge-ca', lifetimeDays: 2, nowMs })];
  const forged = await issueCertificate({ ca: wrong, commonName: 'barge-apiserver', usages: ['server'], ipAddresses: ['127.0.0.1'], lifetimeDays: 1, nowMs });
  const folder = await mkdtemp(join(tmpdir(), 'barge-attack-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const pin = authorityHash(right.cert);
  const token = printJoinToken({ authority: pin, ...newBootstrapToken() });
  const joining = (server: string, signal: AbortSignal) => joinCluster({
    server, token, nodeName: 'n2', defaultNodeName: 'n2', nodeIp: undefined, files: new MembershipFiles(join(folder, 'data')), clock: systemClock, say: () => undefined,
  }, signal);
  for (const [chain, message] of [
    [`${forged.cert}${wrong.cert}`, new RegExp(`was told nothing: the token names the authority ${pin}, the server shows ${authorityHash(wrong.cert)}$`)],
    [forged.cert, /was told nothing: the token names the authority/],
    // The authority's certificate is no secret: anybody can show it, but not a certificate that it has signed.
    [`${forged.cert}${right.cert}`, /was told nothing/],
  ] as const) {
    const { url, told, connections } = await falseServer(t, chain, forged.key);
    await t.throwsAsync(joining(url, new AbortController().signal), { message });
    await eventually(() => assert.deepEqual(connections(), { opened: 1, closed: 1 }, 'it was asked who it is, and no more'));
    t.is(told(), '', 'and heard nothing');
  }
  t.deepEqual(await readdir(folder), [], 'nothing is kept');

  // The same server hears the token once it can show a certificate that the authority has signed: so it would have above.
  const real = await issueCertificate({ ca: right, commonName: 'barge-apiserver', usages: ['server'], ipAddresses: ['127.0.0.1'], lifetimeDays: 1, nowMs });
  const { url, told } = await falseServer(t, `${real.cert}${right.cert}`, real.key);
  const over = new AbortController();
  const asking = joining(url, over.signal).catch(() => undefined);
  await eventually(() => assert.match(told(), /^authorization: Bearer [a-z0-9]{6}\.[a-z0-9]{16}\r$/im));
  over.abort();
  void asking;
});

test('a stolen token reads nothing and changes nothing but the requests that it is for; nobody at all even less', async (t) => {
  const api = await httpsApi({ authorizer: createClusterAuthorizer });
  t.teardown(() => api.close());
  await reconcileRoles(api.core);
  const { id, secret } = await new BootstrapSecrets(api.client).create({ description: '', endMs: undefined });
  const asToken = { as: null, headers: { authorization: `Bearer ${id}.${secret}` } } as const;
  const reads = ['/api/v1/secrets', `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${id}`, '/api/v1/pods', '/api/v1/nodes', '/api/v1/namespaces/default/configmaps', '/api/v1/namespaces/kube-public/configmaps/barge-cluster'];
  for (const path of reads) {
    t.is((await api.call(path, asToken)).code, 403, path);
    t.is((await api.call(path, { as: null })).code, 403, path);
  }
  const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const writes = [
    ['POST', '/api/v1/nodes', { metadata: { name: 'n9' } }], ['POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'a', image: 'a' }] } }],
    ['POST', '/api/v1/namespaces/kube-system/secrets', { metadata: { name: 'bootstrap-token-abcdef' }, type: 'bootstrap.kubernetes.io/token', data: {} }], ['DELETE', `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${id}`, undefined],
    ['PUT', `${requests}/x/approval`, { metadata: { name: 'x' }, spec: {} }], ['PUT', `${requests}/x/status`, { metadata: { name: 'x' }, spec: {} }], ['DELETE', `${requests}/x`, undefined],
    ['POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' } }],
  ] as const;
  for (const [method, path, body] of writes) {
    for (const who of [asToken, { as: null }] as const) t.is((await api.call(path, { ...who, method, ...(body === undefined ? {} : { body }) })).code, 403, `${method} ${path}`);
  }
  t.is((await api.call(requests, { as: null, method: 'POST', body: { metadata: { name: 'x' } } })).code, 403, 'without a token nobody even asks');
  t.is((await api.call(requests, asToken)).code, 200);
  t.is((await api.call(requests, { as: null, headers: { authorization: `Bearer ${id}.${'0'.repeat(16)}` } })).code, 401);
  await new BootstrapSecrets(api.client).delete(id);
  t.is((await api.call(requests, asToken)).code, 401, 'from the moment that it is deleted');
});

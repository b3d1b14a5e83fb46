/** What docs/design/security.md says of those who want in: a false server, a stolen token, nobody at all. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../apiserver/authorization/reconcile-roles.ts';
import { systemClock } from '../../base/clock.ts';
import { readPair, readPairFile } from '../../base/pki-files.ts';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';
import { BootstrapSecrets } from '../../cli/cluster/join/bootstrap-secrets.ts';
import { joinCluster } from '../../cli/cluster/join/join-cluster.ts';
import { authorityHash, newBootstrapToken, printJoinToken } from '../../cli/cluster/join/join-token.ts';
import { MembershipFiles } from '../../cli/cluster/join/membership.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { demotionAnnotation, printPromotionMark, promotionAnnotation, serverMaterialPath } from '../../schemas/cluster-info.ts';
import { etcdTest, startTestEtcd } from '../helpers/etcd.ts';
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
  const { id, secret } = await new BootstrapSecrets(api.client).create({ role: 'worker', description: '', endMs: undefined });
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

/** One HTTPS request on a connection of its own: the code of the answer, or 0 where the connection was refused. */
const codeOf = (url: string, { ca, pair, method = 'GET', body = '', headers = {} }: { readonly ca: string; readonly pair?: CertificatePair | undefined; readonly method?: string; readonly body?: string; readonly headers?: OutgoingHttpHeaders }): Promise<number> => new Promise((resolve, reject) => {
  const asked = request(url, { ca, ...pair, method, agent: false, headers: { ...body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, ...headers } }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode!)).on('error', reject);
  });
  asked.on('error', (error: NodeJS.ErrnoException) => (/^ERR_SSL_|^ECONNRESET$/.test(error.code ?? '') ? resolve(0) : reject(error)));
  asked.end(body);
});

test('who has stolen a worker token becomes a new node, and as that reads nothing of other nodes; agents take the API server alone', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(180_000);
  const { folder, begin, barge } = await bargeProcesses(t);
  await begin('up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error');
  const [, server, , token] = (await barge('token create')).trim().replace('barge ', '').split(' ') as [string, string, string, string];
  await begin(`join ${server} --token ${token} --runtime simulated --data-dir @/n2 --log-level error --node-name n2 --node-ip 127.0.0.2`);
  await barge('create secret generic treasure --from-literal=key=gold');
  await writeFile(join(folder, 'owner.json'), JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'owner' }, spec: { nodeName: 'n2', containers: [{ name: 'main', image: 'web:1', envFrom: [{ secretRef: { name: 'treasure' } }] }] } }));
  await barge('apply -f @/owner.json');
  await barge('wait pod/owner --for=condition=Ready --timeout=60s');

  const { ca, client: thief } = await joinCluster({
    server, token, nodeName: 'thief', defaultNodeName: 'thief', nodeIp: '127.0.0.3', files: new MembershipFiles(join(folder, 'thief')), clock: systemClock, say: () => undefined,
  }, new AbortController().signal);
  const n2 = await readPairFile(join(folder, 'n2/node/client.pem'));
  t.is(await codeOf(`${server}/api/v1/namespaces/default/secrets/treasure`, { ca, pair: n2 }), 200, 'the node of the pod has it');
  const asThief = (path: string, method: string, object: object = {}): Promise<number> => codeOf(`${server}${path}`, { ca, pair: thief, method, body: method === 'GET' ? '' : JSON.stringify(object) });
  const { uid } = JSON.parse(await barge('get node n2 -o json')).metadata as { readonly uid: string };
  t.is(await asThief('/api/v1/nodes', 'POST', { metadata: { name: 'thief' } }), 201, 'itself it may make known');
  const itself = (JSON.parse(await barge('get node thief -o json')).metadata as { readonly uid: string }).uid;
  const mirrorOf = (spec: { readonly nodeName: string; readonly [field: string]: unknown }): object => ({
    metadata: { name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: spec.nodeName, uid: spec.nodeName === 'n2' ? uid : itself, controller: true }] }, spec,
  });
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'owner' }, target: { kind: 'Node', name: 'thief' } };
  for (const [path, method, object] of [
    ['/api/v1/namespaces/default/secrets/treasure', 'GET'], ['/api/v1/secrets', 'GET'], ['/api/v1/namespaces/default/secrets', 'GET'], ['/api/v1/namespaces/kube-system/secrets', 'GET'],
    // Nor does it get to where it could.
    ['/api/v1/namespaces/default/pods/owner/binding', 'POST', binding], ['/api/v1/namespaces/default/pods', 'POST', { metadata: { name: 'mine' }, spec: { nodeName: 'thief', containers: [{ name: 'a', image: 'a', envFrom: [{ secretRef: { name: 'treasure' } }] }] } }],
    // What agents may make are mirrors of their own static pods, which name nothing.
    ['/api/v1/namespaces/default/pods', 'POST', mirrorOf({ nodeName: 'thief', containers: [{ name: 'a', image: 'a', envFrom: [{ secretRef: { name: 'treasure' } }] }] })],
    ['/api/v1/namespaces/default/pods', 'POST', mirrorOf({ nodeName: 'n2', containers: [{ name: 'a', image: 'a' }] })],
    ['/api/v1/namespaces/default/pods', 'POST', mirrorOf({ nodeName: 'thief', serviceAccountName: 'default', containers: [{ name: 'a', image: 'a' }] })],
    ['/api/v1/namespaces/default/pods/owner/status', 'PUT', { metadata: { name: 'owner' } }], ['/api/v1/nodes/n2', 'PUT', { metadata: { name: 'n2' } }], ['/api/v1/nodes/n2/status', 'PUT', { metadata: { name: 'n2' } }],
    ['/api/v1/namespaces/default/serviceaccounts/default/token', 'POST', { spec: {} }],
    // Pods have what people write into them.
    ['/api/v1/pods', 'GET'], ['/api/v1/namespaces/default/pods', 'GET'], ['/api/v1/pods?watch=true', 'GET'], ['/api/v1/namespaces/default/pods/owner', 'GET'], ['/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Downer', 'GET'],
    ['/api/v1/pods?fieldSelector=spec.nodeName%3Dn2', 'GET'], ['/api/v1/pods?fieldSelector=spec.nodeName%21%3Dthief', 'GET'], ['/api/v1/pods?fieldSelector=spec.nodeName%3D%3Dthief%2Cx', 'GET'], ['/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn2', 'GET'],
  ] as const) t.is(await asThief(path, method, object), 403, `${method} ${path}`);
  t.is(await asThief('/api/v1/pods?fieldSelector=spec.nodeName%3Dthief', 'GET'), 200, 'its own');
  t.is(await codeOf(`${server}/api/v1/namespaces/default/pods/owner`, { ca, pair: n2 }), 200, 'the node of the pod has it');

  const other = await createCa({ commonName: 'barge-ca', lifetimeDays: 2, nowMs });
  for (const name of ['first', 'n2']) {
    const agent = `https://${await barge(`get node ${name} -o jsonpath={.status.addresses[?(@.type=='InternalIP')].address}:{.status.daemonEndpoints.kubeletEndpoint.Port}`)}`;
    const get = (pair: CertificatePair | undefined): Promise<number> => codeOf(`${agent}/healthz`, { ca, pair });
    t.is(await get(await readPair(join(folder, 'data/pki'), 'apiserver-client')), 200, 'the API server');
    t.is(await get(undefined), 0, 'nobody');
    t.is(await get(await issueCertificate({ ca: other, commonName: 'system:barge:apiserver', usages: ['client'], lifetimeDays: 1, nowMs })), 0, "the API server's name under another authority");
    t.is(await get(thief), 403, 'a node');
    t.is(await codeOf(`${agent}/exec/default/owner/main?command=id`, { ca, pair: thief, headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } }), 403, 'a node that wants to run a program');
    t.is(await get(n2), 403, 'the agent itself, or its neighbour');
    t.is(await get(await readPairFile(join(folder, 'n2/node/serving.pem'))), 0, 'a certificate for servers');
    t.is(await get(await readPair(join(folder, 'data/pki'), 'admin')), 403, 'an admin');
  }
});

etcdTest('the keys of the cluster go to a token for servers, and to a node that an admin has marked; nobody else gets them, and no log has them', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(180_000);
  const etcd = await startTestEtcd();
  t.teardown(() => etcd.close());
  const { folder, begin, barge } = await bargeProcesses(t);
  await writeFile(join(folder, 'policy.yaml'), 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: RequestResponse}]\n');
  await begin(`up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error --audit-log @/audit.log --audit-policy @/policy.yaml --etcd-servers ${etcd.endpoints.join(',')}`);
  const tokenOf = async (role: string): Promise<readonly [string, string]> => {
    const [, server, , token] = (await barge(`token create --role ${role}`)).trim().replace('barge ', '').split(' ') as [string, string, string, string];
    return [server, token];
  };
  const [[server, worker], [, forServers]] = [await tokenOf('worker'), await tokenOf('server')];
  const { ca, client: node } = await joinCluster({
    server, token: worker, nodeName: 'n2', defaultNodeName: 'n2', nodeIp: '127.0.0.3', files: new MembershipFiles(join(folder, 'n2')), clock: systemClock, say: () => undefined,
  }, new AbortController().signal);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token.split('-').slice(3).join('.')}` } });
  const ask = (who: { readonly pair?: CertificatePair | undefined; readonly headers?: OutgoingHttpHeaders }, { method = 'POST', nodeName = 's2' } = {}): Promise<number> =>
    codeOf(`${server}${serverMaterialPath}`, { ca, ...who, method, body: method === 'GET' ? '' : JSON.stringify({ nodeName }) });
  const admin = await readPair(join(folder, 'data/pki'), 'admin');
  for (const [who, name] of [
    [{}, 'nobody'], [bearer(worker), 'a token for workers'], [{ pair: node }, 'a node'], [{ pair: admin }, 'an admin'], [{ pair: await readPair(join(folder, 'data/pki'), 'apiserver-client') }, 'the API server to agents'],
    [{ pair: admin, headers: { 'impersonate-user': 'system:bootstrap:abcdef', 'impersonate-group': 'system:bootstrappers:barge:server' } }, 'an admin as a token'],
  ] as const) {
    t.is(await ask(who, { nodeName: 'n2' }), 403, name);
    t.not(await ask(who, { method: 'GET' }), 200, `${name} reads`);
  }
  t.is(await ask({ headers: { authorization: `Bearer ${forServers.split('-')[3]}.${'0'.repeat(16)}` } }), 401);
  t.is(await ask(bearer(forServers), { method: 'GET' }), 403);
  t.is(await ask(bearer(forServers), { nodeName: 'first' }), 409, 'of a machine that is there');
  t.is(await ask(bearer(forServers)), 200);
  // A token for servers makes no nodes and reads nothing: what it gives is all that it is for.
  for (const path of ['/api/v1/secrets', '/apis/certificates.k8s.io/v1/certificatesigningrequests']) t.is(await codeOf(`${server}${path}`, { ca, ...bearer(forServers) }), 403, path);

  // A node cannot mark itself, neither as it registers nor later; an admin can.
  const asNode = (method: string, path: string, object: object): Promise<number> => codeOf(`${server}/api/v1/nodes${path}`, { ca, pair: node, method, body: JSON.stringify(object), headers: method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {} });
  const marked = (text: string | null) => ({ annotations: { [promotionAnnotation]: text } });
  const mark = marked(printPromotionMark({ listen: '0.0.0.0:6443', untilMs: Date.now() + 600_000 }));
  t.is(await asNode('POST', '', { metadata: { name: 'n2', ...mark } }), 403);
  t.is(await asNode('POST', '', { metadata: { name: 'n2' } }), 201);
  t.is(await asNode('PATCH', '/n2', { metadata: { annotations: { [demotionAnnotation]: new Date(Date.now() + 600_000).toISOString() } } }), 403, 'nor the other way');
  for (const path of ['/n2', '/n2/status']) {
    await asNode('PATCH', path, { metadata: mark });
    t.is(await ask({ pair: node }, { nodeName: 'n2' }), 403, `by itself at ${path}`);
  }
  const asAdmin = async (metadata: object): Promise<boolean> => t.is(await codeOf(`${server}/api/v1/nodes/n2`, { ca, pair: admin, method: 'PATCH', body: JSON.stringify({ metadata }), headers: { 'content-type': 'application/merge-patch+json' } }), 200);
  // A mark that was left behind, and what is none.
  for (const text of [printPromotionMark({ listen: '0.0.0.0:6443', untilMs: Date.now() - 1_000 }), '0.0.0.0:6443', '0.0.0.0:6443 until ever']) {
    await asAdmin(marked(text));
    t.is(await ask({ pair: node }, { nodeName: 'n2' }), 403, text);
  }
  await asAdmin(mark);
  t.is(await ask({ pair: node }, { nodeName: 's2' }), 403, 'for itself only');
  t.is(await ask({ pair: node }, { nodeName: 'n2' }), 200);
  await asAdmin(marked(null));
  t.is(await ask({ pair: node }, { nodeName: 'n2' }), 403, 'as long as it is marked');

  const audit = await readFile(join(folder, 'audit.log'), 'utf8');
  t.regex(audit, new RegExp(`"requestURI":"${serverMaterialPath}"`));
  t.notRegex(audit, /PRIVATE KEY/);
});

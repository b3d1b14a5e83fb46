import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { AuditLog } from '../../apiserver/audit/audit-log.ts';
import { Auditor, type AuditSink } from '../../apiserver/audit/auditor.ts';
import type { AuditEvent } from '../../apiserver/audit/event.ts';
import { defaultPolicy, readPolicy, verdictOf, type Audited, type AuditPolicy } from '../../apiserver/audit/policy.ts';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import { silentLog, type Log } from '../../base/log.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { httpsApi, type HttpsApi } from '../helpers/https-api.ts';

const policy = (...rules: readonly object[]): AuditPolicy => readPolicy({ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', rules });
const everything = policy({ level: 'RequestResponse', omitManagedFields: true });
const alice = { name: 'alice', groups: ['devs', 'system:authenticated'] };
const about = (verb: string, at: string, more: Partial<Audited> = {}): Audited => {
  const [group = '', resource = '', namespace, name, subresource] = at.split(' ').map((part) => (part === '-' ? undefined : part));
  return { user: alice, verb, pathname: '/x', path: { group, version: 'v1', resource, namespace, name, subresource }, ...more };
};

test('the first rule that fits gives the level', (t) => {
  const request = about('get', '- pods ns p log');
  const cases: readonly (readonly [rule: object, fits: boolean])[] = [
    [{}, true], [{ users: ['alice'] }, true], [{ users: ['bob'] }, false], [{ userGroups: ['x', 'devs'] }, true], [{ userGroups: ['x'] }, false], [{ verbs: ['get'] }, true], [{ verbs: ['list'] }, false],
    [{ namespaces: ['ns'] }, true], [{ namespaces: [''] }, false], [{ nonResourceURLs: ['*'] }, false], [{ resources: [{ group: '' }] }, true], [{ resources: [{ group: 'apps' }] }, false],
    ...[['pods', false], ['pods/log', true], ['pods/*', true], ['*/log', true], ['*/exec', false], ['*', true]].map(([word, fits]) => [{ resources: [{ group: '', resources: [word] }] }, fits] as [object, boolean]),
    [{ resources: [{ group: '', resources: ['pods/log'], resourceNames: ['p'] }] }, true], [{ resources: [{ group: '', resources: ['pods/log'], resourceNames: ['q'] }] }, false],
  ];
  for (const [rule, fits] of cases) t.is(verdictOf(policy({ level: 'Request', ...rule }, { level: 'Metadata', users: ['alice'] }), request).level, fits ? 'Request' : 'Metadata', JSON.stringify(rule));
  const path = { user: undefined, verb: 'get', path: undefined, pathname: '/healthz/ping' };
  for (const [url, fits] of [['/healthz*', true], ['/healthz', false], ['*', true], ['/healthz/ping', true]] as const) t.is(verdictOf(policy({ level: 'Metadata', nonResourceURLs: [url] }), path).level, fits ? 'Metadata' : 'None', url);
  t.is(verdictOf(policy({ level: 'Metadata', users: ['alice'] }), path).level, 'None');
});

test('a policy that is wrong is refused by its field', (t) => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [[], /^policy: must be an object/], [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1beta1' }, /audit\.k8s\.io\/v1/], [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', rules: [] }, /^rules: must have/],
    [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', rule: [] }, /^policy\.rule: there is no such field/],
    ...([
      [{}, /^rules\[0\]\.level: must be one of None, Metadata/], [{ level: 'All' }, /^rules\[0\]\.level/], [{ level: 'None', verb: [] }, /^rules\[0\]\.verb: there is no such field/], [{ level: 'None', verbs: 'get' }, /^rules\[0\]\.verbs: must be a list/],
      [{ level: 'None', omitStages: ['Late'] }, /^rules\[0\]\.omitStages\[0\]: "Late" must be one of/], [{ level: 'None', nonResourceURLs: ['/a*b'] }, /nonResourceURLs\[0\]/], [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }, /not about both/],
      [{ level: 'None', resources: [{ resourceNames: ['a'] }] }, /^rules\[0\]\.resources\[0\]\.resources/], [{ level: 'None', omitManagedFields: 'no' }, /omitManagedFields: must be true or false/],
    ] as const).map(([rule, words]) => [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', rules: [rule] }, words] as [object, RegExp]),
  ];
  for (const [value, words] of cases) t.throws(() => readPolicy(value), { name: 'PolicyError', message: words });
});

test('nothing of a secret is written by default, and nothing that says nothing', (t) => {
  for (const at of ['- secrets ns s', '- serviceaccounts ns default token', 'authentication.k8s.io tokenreviews', '- configmaps ns c', 'apps deployments ns d']) t.is(verdictOf(defaultPolicy, about('create', at)).level, 'Metadata', at);
  for (const request of [about('create', '- events ns e'), about('update', 'coordination.k8s.io leases ns l', { user: { name: 'system:node:n', groups: ['system:nodes'] } }), about('list', '- pods', { user: { name: 'system:barge:scheduler', groups: [] } }),
    { user: undefined, verb: 'get', path: undefined, pathname: '/healthz' }]) t.is(verdictOf(defaultPolicy, request).level, 'None', JSON.stringify(request));
});

const recording = (): AuditSink & { readonly events: AuditEvent[] } => {
  const events: AuditEvent[] = [];
  return { events, write: (event) => void events.push(JSON.parse(JSON.stringify(event)) as AuditEvent) };
};

const audited = async (t: { teardown(run: () => Promise<void>): void }, rules: AuditPolicy = everything): Promise<HttpsApi & { readonly events: AuditEvent[] }> => {
  const sink = recording();
  const auditor = new Auditor({ policy: rules, sink, clock: new FakeClock(), random: Math.random, metrics: new Metrics() });
  const api = await httpsApi({ auditor, authorizer: createBuiltinAuthorizer() });
  t.teardown(() => api.close());
  sink.events.length = 0;
  return Object.assign(api, { events: sink.events });
};

const configMaps = '/api/v1/namespaces/default/configmaps';

test('a request is written at each of its stages, with its bodies', async (t) => {
  const api = await audited(t);
  const made = await api.call(`${configMaps}?fieldManager=me`, { body: { metadata: { name: 'a' }, data: { x: '1' } }, headers: { 'user-agent': 'tool/1', 'audit-id': 'my-id' } });
  t.is(made.headers['audit-id'], 'my-id');
  await eventually(() => { if (api.events.length < 2) throw new Error('not yet'); });
  const [received, complete] = api.events;
  t.is(api.events.length, 2);
  t.like(received, { kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'RequestResponse', auditID: 'my-id', stage: 'RequestReceived', verb: 'create', requestURI: `${configMaps}?fieldManager=me`, userAgent: 'tool/1', sourceIPs: ['127.0.0.1'] });
  t.like(received!.user, { username: 'admin' });
  t.deepEqual(received!.objectRef, { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' });
  t.is(received!.annotations, undefined);
  t.like(complete, { stage: 'ResponseComplete', objectRef: { name: 'a' }, responseStatus: { metadata: {}, code: 201 }, requestObject: { data: { x: '1' } }, annotations: { 'authorization.k8s.io/decision': 'allow' } });
  const answered = complete!.responseObject as { readonly metadata: Record<string, unknown> };
  t.is(typeof answered.metadata['uid'], 'string');
  t.false('managedFields' in answered.metadata, 'as the policy says');
  t.regex(complete!.stageTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

test('what is refused says why; who is nobody and who acts as another are written so', async (t) => {
  const api = await audited(t, policy({ level: 'Metadata', omitStages: ['RequestReceived'] }));
  const last = async (count: number): Promise<AuditEvent> => eventually(() => api.events.length === count ? api.events.at(-1)! : Promise.reject(new Error(`${api.events.length}`)));
  await api.call(configMaps, { as: 'bob', body: { metadata: { name: 'a' } } });
  t.like(await last(1), { user: { username: 'bob' }, verb: 'create', responseStatus: { code: 403, status: 'Failure', reason: 'Forbidden' }, annotations: { 'authorization.k8s.io/decision': 'forbid' } });
  t.false('requestObject' in api.events[0]!);
  await api.call(configMaps, { as: null, headers: { authorization: 'Bearer wrong' } });
  t.like(await last(2), { user: {}, verb: 'list', objectRef: { resource: 'configmaps' }, responseStatus: { code: 401 } });
  await api.call(`${configMaps}/none`, { headers: { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' } });
  t.like(await last(3), { user: { username: 'admin' }, impersonatedUser: { username: 'jane' }, verb: 'get', responseStatus: { code: 404, reason: 'NotFound' }, annotations: { 'authorization.k8s.io/decision': 'allow' } });
  await api.call(configMaps, { body: 'nonsense' });
  t.like(await last(4), { responseStatus: { code: 400 }, level: 'Metadata' });
  await api.call('/api/v1/namespaces/default/widgets');
  t.like(await last(5), { verb: 'list', objectRef: { resource: 'widgets' }, responseStatus: { code: 404 } });
  await api.call('/nothing', { method: 'PROPFIND' });
  t.like(await last(6), { verb: 'propfind', requestURI: '/nothing', responseStatus: { code: 404 } });
  await api.call(configMaps, { method: 'DELETE' });
  t.like(await last(7), { verb: 'deletecollection' });
});

test('a watch is written when it begins and when it ends; a fault of the server is a panic', async (t) => {
  const api = await audited(t, policy({ level: 'Metadata' }));
  const watch = await api.open(`${configMaps}?watch=true`);
  watch.destroy();
  await eventually(() => { if (api.events.length < 3) throw new Error('not yet'); });
  t.deepEqual(api.events.map(({ stage, verb }) => `${verb} ${stage}`), ['watch RequestReceived', 'watch ResponseStarted', 'watch ResponseComplete']);
  t.is(new Set(api.events.map(({ auditID }) => auditID)).size, 1);
  api.events.length = 0;
  api.core.send = () => Promise.reject(new Error('a fault'));
  await api.call(`${configMaps}/x`);
  t.deepEqual(api.events.map(({ stage, responseStatus }) => [stage, responseStatus?.code]), [['RequestReceived', undefined], ['Panic', 500]]);
});

test('what components in this process do is written as well, with what rules add', async (t) => {
  const api = await audited(t);
  const transport = api.core.as({ name: 'system:barge:controllers', groups: ['system:authenticated'] });
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', body: { metadata: { generateName: 'a-' } } });
  await t.throwsAsync(transport.send({ verb: 'create', group: '', version: 'v1', resource: 'secrets', namespace: 'default', body: { metadata: { name: 's' } } }));
  t.deepEqual(api.events.map(({ verb, stage, requestURI, responseStatus }) => [verb, stage, requestURI, responseStatus?.code]), [
    ['create', 'RequestReceived', configMaps, undefined], ['create', 'ResponseComplete', configMaps, 201],
    ['create', 'RequestReceived', '/api/v1/namespaces/default/secrets', undefined], ['create', 'ResponseComplete', '/api/v1/namespaces/default/secrets', 403],
  ]);
  t.is(api.events[3]!.annotations?.['authorization.k8s.io/decision'], 'forbid');
  const stop = new AbortController();
  for await (const _ of transport.watch({ verb: 'watch', group: '', version: 'v1', resource: 'namespaces' }, stop.signal)) stop.abort();
  t.deepEqual(api.events.slice(4).map(({ stage }) => stage), ['RequestReceived', 'ResponseStarted', 'ResponseComplete']);
});

const event = (size: number, id = 'x'): AuditEvent => ({
  kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'Request', auditID: id, stage: 'ResponseComplete', requestURI: '/', verb: 'get', user: {}, requestObject: 'y'.repeat(size), requestReceivedTimestamp: '', stageTimestamp: '',
});

const inFolder = async (t: { teardown(run: () => Promise<void>): void }): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-audit-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

test('the log is put aside by its size, keeps so many files, and goes on after a restart', async (t) => {
  const folder = await inFolder(t);
  const options = { file: join(folder, 'audit.log'), maxBytes: 3_000, maxBackups: 2, log: silentLog, metrics: new Metrics() };
  const written: string[] = [];
  for (let round = 0; round < 4; round++) {
    const log = await AuditLog.open(options);
    for (let index = 0; index < 3; index++) {
      log.write(event(500, `${round}-${index}`));
      written.push(`${round}-${index}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await log.close();
  }
  t.deepEqual((await readdir(folder)).sort(), ['audit.log', 'audit.log.1', 'audit.log.2']);
  const ids: string[] = [];
  for (const name of ['audit.log.2', 'audit.log.1', 'audit.log']) {
    const text = await readFile(join(folder, name), 'utf8');
    t.true(text.length <= 3_000, name);
    for (const line of text.trimEnd().split('\n')) ids.push((JSON.parse(line) as AuditEvent).auditID);
  }
  t.deepEqual(ids, written.slice(-ids.length), 'the newest, each once and in order');
  t.is((await stat(join(folder, 'audit.log'))).mode & 0o777, 0o600);
});

test('what does not fit into memory is lost and counted; large objects are left out', async (t) => {
  const folder = await inFolder(t);
  const metrics = new Metrics();
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => void errors.push(message) };
  const audit = await AuditLog.open({ file: join(folder, 'audit.log'), maxBytes: 1e9, maxBackups: 1, log, metrics, waitingBytes: 10_000 });
  for (let index = 0; index < 20; index++) audit.write(event(1_000));
  audit.write(event(2_000_000, 'large'));
  await audit.close();
  const lines = (await readFile(join(folder, 'audit.log'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as AuditEvent);
  const lost = metrics.counter({ name: 'apiserver_audit_error_total', help: '', labels: ['plugin'] }).of('log').value;
  t.is(lines.length + lost, 21);
  t.true(lost > 5 && lines.length > 5, `${lost} lost`);
  const large = lines.find(({ auditID }) => auditID === 'large');
  t.deepEqual([large?.requestObject, large?.annotations], [undefined, { 'audit.k8s.io/truncated': 'true' }]);
  t.deepEqual(errors, ['events of the audit log were lost']);
  await t.throwsAsync(AuditLog.open({ file: join(folder, 'none/audit.log'), maxBytes: 1, maxBackups: 1, log, metrics }), { code: 'ENOENT' });
});

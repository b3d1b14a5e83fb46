import test from 'ava';
import * as fc from 'fast-check';
import type { ConnectRequest } from '../../apiserver/core.ts';
import { MemoryStorage } from '../../apiserver/storage/memory.ts';
import { deletionOf, type DeleteOptions } from '../../apiserver/verbs/deletion.ts';
import { generatedName, newUid } from '../../apiserver/verbs/identity.ts';
import { readToken, writeToken } from '../../apiserver/verbs/continue-token.ts';
import { createLog } from '../../base/log.ts';
import type { ApiAnswer, ApiRequest, UserInfo, Verb, WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { deepFreeze } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { admin, seededRandom, testApi, type TestApi } from '../helpers/api.ts';

const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'] };
const configMaps = { group: '', version: 'v1', resource: 'configmaps' } as const;
const pods = { group: '', version: 'v1', resource: 'pods' } as const;

// Authorization

test('every request is authorized, before anything else is said about it', async (t) => {
  const asked: string[] = [];
  const { core, close } = await testApi({ authorizer: { authorize: ({ user, verb, resource: at }) => {
    if (user.name !== 'bob') return undefined;
    asked.push([verb, at?.group, at?.resource, at?.subresource, at?.namespace, at?.name].join(' '));
    return verb === 'list' ? 'no rule' : '';
  } } });
  const api = core.as(bob);
  const signal = new AbortController().signal;
  const expected: readonly [ApiRequest, string][] = [
    [{ ...pods, verb: 'list', namespace: 'rec' }, 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "rec": no rule'],
    [{ group: 'apps', version: 'v1', resource: 'deployments', verb: 'get', namespace: 'rec', name: 'x', subresource: 'scale' }, 'deployments.apps "x" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" in the namespace "rec"'],
    [{ group: 'no.such', version: 'v1', resource: 'things', verb: 'create', body: {} }, 'things.no.such is forbidden: User "bob" cannot create resource "things" in API group "no.such" at the cluster scope'],
    [{ ...pods, verb: 'deletecollection', namespace: 'rec', options: { fieldSelector: 'metadata.name=one' } }, 'pods "one" is forbidden: User "bob" cannot deletecollection resource "pods" in API group "" in the namespace "rec"'],
  ];
  for (const [request, message] of expected) {
    const error = await t.throwsAsync(api.send(request), { instanceOf: ApiError, message });
    t.is(error.code, 403);
  }
  await t.throwsAsync(api.watch({ ...pods, verb: 'watch', namespace: 'rec' }, signal)[Symbol.asyncIterator]().next(), { message: /cannot watch resource "pods"/ });
  t.throws(() => core.watch({ ...pods, verb: 'watch', namespace: 'rec' }, bob, signal), { message: /cannot watch/ }, 'a server hears of it before it begins a stream');
  await t.throwsAsync(core.connect({ ...pods, verb: 'create', namespace: 'rec', name: 'p', subresource: 'exec', query: new URLSearchParams() }, bob), { message: /cannot create resource "pods\/exec"/ });
  t.deepEqual(asked.slice(0, 4), ['list  pods  rec ', 'get apps deployments scale rec x', 'create no.such things   ', 'deletecollection  pods  rec one']);
  await close();
});

test('requests that make no sense are refused', async (t) => {
  const { transport, close } = await testApi();
  const nonsense: readonly [ApiRequest, number][] = [
    [{ ...configMaps, verb: 'get', namespace: 'default' }, 400], [{ ...configMaps, verb: 'get', name: 'a' }, 400], [{ ...configMaps, verb: 'create', body: { metadata: { name: 'a' } } }, 400],
    [{ ...configMaps, verb: 'list', namespace: 'default', name: 'a' }, 400], [{ ...configMaps, verb: 'list', options: { limit: -1 } }, 400], [{ ...configMaps, verb: 'watch' }, 405],
    [{ ...configMaps, resource: 'namespaces', verb: 'get', namespace: 'default', name: 'default' }, 404], [{ ...configMaps, verb: 'patch', namespace: 'default', name: 'a', body: {} }, 400],
    [{ ...configMaps, verb: 'patch', patchType: 'apply', namespace: 'default', name: 'a', body: {} }, 422], [{ ...pods, verb: 'get', namespace: 'default', name: 'a', subresource: 'exec' }, 405],
    [{ ...pods, verb: 'delete', namespace: 'default', name: 'a', subresource: 'status' }, 405], [{ ...pods, verb: 'deletecollection' }, 405], [{ ...pods, verb: 'get', namespace: 'default', name: 'a', subresource: 'nothing' }, 404],
  ];
  for (const [request, code] of nonsense) t.is((await t.throwsAsync(transport.send(request), { instanceOf: ApiError }, JSON.stringify(request))).code, code, JSON.stringify(request));
  await close();
});

// Streams

const connectRequest = (subresource: string, query: string, verb: Verb = 'get'): ConnectRequest => ({ ...pods, verb, namespace: 'default', name: 'web', subresource, query: new URLSearchParams(query) });

const withNode = async (containers: readonly string[], spec: object = {}): Promise<TestApi> => {
  const api = await testApi();
  const nodes = api.client.of(Node);
  await nodes.create({ metadata: { name: 'n1' }, spec: {} });
  await nodes.modifyStatus({ name: 'n1' }, (draft) => {
    draft.status = { ...draft.status, addresses: [{ type: 'InternalIP', address: '192.0.2.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } };
  });
  await api.client.of(Pod).create({ metadata: { name: 'web', namespace: 'default' }, spec: { nodeName: 'n1', containers: containers.map((name) => ({ name, image: 'i' })), ...spec } });
  return api;
};

const setState = (api: TestApi, name: string, state: object, lastState: object = {}): Promise<Pod> => api.client.of(Pod).modifyStatus({ namespace: 'default', name: 'web' }, (draft) => {
  draft.status = { ...draft.status, containerStatuses: [{ name, image: 'i', imageID: '', ready: false, restartCount: 0, state, lastState }] };
});

test('a stream goes to the agent of the pod\'s node', async (t) => {
  const api = await withNode(['main']);
  await setState(api, 'main', { running: {} });
  const paths: readonly [string, string, string][] = [
    ['log', 'follow=True&tailLines=10&previous=false&timestamps=1&pretty=true&insecureSkipTLSVerifyBackend=true', '/containerLogs/default/web/main?follow=true&tailLines=10&timestamps=true'],
    ['exec', 'command=sh&command=-c&command=a%20b&stdout=true&stdin=false&tty=', ''],
    ['exec', 'command=sh&command=-c&command=a%20b&command=&stdout=true&stdin=false&container=main', '/exec/default/web/main?command=sh&command=-c&command=a+b&command=&stdout=true'],
    ['attach', 'stdout=true&stderr=1', '/attach/default/web/main?stdout=true&stderr=true'],
    ['portforward', 'ports=80,81&ports=8080', '/portForward/default/web?ports=80%2C81&ports=8080'],
  ];
  for (const [name, query, path] of paths) {
    if (path === '') await t.throwsAsync(api.core.connect(connectRequest(name, query), admin), { message: /tty: Invalid value/ });
    else t.deepEqual(await api.core.connect(connectRequest(name, query), admin), { host: '192.0.2.1', port: 10250, path });
  }
  await api.close();
});

test('what is wrong with a stream is said before it begins', async (t) => {
  const api = await withNode(['a', 'b'], { initContainers: [{ name: 'first', image: 'i' }] });
  const refusal = async (name: string, query: string): Promise<string> => {
    const error = await t.throwsAsync(api.core.connect(connectRequest(name, query), admin), { instanceOf: ApiError });
    return `${error.code} ${error.message}`;
  };
  t.is(await refusal('log', ''), '400 a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [first]');
  t.is(await refusal('exec', 'container=c&command=x&stdout=1'), '400 container c is not valid for pod web');
  t.regex(await refusal('exec', 'container=a&stdout=1'), /^422 .*command: Required value/);
  t.regex(await refusal('exec', 'container=a&command=x'), /^422 .*at least one of stdin, stdout, stderr/);
  t.regex(await refusal('log', 'container=a&tailLines=-1'), /^422 .*tailLines: Invalid value: "-1"/);
  t.regex(await refusal('log', 'container=a&sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z'), /^422 .*at most one of/);
  t.regex(await refusal('portforward', 'ports=0'), /^422 .*between 1 and 65535/);
  t.is(await refusal('log', 'container=a'), '400 container "a" in pod "web" is not available');
  const waits: readonly [object, string][] = [
    [{ waiting: { reason: 'ErrImageNeverPull' } }, 'container "a" in pod "web" is waiting to start: ErrImageNeverPull'], [{ waiting: { reason: 'ContainerCreating' } }, 'container "a" in pod "web" is waiting to start: ContainerCreating'],
    [{ waiting: { reason: 'ImagePullBackOff' } }, 'container "a" in pod "web" is waiting to start: trying and failing to pull image'], [{ waiting: {} }, 'container "a" in pod "web" is waiting to start - no logs yet'],
  ];
  for (const [state, why] of waits) {
    await setState(api, 'a', state);
    t.is(await refusal('log', 'container=a'), `400 ${why}`);
  }
  t.is(await refusal('log', 'container=a&previous=true'), '400 previous terminated container "a" in pod "web" not found');
  await setState(api, 'a', { waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 1 } });
  t.regex((await api.core.connect(connectRequest('log', 'container=a&previous=true'), admin)).path, /^\/containerLogs\/default\/web\/a\?previous=true$/);
  await t.notThrowsAsync(api.core.connect(connectRequest('log', 'container=a'), admin));
  await t.throwsAsync(api.core.connect({ ...connectRequest('log', ''), name: 'none' }, admin), { message: 'pods "none" not found' });
  await t.throwsAsync(api.core.connect(connectRequest('status', ''), admin), { message: 'the server could not find the requested resource' });
  await api.client.of(Node).delete({ name: 'n1' });
  t.is(await refusal('attach', 'container=a&stdout=1'), '404 nodes "n1" not found');
  await api.client.of(Pod).create({ metadata: { name: 'unbound', namespace: 'default' }, spec: { containers: [{ name: 'a', image: 'i' }] } });
  await t.throwsAsync(api.core.connect({ ...connectRequest('attach', 'stdout=1'), name: 'unbound' }, admin), { message: 'pod unbound does not have a host assigned' });
  await t.throwsAsync(api.core.connect({ ...connectRequest('log', ''), name: 'unbound' }, admin), { message: 'pod unbound does not have a host assigned' });
  await api.close();
});

test('ephemeral containers are added, and stay as they are', async (t) => {
  const api = await withNode(['main']);
  const patch = (containers: readonly object[]): Promise<ApiAnswer> => api.transport.send({ ...pods, verb: 'patch', namespace: 'default', name: 'web', subresource: 'ephemeralcontainers', patchType: 'strategic', body: { spec: { ephemeralContainers: containers } } });
  const added = (await patch([{ name: 'debug', image: 'busybox', targetContainerName: 'main' }])).body as Pod;
  t.like(added.spec.ephemeralContainers?.[0], { name: 'debug', image: 'busybox', terminationMessagePath: '/dev/termination-log' });
  t.is(added.metadata.generation, 2);
  t.is(((await patch([{ name: 'second', image: 'busybox' }])).body as Pod).spec.ephemeralContainers?.length, 2);
  for (const [wrong, why] of [
    [{ name: 'debug', image: 'other' }, /"debug" may not be changed/], [{ name: 'debug', $patch: 'delete' }, /"debug" may not be removed/], [{ name: 'main', image: 'x' }, /Duplicate value: "main"/],
    [{ name: 'third' }, /image: Required value/], [{ name: 'third', image: 'x', targetContainerName: 'no' }, /targetContainerName: Not found: "no"/],
  ] as const) await t.throwsAsync(patch([wrong]), { instanceOf: ApiError, message: why });
  await t.throwsAsync(api.client.of(Pod).modify({ namespace: 'default', name: 'web' }, (draft) => {
    draft.spec.ephemeralContainers = [];
  }), { instanceOf: ApiError, message: /Forbidden/ });
  await api.close();
});

// Pure decisions

const nowMs = Date.UTC(2026, 0, 1);
const object = (metadata: ApiObject['metadata'], rest: object = {}): ApiObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u', resourceVersion: '5', generation: 1, ...metadata }, spec: { nodeName: 'n', containers: [], terminationGracePeriodSeconds: 30 }, ...rest } as ApiObject);
const going = (seconds: number, metadata: ApiObject['metadata'] = {}): ApiObject => object({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: seconds, ...metadata });
const mark = (metadata: ApiObject['metadata']): object => ({ action: 'mark', metadata });
const deletions: readonly (readonly [title: string, target: ApiObject, options: DeleteOptions, expected: object])[] = [
  ['its own grace', object({}), {}, mark({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30, generation: 2 })],
  ['a grace of the client', object({}), { gracePeriodSeconds: 5 }, mark({ deletionTimestamp: '2026-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 })],
  ['grace 0', object({}), { gracePeriodSeconds: 0 }, { action: 'remove' }],
  ['a negative grace is the shortest', object({}), { gracePeriodSeconds: -1 }, mark({ deletionGracePeriodSeconds: 1 })],
  ['no node', object({}, { spec: { containers: [] } }), { gracePeriodSeconds: 30 }, { action: 'remove' }],
  ['ended by itself', object({}, { status: { phase: 'Succeeded' } }), {}, { action: 'remove' }],
  ['a finalizer without grace', object({ finalizers: ['a/b'] }), { gracePeriodSeconds: 0 }, mark({ deletionGracePeriodSeconds: 0, finalizers: ['a/b'] })],
  ['foreground', object({}), { gracePeriodSeconds: 0, propagationPolicy: 'Foreground' }, mark({ finalizers: ['foregroundDeletion'] })],
  ['orphan in place of foreground', object({ finalizers: ['foregroundDeletion', 'a/b'] }), { gracePeriodSeconds: 0, propagationPolicy: 'Orphan' }, mark({ finalizers: ['a/b', 'orphan'] })],
  ['background takes both away', object({ finalizers: ['orphan'] }), { gracePeriodSeconds: 0, propagationPolicy: 'Background' }, { action: 'remove' }],
  ['again, the same', going(30), {}, { action: 'keep' }],
  ['again, longer', going(30), { gracePeriodSeconds: 40 }, { action: 'keep' }],
  ['again, shorter', going(30), { gracePeriodSeconds: 10 }, mark({ deletionTimestamp: '2026-01-01T00:00:10Z', deletionGracePeriodSeconds: 10, generation: 1 })],
  ['again, now', going(30), { gracePeriodSeconds: 0 }, { action: 'remove' }],
  ['again, now, but held', going(30, { finalizers: ['a/b'] }), { gracePeriodSeconds: 0 }, mark({ deletionGracePeriodSeconds: 0, finalizers: ['a/b'] })],
  ['held, and nothing new', going(0, { finalizers: ['a/b'] }), {}, { action: 'keep' }],
];
for (const [title, target, options, expected] of deletions) {
  test(`delete: ${title}`, (t) => t.like(deletionOf(Pod, deepFreeze(target), options, nowMs), expected));
}

test('identities', (t) => {
  const random = seededRandom(3);
  const uids = new Set(Array.from({ length: 500 }, () => newUid(random)));
  t.is(uids.size, 500);
  t.is(generatedName('a'.repeat(80), () => 0.999_999), `${'a'.repeat(58)}99999`);
});

test('continue tokens are read as they were written, and nothing else is', (t) => {
  fc.assert(fc.property(fc.option(fc.nat().map((revision) => revision + 1), { nil: undefined }), fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()), (revision, after) => {
    t.deepEqual(readToken(writeToken({ revision, after })), { revision, after });
  }), { numRuns: 100 });
  for (const text of ['x', '{}', Buffer.from('{"v":1,"rv":0,"after":""}').toString('base64url'), Buffer.from('{"v":2,"rv":1,"after":""}').toString('base64url'), Buffer.from('null').toString('base64url'), 'A'.repeat(3_000)]) {
    t.is(t.throws(() => readToken(text), { instanceOf: ApiError }).code, 400);
  }
});

// The store

test('two servers on one store never lose a write of either', async (t) => {
  const one = await testApi();
  const two = await testApi({ storage: one.storage });
  await one.client.of(ConfigMap).create({ metadata: { name: 'a', namespace: 'default' } });
  await two.core.as(admin).send({ ...configMaps, verb: 'list' });
  const write = (api: TestApi, key: string): Promise<ApiAnswer> => api.transport.send({ ...configMaps, verb: 'patch', namespace: 'default', name: 'a', patchType: 'merge', body: { data: { [key]: 'x' } } });
  await Promise.all(Array.from({ length: 40 }, (_, index) => write(index % 2 === 0 ? one : two, `k${index}`)));
  t.is(Object.keys((await one.client.of(ConfigMap).get({ namespace: 'default', name: 'a' })).data ?? {}).length, 40);
  await Promise.all([one.close(), two.close()]);
});

test('nothing is created in a namespace after another server has begun to delete it', async (t) => {
  const one = await testApi({ namespaces: ['gone'] });
  const two = await testApi({ storage: one.storage });
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, async (_, index) => {
    for (let turn = 0; turn < index; turn++) await Promise.resolve();
    if (index === 2) return void await two.client.of(Namespace).delete({ name: 'gone' });
    return one.client.of(ConfigMap).create({ metadata: { name: `c${index}`, namespace: 'gone' } });
  }));
  const ended = Number((await two.client.of(Namespace).get({ name: 'gone' })).metadata.resourceVersion);
  const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value !== undefined ? [Number(outcome.value.metadata.resourceVersion)] : []));
  t.true(made.length > 0 && made.every((revision) => revision < ended), `${made.join()} and ${ended}`);
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.is((outcome.reason as ApiError).details?.causes?.[0]?.reason, 'NamespaceTerminating');
  t.true(outcomes.some(({ status }) => status === 'rejected'));
  await Promise.all([one.close(), two.close()]);
});

test('a generated name that is taken is made anew, up to a point', async (t) => {
  let chance = (): number => 0.5;
  const { client, close } = await testApi({ random: () => chance() });
  const create = (): Promise<ConfigMap> => client.of(ConfigMap).create({ metadata: { generateName: 'a-', namespace: 'default' } });
  const first = await create();
  t.is((await t.throwsAsync(create(), { instanceOf: ApiError })).reason, 'AlreadyExists');
  const random = seededRandom(1);
  // The same five letters once more, then others.
  let calls = 0;
  chance = () => (calls++ < 5 ? 0.5 : random());
  t.not((await create()).metadata.name, first.metadata.name);
  await close();
});

test('a store that fails is an internal error, told once in the log', async (t) => {
  const lines: string[] = [];
  const storage = new MemoryStorage();
  const { transport, close } = await testApi({ storage, log: createLog({ level: 'info', format: 'text', write: (line) => lines.push(line), now: () => 0 }) });
  const failing = { ...configMaps, verb: 'create', namespace: 'default', body: { metadata: { name: 'a' } } } as const;
  storage.fail(new Error('the disk is gone'));
  const error = await t.throwsAsync(transport.send(failing), { instanceOf: ApiError });
  t.like(error, { code: 500, reason: 'InternalError' });
  t.notRegex(error.message, /disk/);
  t.is(lines.filter((line) => line.includes('a request failed') && line.includes('the disk is gone')).length, 1);
  await close();
});

test('a bookmark that comes due while events wait for their reader does not promise them', async (t) => {
  const { transport, client, clock, close } = await testApi();
  const stop = new AbortController();
  const at = { ...configMaps, namespace: 'default' };
  const reader = transport.watch({ ...at, verb: 'watch', options: { allowWatchBookmarks: true } }, stop.signal)[Symbol.asyncIterator]();
  const first = reader.next();
  const one = await client.of(ConfigMap).create({ metadata: { name: 'one', namespace: 'default' } });
  t.is((await first).value?.[0]?.object.metadata.name, 'one');
  const two = await client.of(ConfigMap).create({ metadata: { name: 'two', namespace: 'default' } });
  await clock.advance(61_000);
  const bookmark = (await reader.next()).value?.[0];
  t.is(bookmark?.type, 'BOOKMARK');
  t.true(Number(bookmark?.object.metadata.resourceVersion) >= Number(one.metadata.resourceVersion));
  t.true(Number(bookmark?.object.metadata.resourceVersion) < Number(two.metadata.resourceVersion));
  t.is((await reader.next()).value?.[0]?.object.metadata.name, 'two');
  stop.abort();
  await close();
});

// Any row of operations

type Step = { readonly op: 'create' | 'update' | 'patch' | 'delete' | 'finalize'; readonly name: string; readonly value: string; readonly held: boolean };
const step: fc.Arbitrary<Step> = fc.record({ op: fc.constantFrom('create', 'update', 'patch', 'delete', 'finalize'), name: fc.constantFrom('a', 'b', 'c'), value: fc.constantFrom('1', '2'), held: fc.boolean() });

const carryOut = async (api: TestApi, { op, name, value, held }: Step): Promise<void> => {
  const at = { ...configMaps, namespace: 'default' } as const;
  const body = { metadata: { name, ...(held ? { finalizers: ['a/b'] } : {}) }, data: { value } };
  const requests: Readonly<Record<Step['op'], ApiRequest>> = {
    create: { ...at, verb: 'create', body }, update: { ...at, verb: 'update', name, body }, patch: { ...at, verb: 'patch', name, patchType: 'merge', body: { data: { value } } },
    delete: { ...at, verb: 'delete', name }, finalize: { ...at, verb: 'patch', name, patchType: 'merge', body: { metadata: { finalizers: null } } },
  };
  try {
    await api.transport.send(requests[op]);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code >= 500) throw error;
  }
};

test('whatever is done at once, versions rise, and a watch sees exactly what was written', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
    const api = await testApi();
    const stop = new AbortController();
    const seen: WatchEvent[] = [];
    const from = (await api.client.of(ConfigMap).list()).metadata.resourceVersion;
    const watching = (async (): Promise<void> => {
      for await (const events of api.transport.watch({ ...configMaps, verb: 'watch', options: { resourceVersion: from } }, stop.signal)) seen.push(...events);
    })();
    const written: { key: string; revision: number; type: string }[] = [];
    const changes = (async (): Promise<void> => {
      for await (const batch of api.storage.changes(Number(from), stop.signal)) written.push(...batch.map(({ key, revision, type, previousRevision }) => ({ key, revision, type: type === 'delete' ? 'DELETED' : previousRevision === 0 ? 'ADDED' : 'MODIFIED' })));
    })();
    await Promise.all(steps.map((one) => carryOut(api, one)));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const list = await api.client.of(ConfigMap).list();
    stop.abort();
    await Promise.all([watching, changes]);
    await api.close();

    const revisions = seen.map(({ object: { metadata } }) => Number(metadata.resourceVersion));
    t.true(revisions.every((revision, index) => index === 0 || revision > revisions[index - 1]!));
    t.deepEqual(seen.map(({ type, object: { metadata } }, index) => ({ type, key: `/configmaps/default/${metadata.name}`, revision: revisions[index] })), written.map(({ key, revision, type }) => ({ type, key, revision })));
    // The events, replayed, are the state.
    const replayed = new Map<string, ApiObject>();
    for (const { type, object: changed } of seen) {
      if (type === 'DELETED') replayed.delete(changed.metadata.name ?? '');
      else replayed.set(changed.metadata.name ?? '', changed);
    }
    t.deepEqual([...replayed.values()].sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1)), [...list.items]);
  }), { numRuns: 25 });
});

test('a kind that is no text is refused as one, whatever it is', async (t) => {
  const { transport, close } = await testApi();
  for (const [said, words] of [[{ toString: 1 }, '{"toString":1} in version "" cannot be handled as a ConfigMap'], ['x'.repeat(100_000), /^x{256} in version/]] as const) {
    const error = await t.throwsAsync(transport.send({ verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', body: { kind: said, metadata: { name: 'a' } } }), { instanceOf: ApiError });
    t.is(error?.code, 400);
    if (typeof words === 'string') t.is(error?.message, words);
    else t.regex(error?.message ?? '', words);
  }
  const version = await t.throwsAsync(transport.send({ verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', body: { apiVersion: { valueOf: null, toString: null }, metadata: { name: 'a' } } }), { instanceOf: ApiError });
  t.is(version?.code, 400);
  await close();
});

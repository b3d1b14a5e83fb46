import test, { type ExecutionContext } from 'ava';
import type { ApiAnswer, ApiList, ApiRequest, PatchType, RequestOptions, Transport, WatchEvent } from '../../schemas/api.ts';
import { ApiError, type Reason, type Status } from '../../schemas/errors.ts';
import { deepFreeze } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { apiVersionOf } from '../../schemas/kind.ts';
import type { ManagedFieldsEntry } from '../../schemas/types/object-meta.ts';

/** What the suite needs: a server with `default` among its namespaces whose cache remembers `historyLimit` changes of a kind. */
export interface TransportUnderTest {
  /** As somebody who may do everything. */
  readonly transport: Transport;
  /** Lets the server's clock go on. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Changes of a kind that the server must be set to remember. */
export const historyLimit = 60;

type Body = ApiObject & Readonly<Record<string, unknown>>;

const configMaps = { group: '', version: 'v1', resource: 'configmaps' } as const;
const pods = { group: '', version: 'v1', resource: 'pods' } as const;
const deployments = { group: 'apps', version: 'v1', resource: 'deployments' } as const;
const namespaces = { group: '', version: 'v1', resource: 'namespaces' } as const;

const podSpec = { containers: [{ name: 'main', image: 'example/app:1' }] };
const deployment = (name: string, replicas = 2): object => ({
  apiVersion: apiVersionOf(deployments), kind: 'Deployment', metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: podSpec } },
});

/** One client in one namespace. */
class Caller {
  readonly transport: Transport;
  readonly namespace: string;

  constructor(transport: Transport, namespace: string) {
    this.transport = transport;
    this.namespace = namespace;
  }

  send(request: Omit<ApiRequest, 'namespace'> & { readonly namespace?: string | undefined }): Promise<ApiAnswer> {
    return this.transport.send({ namespace: this.namespace, ...request });
  }

  async object(request: Parameters<Caller['send']>[0]): Promise<Body> {
    return (await this.send(request)).body as Body;
  }

  create(body: object, options?: RequestOptions, at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = configMaps): Promise<Body> {
    return this.object({ ...at, verb: 'create', body, options });
  }

  get(name: string, at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = configMaps): Promise<Body> {
    return this.object({ ...at, verb: 'get', name });
  }

  update(body: Body | object, options?: RequestOptions, at: Pick<ApiRequest, 'group' | 'version' | 'resource' | 'subresource'> = configMaps): Promise<Body> {
    return this.object({ ...at, verb: 'update', name: (body as Body).metadata.name, body, options });
  }

  patch(name: string, patchType: PatchType, body: unknown, options?: RequestOptions, at: Pick<ApiRequest, 'group' | 'version' | 'resource' | 'subresource'> = configMaps): Promise<Body> {
    return this.object({ ...at, verb: 'patch', name, patchType, body, options });
  }

  async delete(name: string, options?: RequestOptions, at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = configMaps): Promise<Body | Status> {
    return (await this.send({ ...at, verb: 'delete', name, options })).body as Body | Status;
  }

  async list(options?: RequestOptions, at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = configMaps): Promise<ApiList<Body>> {
    return (await this.send({ ...at, verb: 'list', options })).body as ApiList<Body>;
  }

  watch(options: RequestOptions = {}, at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = configMaps): Watching {
    const stop = new AbortController();
    return new Watching(this.transport.watch({ namespace: this.namespace, ...at, verb: 'watch', options }, stop.signal), stop);
  }
}

/** Reads a watch event by event. */
class Watching {
  readonly #batches: AsyncIterator<readonly WatchEvent[]>;
  readonly #stop: AbortController;
  readonly #waiting: WatchEvent[] = [];

  constructor(batches: AsyncIterable<readonly WatchEvent[]>, stop: AbortController) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#stop = stop;
  }

  /** The next event; undefined when the watch has ended. */
  async next(): Promise<WatchEvent | undefined> {
    while (this.#waiting.length === 0) {
      const { done, value } = await this.#batches.next();
      if (done === true) return undefined;
      this.#waiting.push(...value);
    }
    return this.#waiting.shift();
  }

  async take(count: number): Promise<readonly WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) break;
      events.push(event);
    }
    return events;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#batches.return?.();
  }
}

const managersOf = (object: Body): readonly ManagedFieldsEntry[] => object.metadata.managedFields ?? [];

const words = (events: readonly (WatchEvent | undefined)[]): readonly string[] => events.map((event) => `${event?.type} ${event?.object.metadata.name}`);

const refused = async (t: ExecutionContext, promise: Promise<unknown>, reason: Reason, message?: RegExp | string): Promise<ApiError> => {
  const error = await t.throwsAsync(promise, { instanceOf: ApiError, ...(message === undefined ? {} : { message }) });
  t.is(error.reason, reason, error.message);
  return error;
};

const revision = (object: { readonly metadata: { readonly resourceVersion?: string | undefined } }): number => Number(object.metadata.resourceVersion);

const cm = (name: string, data: Readonly<Record<string, string>> = {}, metadata: object = {}): object =>
  deepFreeze({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, ...metadata }, data });

/** What a Transport must hold to, whatever carries the requests: the semantics of the API as its clients see them. */
export const transportSuite = (name: string, open: () => Promise<TransportUnderTest>): void => {
  let api: TransportUnderTest;
  let spaces = 0;
  test.before(async () => {
    api = await open();
  });
  test.after.always(() => api.close());

  const check = (title: string, body: (t: ExecutionContext, caller: Caller) => Promise<void>): void => {
    test.serial(`${name}: ${title}`, async (t) => {
      const namespace = `suite-${++spaces}`;
      await api.transport.send({ ...namespaces, verb: 'create', body: { metadata: { name: namespace } } });
      await body(t, new Caller(api.transport, namespace));
    });
  };

  // Create and read

  check('create fills in who the object is and answers 201 with what get answers', async (t, caller) => {
    const answer = await caller.send({ ...configMaps, verb: 'create', body: cm('a', { x: '1' }) });
    t.is(answer.code, 201);
    const created = answer.body as Body;
    t.like(created, { kind: 'ConfigMap', apiVersion: 'v1', data: { x: '1' }, metadata: { name: 'a', namespace: caller.namespace } });
    t.regex(created.metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.regex(created.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    t.is(created.metadata.generation, undefined);
    t.true(revision(created) > 0);
    t.deepEqual(await caller.get('a'), created);
    t.true(Object.isFrozen(created) && Object.isFrozen(created.metadata));
  });

  check('a new object of a kind with a spec has generation 1, and says nothing of its own life or status', async (t, caller) => {
    const created = await caller.create({
      ...deployment('a'), status: { replicas: 7 },
      metadata: { name: 'a', uid: 'mine', generation: 9, creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z', deletionGracePeriodSeconds: 3 },
    }, undefined, deployments);
    t.is(created.metadata.generation, 1);
    t.not(created.metadata.uid, 'mine');
    t.is(created.metadata.deletionTimestamp, undefined);
    t.is(created.metadata.deletionGracePeriodSeconds, undefined);
    t.not(created.metadata.creationTimestamp, '2001-01-01T00:00:00Z');
    t.not((created['status'] as { replicas?: number } | undefined)?.replicas, 7);
  });

  check('generateName makes names of five more letters', async (t, caller) => {
    const [one, two] = await Promise.all([1, 2].map(() => caller.create({ metadata: { generateName: 'job-' } })));
    t.regex(one?.metadata.name ?? '', /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    t.not(one?.metadata.name, two?.metadata.name);
    const long = await caller.create({ metadata: { generateName: 'n'.repeat(70) } });
    t.is(long.metadata.name?.length, 63);
  });

  check('create refuses what does not fit the URL, what exists and what has no place', async (t, caller) => {
    await caller.create(cm('a'));
    t.like(await refused(t, caller.create(cm('a')), 'AlreadyExists', 'configmaps "a" already exists'), { code: 409, details: { name: 'a', kind: 'configmaps' } });
    await refused(t, caller.create(cm('b', {}, { namespace: 'other' })), 'BadRequest', /namespace/);
    await refused(t, caller.create(cm('b', {}, { resourceVersion: '1' })), 'BadRequest', /resourceVersion should not be set on objects to be created/);
    await refused(t, caller.create({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'b' } }), 'BadRequest', /Secret in version "v1" cannot be handled as a ConfigMap/);
    await refused(t, caller.create({ kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'b' } }), 'BadRequest', /API version/);
    await refused(t, caller.send({ ...configMaps, verb: 'create', namespace: 'nowhere', body: cm('b') }), 'NotFound', 'namespaces "nowhere" not found');
    await refused(t, caller.create({ metadata: {} }), 'Invalid', /metadata.name: Required value: name or generateName is required/);
    await refused(t, caller.create(cm('Not A Name')), 'Invalid', /metadata.name/);
    for (const body of ['text', 7, [1], null]) await refused(t, caller.send({ ...configMaps, verb: 'create', body }), 'BadRequest');
    await refused(t, caller.create({ metadata: { name: 'b' }, data: { n: 5 } }), 'BadRequest', /data/);
  });

  check('an invalid object is refused with every wrong field', async (t, caller) => {
    const error = await refused(t, caller.create({
      metadata: { name: 'a' }, spec: { replicas: -1, selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'x', image: 'i', ports: [{ containerPort: 0 }] }] } } },
    }, undefined, deployments), 'Invalid', /^Deployment.apps "a" is invalid: \[/);
    t.is(error.code, 422);
    const fields = error.details?.causes?.map(({ field }) => field) ?? [];
    t.true(fields.includes('spec.replicas') && fields.includes('spec.template.spec.containers[0].ports[0].containerPort'), fields.join());
  });

  check('what is not there is not found, by its name', async (t, caller) => {
    t.like(await refused(t, caller.get('no'), 'NotFound', 'configmaps "no" not found'), { code: 404, details: { name: 'no', kind: 'configmaps' } });
    t.like(await refused(t, caller.get('no', deployments), 'NotFound', 'deployments.apps "no" not found'), { details: { group: 'apps', kind: 'deployments' } });
    await refused(t, caller.get('x', { group: 'no.such', version: 'v1', resource: 'things' }), 'NotFound');
    await refused(t, caller.send({ ...configMaps, verb: 'get', name: 'x', subresource: 'status' }), 'NotFound');
  });

  // Update

  check('an update at an old version is a conflict; without a version it is not', async (t, caller) => {
    const first = await caller.create(cm('a', { x: '1' }));
    const second = await caller.update({ ...first, data: { x: '2' } });
    t.true(revision(second) > revision(first));
    t.like(await refused(t, caller.update({ ...first, data: { x: '3' } }), 'Conflict',
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again'), { code: 409, details: { name: 'a', kind: 'configmaps' } });
    const third = await caller.update(cm('a', { x: '3' }));
    t.deepEqual(third['data'], { x: '3' });
    t.is(third.metadata.uid, first.metadata.uid);
    t.is(third.metadata.creationTimestamp, first.metadata.creationTimestamp);
    await refused(t, caller.update(cm('a', {}, { uid: 'another' })), 'Conflict', /Precondition failed: UID/);
  });

  check('an update that changes nothing keeps the version', async (t, caller) => {
    const created = await caller.create(cm('a', { x: '1' }));
    t.deepEqual(await caller.update(created), created);
    t.deepEqual(await caller.update(cm('a', { x: '1' })), created);
    const made = await caller.create(deployment('a'), undefined, deployments);
    t.is(revision(await caller.update(deployment('a'), undefined, deployments)), revision(made));
  });

  check('spec and status have an address each, and only spec changes count as a generation', async (t, caller) => {
    const created = await caller.create(deployment('a'), undefined, deployments);
    const spec = created['spec'] as object;
    const scaled = await caller.update({ ...created, spec: { ...spec, replicas: 5 }, status: { replicas: 5 } }, undefined, deployments);
    t.is(scaled.metadata.generation, 2);
    t.not((scaled['status'] as { replicas?: number } | undefined)?.replicas, 5);
    const reported = await caller.update({ ...scaled, spec: { ...spec, replicas: 9 }, status: { replicas: 5 } }, undefined, { ...deployments, subresource: 'status' });
    t.like(reported, { spec: { replicas: 5 }, status: { replicas: 5 }, metadata: { generation: 2 } });
    const labelled = await caller.update({ ...reported, metadata: { ...reported.metadata, labels: { a: 'b' } } }, undefined, deployments);
    t.like(labelled, { status: { replicas: 5 }, metadata: { generation: 2, labels: { a: 'b' } } });
  });

  check('a report to /status may carry metadata, which are checked; those of a Deployment count but for labels', async (t, caller) => {
    const status = { ...deployments, subresource: 'status' };
    await caller.create({ ...deployment('a'), metadata: { name: 'a', labels: { l: '1' }, annotations: { kept: 'yes' } } }, undefined, deployments);
    const patched = await caller.patch('a', 'merge', { metadata: { annotations: { noted: 'yes' }, labels: { l: '2' }, finalizers: ['example.com/held'] }, status: { replicas: 2 } }, { fieldManager: 'reporter' }, status);
    t.like(patched, { status: { replicas: 2 }, metadata: { generation: 1, labels: { l: '1' }, annotations: { kept: 'yes', noted: 'yes' } } });
    t.deepEqual(patched.metadata.finalizers, ['example.com/held']);
    t.like(patched.metadata.managedFields?.find(({ manager }) => manager === 'reporter'), {
      subresource: 'status', fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:noted': {} } }, 'f:status': { 'f:replicas': {} } },
    });
    const updated = await caller.update({ ...patched, metadata: { name: 'a', finalizers: [] }, status: { replicas: 3 } }, undefined, status);
    t.like(updated, { status: { replicas: 3 }, metadata: { labels: { l: '1' }, annotations: undefined } });
    await refused(t, caller.patch('a', 'merge', { metadata: { annotations: { 'not a name': '' } } }, undefined, status), 'Invalid', /metadata\.annotations/);
    await refused(t, caller.patch('a', 'merge', { metadata: { annotations: { 'barge.dev/depends-on': 'pod/x' } } }, undefined, status), 'Invalid', /metadata\.annotations\[barge\.dev\/depends-on\]/);
  });

  check('a report takes the labels of most kinds, the owners of no pod, and nothing of the metadata of some', async (t, caller) => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' };
    const said = { metadata: { labels: { l: '2' }, annotations: { a: '2' }, ownerReferences: [owner] } };
    const pods = { group: '', version: 'v1', resource: 'pods' };
    await caller.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } }, undefined, pods);
    const pod = await caller.patch('a', 'merge', said, undefined, { ...pods, subresource: 'status' });
    t.like(pod.metadata, { labels: { l: '2' }, annotations: { a: '2' }, ownerReferences: undefined });
    const ranges = { group: 'networking.k8s.io', version: 'v1', resource: 'servicecidrs', namespace: undefined };
    await caller.create({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'reported' }, spec: { cidrs: ['10.99.0.0/16'] } }, undefined, ranges);
    const range = await caller.patch('reported', 'merge', { ...said, status: { conditions: [] } }, undefined, { ...ranges, subresource: 'status' });
    t.like(range.metadata, { labels: undefined, annotations: undefined, ownerReferences: undefined });
  });

  check('annotations of a Deployment are a generation, for its ReplicaSets get them', async (t, caller) => {
    await caller.create(deployment('a'), undefined, deployments);
    t.is((await caller.patch('a', 'merge', { metadata: { annotations: { a: '1' } } }, undefined, deployments)).metadata.generation, 2);
    t.is((await caller.patch('a', 'merge', { metadata: { labels: { a: '1' } } }, undefined, deployments)).metadata.generation, 2);
    const sets = { ...deployments, resource: 'replicasets' };
    await caller.create({ ...deployment('a'), kind: 'ReplicaSet' }, undefined, sets);
    t.is((await caller.patch('a', 'merge', { metadata: { annotations: { a: '1' } } }, undefined, sets)).metadata.generation, 1);
  });

  check('what else is a generation hangs on the kind, and some kinds with a spec have none', async (t, caller) => {
    const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
    const slice = await caller.create({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'a', namespace: caller.namespace }, addressType: 'IPv4', endpoints: [], ports: [] }, undefined, slices);
    t.is(slice.metadata.generation, 1);
    t.is((await caller.patch('a', 'merge', { endpoints: [{ addresses: ['10.9.0.1'] }] }, undefined, slices)).metadata.generation, 2);
    t.is((await caller.patch('a', 'merge', { metadata: { labels: { l: '1' } } }, undefined, slices)).metadata.generation, 3);
    t.is((await caller.patch('a', 'merge', { metadata: { annotations: { a: '1' } } }, undefined, slices)).metadata.generation, 3);
    const services = { group: '', version: 'v1', resource: 'services' };
    t.is((await caller.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', namespace: caller.namespace }, spec: { ports: [{ port: 80 }] } }, undefined, services)).metadata.generation, undefined);
    t.is((await caller.patch('a', 'merge', { spec: { selector: { a: 'b' } } }, undefined, services)).metadata.generation, undefined);
  });

  check('an update of some kinds must name the version that it was made from, and of some creates what is not there', async (t, caller) => {
    const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
    const lease = (holderIdentity: string, more: object = {}) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'a', ...more }, spec: { holderIdentity } });
    const made = await caller.send({ ...leases, verb: 'update', name: 'a', body: lease('x') });
    t.like(made, { code: 201, body: { spec: { holderIdentity: 'x' } } });
    const refusal = await refused(t, caller.update(lease('y'), undefined, leases), 'Invalid', /must be specified for an update/);
    t.deepEqual(refusal.details?.causes, [{ reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0x0: must be specified for an update' }]);
    t.like(await caller.update(lease('y', { resourceVersion: (made.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion }), undefined, leases), { spec: { holderIdentity: 'y' } });
    t.like(await caller.patch('a', 'merge', { spec: { holderIdentity: 'z' } }, undefined, leases), { spec: { holderIdentity: 'z' } });
    await refused(t, caller.send({ ...leases, verb: 'update', name: 'b', body: lease('x', { name: 'b', uid: 'of-one-that-was' }) }), 'Conflict');
  });

  check('an update is of the object of its URL, and identity cannot change', async (t, caller) => {
    const created = await caller.create(cm('a'));
    await refused(t, caller.send({ ...configMaps, verb: 'update', name: 'b', body: created }), 'BadRequest', /name of the object \(a\) does not match the name on the URL \(b\)/);
    await refused(t, caller.update(cm('none')), 'NotFound');
    await refused(t, caller.update(cm('a', {}, { creationTimestamp: '2001-01-01T00:00:00Z' })), 'Invalid', /creationTimestamp/);
    t.is((await caller.update(cm('a', { x: '1' }, { generation: 7 }))).metadata.generation, undefined);
  });

  // Patch

  check('merge, JSON and strategic patches change what they name', async (t, caller) => {
    await caller.create(cm('a', { x: '1', y: '1' }));
    t.deepEqual((await caller.patch('a', 'merge', { data: { x: '2', y: null, z: '3' } }))['data'], { x: '2', z: '3' });
    t.deepEqual((await caller.patch('a', 'json', [{ op: 'test', path: '/data/x', value: '2' }, { op: 'replace', path: '/data/x', value: '4' }, { op: 'remove', path: '/data/z' }]))['data'], { x: '4' });
    await caller.create(deployment('a'), undefined, deployments);
    const patched = await caller.patch('a', 'strategic', { spec: { template: { spec: { containers: [{ name: 'side', image: 'example/side:1' }] } } } }, undefined, deployments);
    t.like(patched.metadata, { generation: 2 });
    t.deepEqual((patched['spec'] as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers.map((container) => container.name).sort(), ['main', 'side']);
  });

  check('a patch that changes nothing keeps the version; one made for another version is a conflict', async (t, caller) => {
    const created = await caller.create(cm('a', { x: '1' }));
    t.deepEqual(await caller.patch('a', 'merge', { data: { x: '1' } }), created);
    const next = await caller.patch('a', 'merge', { data: { x: '2' }, metadata: { resourceVersion: created.metadata.resourceVersion } });
    t.true(revision(next) > revision(created));
    await refused(t, caller.patch('a', 'merge', { data: { x: '3' }, metadata: { resourceVersion: created.metadata.resourceVersion } }), 'Conflict');
  });

  check('patches of many writers at once all take effect', async (t, caller) => {
    await caller.create(cm('a'));
    await Promise.all(Array.from({ length: 20 }, (_, index) => caller.patch('a', 'merge', { data: { [`k${index}`]: 'v' } })));
    t.is(Object.keys((await caller.get('a'))['data'] as object).length, 20);
  });

  check('a patch that cannot be applied is refused', async (t, caller) => {
    await caller.create(cm('a', { x: '1' }));
    const failed = await refused(t, caller.patch('a', 'json', [{ op: 'test', path: '/data/x', value: 'no' }]), 'Invalid', 'the server rejected our request due to an error in our request');
    t.is(failed.code, 422);
    await refused(t, caller.patch('a', 'json', [{ op: 'remove', path: '/data/none' }]), 'Invalid');
    await refused(t, caller.patch('a', 'json', { op: 'remove', path: '/data/x' }), 'BadRequest');
    await refused(t, caller.patch('a', 'merge', [1]), 'BadRequest');
    await refused(t, caller.patch('a', 'merge', { metadata: { name: 'b' } }), 'BadRequest', /name/);
    await refused(t, caller.patch('none', 'merge', {}), 'NotFound');
    t.deepEqual((await caller.get('a'))['data'], { x: '1' });
  });

  // Apply

  const applied = (name: string, data: Readonly<Record<string, string>>, manager: string, options: RequestOptions = {}): Parameters<Caller['send']>[0] => ({
    ...configMaps, verb: 'patch', patchType: 'apply', name, body: { ...cm(name, data), apiVersion: 'v1', kind: 'ConfigMap' }, options: { fieldManager: manager, ...options },
  });

  check('apply creates, changes, removes what is given up and names who is in the way', async (t, caller) => {
    const made = await caller.send(applied('a', { x: '1', y: '1' }, 'me'));
    t.is(made.code, 201);
    t.like(managersOf(made.body as Body)[0], { manager: 'me', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:x': {}, 'f:y': {} } } });
    const again = await caller.send(applied('a', { x: '1', y: '1' }, 'me'));
    t.is(again.code, 200);
    t.deepEqual(again.body, made.body, 'the same again changes nothing, not even the version');
    t.deepEqual((await caller.object(applied('a', { y: '1', z: '1' }, 'me')))['data'], { y: '1', z: '1' });

    await caller.patch('a', 'merge', { data: { y: '2' } }, { fieldManager: 'patcher' });
    const conflict = await refused(t, caller.object(applied('a', { y: '3', z: '4' }, 'you')), 'Conflict');
    t.is(conflict.message, 'Apply failed with 2 conflicts: conflicts with "me":\n- .data.z\nconflicts with "patcher" using v1:\n- .data.y');
    t.deepEqual(conflict.details?.causes?.[1], { reason: 'FieldManagerConflict', message: 'conflict with "patcher" using v1', field: '.data.y' });
    const forced = await caller.object(applied('a', { y: '3', z: '1' }, 'you', { force: true }));
    t.deepEqual(managersOf(forced).map(({ manager, fieldsV1 }) => [manager, fieldsV1]), [['me', { 'f:data': { 'f:z': {} } }], ['you', { 'f:data': { 'f:y': {}, 'f:z': {} } }]]);
    t.deepEqual((await caller.object(applied('a', {}, 'me')))['data'], { y: '3', z: '1' }, 'what somebody else owns stays');
    t.deepEqual((await caller.object(applied('a', { x: '9' }, 'me', { dryRun: true })))['data'], { x: '9', y: '3', z: '1' });
    t.deepEqual((await caller.get('a'))['data'], { y: '3', z: '1' });
  });

  check('an apply that cannot be one is refused', async (t, caller) => {
    await refused(t, caller.object(applied('a', {}, '')), 'Invalid', /fieldManager: Required value: is required for apply patch/);
    const body = (body: unknown): Parameters<Caller['send']>[0] => ({ ...applied('a', {}, 'me'), body });
    await refused(t, caller.object(body({ metadata: { name: 'a' } })), 'BadRequest', /apiVersion/);
    await refused(t, caller.object(body({ apiVersion: 'v1', metadata: { name: 'a' } })), 'BadRequest', /kind/i);
    await refused(t, caller.object(body({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })), 'BadRequest');
    await refused(t, caller.object(body({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } })), 'BadRequest', /name/);
    await refused(t, caller.object(body({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields: [{ manager: 'x' }] } })), 'BadRequest', 'metadata.managedFields must be nil');
    await refused(t, caller.object(body({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid: 'none' } })), 'Conflict', /uid mismatch/);
    const unknown = await refused(t, caller.object(body({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, zz: 1 })), 'BadRequest');
    t.is(unknown.message, `failed to create typed patch object (${caller.namespace}/a; /v1, Kind=ConfigMap): .zz: field not declared in schema`);
    await refused(t, caller.patch('a', 'merge', {}, { force: true }), 'Invalid', /force: Forbidden: may not be specified for non-apply patch/);
    const made = await caller.object(applied('a', { x: '1' }, 'me'));
    await caller.patch('a', 'merge', { data: { y: '1' } });
    await refused(t, caller.object(body({ ...cm('a', {}, { resourceVersion: made.metadata.resourceVersion! }), apiVersion: 'v1', kind: 'ConfigMap' })), 'Conflict');
  });

  check('an apply leaves the defaults to the server and merges lists by their keys', async (t, caller) => {
    const apply = (containers: readonly object[], manager: string, options: RequestOptions = {}): Promise<Body> => caller.patch('a', 'apply', {
      ...deployment('a'), spec: { ...(deployment('a') as { spec: object }).spec, template: { metadata: { labels: { app: 'a' } }, spec: { containers } } },
    }, { fieldManager: manager, ...options }, deployments);
    const [main, side] = [{ name: 'main', image: 'example/app:1' }, { name: 'side', image: 'example/side:1' }];
    const made = await apply([main, side], 'me');
    t.like(made, { spec: { progressDeadlineSeconds: 600 }, metadata: { generation: 1 } });
    t.notRegex(JSON.stringify(made.metadata.managedFields), /progressDeadlineSeconds|imagePullPolicy|f:status/);
    const containers = (object: Body): readonly { name: string; image: string }[] => (object['spec'] as { template: { spec: { containers: { name: string; image: string }[] } } }).template.spec.containers;
    await caller.patch('a', 'strategic', { spec: { template: { spec: { containers: [{ name: 'main', image: 'example/app:2' }] } } } }, { fieldManager: 'set' }, deployments);
    await refused(t, apply([main], 'me'), 'Conflict', 'Apply failed with 1 conflict: conflict with "set" using apps/v1: .spec.template.spec.containers[name="main"].image');
    t.deepEqual(containers(await apply([main], 'me', { force: true })).map(({ name, image }) => [name, image]), [['main', 'example/app:1']]);
  });

  check('every writer is known by what it set, through each address of the object', async (t, caller) => {
    const created = await caller.create(deployment('a', 2), { fieldManager: 'creator' }, deployments);
    t.like(managersOf(created)[0], { manager: 'creator', operation: 'Update', apiVersion: 'apps/v1', subresource: undefined });
    t.like(managersOf(created)[0]!.fieldsV1, { 'f:spec': { 'f:replicas': {}, 'f:progressDeadlineSeconds': {}, 'f:selector': {}, 'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} } } });
    await caller.update({ ...created, status: { replicas: 1 } }, { fieldManager: 'status' }, { ...deployments, subresource: 'status' });
    await caller.object({ ...deployments, subresource: 'scale', name: 'a', verb: 'patch', patchType: 'merge', body: { spec: { replicas: 4 } }, options: { fieldManager: 'scaler' } });
    const labelled = await caller.patch('a', 'json', [{ op: 'add', path: '/metadata/labels', value: { x: 'y' } }], { fieldManager: 'labeller' }, deployments);
    t.deepEqual(managersOf(labelled).filter(({ manager }) => manager !== 'creator').map(({ manager, subresource, fieldsV1 }) => [manager, subresource, fieldsV1]).sort(), [
      ['labeller', undefined, { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } }], ['scaler', 'scale', { 'f:spec': { 'f:replicas': {} } }], ['status', 'status', { 'f:status': { 'f:replicas': {} } }],
    ]);
    t.false('f:replicas' in (managersOf(labelled).find(({ manager }) => manager === 'creator')!.fieldsV1 as { 'f:spec': object })['f:spec']);

    const scale = { ...deployments, subresource: 'scale', name: 'a', verb: 'patch', patchType: 'apply', options: { fieldManager: 'hpa' } } as const;
    const body = (replicas: number): object => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas } });
    await refused(t, caller.object({ ...scale, body: body(7) }), 'Conflict', 'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas');
    t.like(await caller.object({ ...scale, body: body(7), options: { fieldManager: 'hpa', force: true } }), { kind: 'Scale', spec: { replicas: 7 } });
    const status = await caller.patch('a', 'apply', { ...deployment('a', 9), status: { readyReplicas: 1 } }, { fieldManager: 'conditions' }, { ...deployments, subresource: 'status' });
    t.like(status, { spec: { replicas: 7 }, status: { replicas: 1, readyReplicas: 1 } });
    t.deepEqual(managersOf(status).find(({ manager }) => manager === 'conditions')?.fieldsV1, { 'f:status': { 'f:readyReplicas': {} } });
  });

  check('managedFields can be changed and taken away by hand, and are not lost by chance', async (t, caller) => {
    const created = await caller.create(cm('a', { x: '1' }), { fieldManager: 'me' });
    const { managedFields, ...metadata } = created.metadata;
    const same = await caller.update({ ...created, metadata }, { fieldManager: 'you' });
    t.deepEqual([same.metadata.managedFields, same.metadata.resourceVersion], [managedFields, created.metadata.resourceVersion]);
    t.deepEqual((await caller.update({ ...created, metadata: { ...metadata, managedFields: [] } }, { fieldManager: 'you' })).metadata.managedFields, managedFields);
    t.deepEqual((await caller.update({ ...created, metadata: { ...metadata, managedFields: [{ ...managedFields![0], fieldsV1: { bogus: 1 } }] } })).metadata.managedFields, managedFields);
    const renamed = await caller.patch('a', 'json', [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'other' }]);
    t.deepEqual(managersOf(renamed).map(({ manager }) => manager), ['other']);
    const reset = await caller.patch('a', 'merge', { metadata: { managedFields: [{}] } });
    t.is(reset.metadata.managedFields, undefined);
    t.is((await caller.patch('a', 'merge', { data: { y: '1' } })).metadata.managedFields, undefined, 'nobody is known until the next apply');
    await refused(t, caller.object(applied('a', { x: '2' }, 'me')), 'Conflict', 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x');
  });

  // Lists

  check('a list gives the objects of its namespace by name, at one version', async (t, caller) => {
    for (const name of ['b', 'c', 'a']) await caller.create(cm(name));
    const list = await caller.list();
    t.is(list.kind, 'ConfigMapList');
    t.deepEqual(list.items.map(({ metadata }) => metadata.name), ['a', 'b', 'c']);
    t.true(revision(list) >= Math.max(...list.items.map(revision)));
    const all = (await api.transport.send({ ...configMaps, verb: 'list' })).body as ApiList;
    t.true(list.items.every(({ metadata }) => all.items.some((item) => item.metadata.uid === metadata.uid)));
  });

  check('label selectors', async (t, caller) => {
    await caller.create(cm('a', {}, { labels: { app: 'web', tier: 'front' } }));
    await caller.create(cm('b', {}, { labels: { app: 'web' } }));
    await caller.create(cm('c', {}, { labels: { app: 'db' } }));
    await caller.create(cm('d'));
    const cases: readonly [string, string][] = [
      ['app=web', 'ab'], ['app==web,tier=front', 'a'], ['app!=web', 'cd'], ['app in (web, db)', 'abc'], ['app notin (web)', 'cd'], ['tier', 'a'], ['!app', 'd'], ['app=web,!tier', 'b'], ['', 'abcd'],
    ];
    for (const [labelSelector, names] of cases) t.is((await caller.list({ labelSelector })).items.map(({ metadata }) => metadata.name).join(''), names, labelSelector);
    await refused(t, caller.list({ labelSelector: 'app in web' }), 'BadRequest');
  });

  check('field selectors', async (t, caller) => {
    for (const name of ['a', 'b']) await caller.create(cm(name));
    t.deepEqual((await caller.list({ fieldSelector: 'metadata.name=a' })).items.map(({ metadata }) => metadata.name), ['a']);
    t.deepEqual((await caller.list({ fieldSelector: 'metadata.name!=a' })).items.map(({ metadata }) => metadata.name), ['b']);
    t.deepEqual((await caller.list({ fieldSelector: 'metadata.name=none' })).items, []);
    t.is((await caller.list({ fieldSelector: `metadata.namespace=${caller.namespace}` })).items.length, 2);
    await refused(t, caller.list({ fieldSelector: 'data.a=b' }), 'BadRequest', '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"');
    await caller.create({ metadata: { name: 'p' }, spec: podSpec }, undefined, pods);
    await caller.create({ metadata: { name: 'q' }, spec: { ...podSpec, nodeName: 'n1' } }, undefined, pods);
    t.deepEqual((await caller.list({ fieldSelector: 'spec.nodeName=n1' }, pods)).items.map(({ metadata }) => metadata.name), ['q']);
    t.deepEqual((await caller.list({ fieldSelector: 'spec.nodeName=,status.phase!=Failed' }, pods)).items.map(({ metadata }) => metadata.name), ['p']);
  });

  check('a list in pages is one snapshot', async (t, caller) => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await caller.create(cm(name));
    const first = await caller.list({ limit: 2 });
    t.deepEqual(first.items.map(({ metadata }) => metadata.name), ['a', 'b']);
    t.is(first.metadata.remainingItemCount, 3);
    await caller.delete('d');
    await caller.create(cm('bb'));
    const second = await caller.list({ limit: 2, continue: first.metadata.continue });
    t.deepEqual(second.items.map(({ metadata }) => metadata.name), ['c', 'd']);
    const third = await caller.list({ limit: 2, continue: second.metadata.continue });
    t.deepEqual(third.items.map(({ metadata }) => metadata.name), ['e']);
    t.is(third.metadata.continue, undefined);
    t.is(third.metadata.remainingItemCount, undefined);
    t.deepEqual([second, third].map(revision), [revision(first), revision(first)]);
    const selected = await caller.list({ limit: 1, labelSelector: '!no' });
    t.true(selected.metadata.continue !== undefined && selected.metadata.remainingItemCount === undefined);
  });

  check('continue tokens are checked, and an old one is answered with a fresh one', async (t, caller) => {
    for (const name of ['a', 'b', 'c']) await caller.create(cm(name));
    await refused(t, caller.list({ continue: 'garbage' }), 'BadRequest', /continue/);
    const { metadata } = await caller.list({ limit: 1 });
    await refused(t, caller.list({ continue: metadata.continue, resourceVersion: '5' }), 'BadRequest', 'specifying resource version is not allowed when using continue');
    for (let index = 0; index <= historyLimit; index++) await caller.patch('c', 'merge', { data: { n: String(index) } });
    const error = await refused(t, caller.list({ limit: 1, continue: metadata.continue }), 'Expired');
    t.is(error.code, 410);
    const rest = await caller.list({ limit: 5, continue: error.continueToken });
    t.deepEqual(rest.items.map((item) => item.metadata.name), ['b', 'c']);
    // In pages too, at the version of now.
    const next = await caller.list({ limit: 1, continue: error.continueToken });
    t.deepEqual([next.items.map((item) => item.metadata.name), next.metadata.remainingItemCount], [['b'], 1]);
    t.true(revision(next) > revision({ metadata }));
    const last = await caller.list({ limit: 1, continue: next.metadata.continue });
    t.deepEqual([last.items.map((item) => item.metadata.name), last.metadata.continue, last.metadata.resourceVersion], [['c'], undefined, next.metadata.resourceVersion]);
  });

  check('how new a list has to be', async (t, caller) => {
    await caller.create(cm('a', { x: '1' }));
    const before = await caller.create(cm('b'));
    const then = String(revision(before));
    await caller.update(cm('a', { x: '2' }));
    await caller.delete('b');
    const exact = await caller.list({ resourceVersion: then, resourceVersionMatch: 'Exact' });
    t.is(exact.metadata.resourceVersion, then);
    t.deepEqual(exact.items.map((item) => [item.metadata.name, (item['data'] as { x?: string } | undefined)?.x]), [['a', '1'], ['b', undefined]]);
    t.is((await caller.list({ resourceVersion: then })).items.length, 1);
    t.is((await caller.list({ resourceVersion: '0', limit: 1 })).items.length, 1);
    await refused(t, caller.list({ resourceVersionMatch: 'Exact' }), 'Invalid');
    await refused(t, caller.list({ resourceVersion: then, resourceVersionMatch: 'Nearly' }), 'Invalid');
    await refused(t, caller.list({ resourceVersion: 'x' }), 'BadRequest', /Invalid value/);
    const far = t.throwsAsync(caller.list({ resourceVersion: '999999999' }), { instanceOf: ApiError });
    await api.advance(3_500);
    t.like(await far, { reason: 'Timeout', code: 504, details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 } });
  });

  // Watches

  check('a watch from a version gives every later change once and in order', async (t, caller) => {
    const first = await caller.create(cm('a'));
    const watching = caller.watch({ resourceVersion: first.metadata.resourceVersion });
    await caller.create(cm('b'));
    await caller.update(cm('a', { x: '1' }));
    await caller.delete('b');
    const events = await watching.take(3);
    t.deepEqual(words(events), ['ADDED b', 'MODIFIED a', 'DELETED b']);
    const revisions = events.map((event) => revision(event.object));
    t.deepEqual(revisions, revisions.toSorted((a, b) => a - b));
    t.is(new Set(revisions).size, 3);
    t.true(revisions.every((one) => one > revision(first)));
    t.deepEqual(events[1]?.object, await caller.get('a'));
    await watching.stop();
  });

  check('a watch without a version begins with what there is', async (t, caller) => {
    await caller.create(cm('a'));
    await caller.create(cm('b'));
    for (const resourceVersion of [undefined, '', '0']) {
      const watching = caller.watch({ resourceVersion });
      t.deepEqual(words(await watching.take(2)), ['ADDED a', 'ADDED b']);
      await caller.patch('a', 'merge', { data: { for: String(resourceVersion) } });
      t.deepEqual(words(await watching.take(1)), ['MODIFIED a']);
      await watching.stop();
    }
  });

  check('with a selector, objects come and go as they start and stop to match', async (t, caller) => {
    const { metadata } = await caller.list();
    const watching = caller.watch({ resourceVersion: metadata.resourceVersion, labelSelector: 'color=red' });
    const named = caller.watch({ resourceVersion: metadata.resourceVersion, fieldSelector: 'metadata.name=b' });
    await caller.create(cm('a', {}, { labels: { color: 'blue' } }));
    await caller.create(cm('b', {}, { labels: { color: 'red' } }));
    const red = await caller.patch('a', 'merge', { metadata: { labels: { color: 'red' } } });
    await caller.patch('b', 'merge', { metadata: { labels: { color: 'green' } } });
    await caller.patch('a', 'merge', { data: { x: '1' } });
    const events = await watching.take(4);
    t.deepEqual(words(events), ['ADDED b', 'ADDED a', 'DELETED b', 'MODIFIED a']);
    t.is(events[1]?.object.metadata.resourceVersion, red.metadata.resourceVersion);
    t.deepEqual(events[2]?.object.metadata.labels, { color: 'red' });
    t.true(revision(events[2]!.object) > revision(red));
    t.deepEqual(words(await named.take(2)), ['ADDED b', 'MODIFIED b']);
    await Promise.all([watching.stop(), named.stop()]);
  });

  check('pods of one node are watched by their field', async (t, caller) => {
    const watching = caller.watch({ resourceVersion: (await caller.list({}, pods)).metadata.resourceVersion, fieldSelector: 'spec.nodeName=n7' }, pods);
    await caller.create({ metadata: { name: 'other' }, spec: { ...podSpec, nodeName: 'n8' } }, undefined, pods);
    await caller.create({ metadata: { name: 'mine' }, spec: podSpec }, undefined, pods);
    await caller.send({ ...pods, verb: 'create', name: 'mine', subresource: 'binding', body: { target: { kind: 'Node', name: 'n7' } } });
    await caller.delete('mine', { gracePeriodSeconds: 0 }, pods);
    t.deepEqual(words(await watching.take(2)), ['ADDED mine', 'DELETED mine']);
    await watching.stop();
  });

  check('bookmarks come about once a minute and before the end, and promise no more than was given', async (t, caller) => {
    const start = await caller.list();
    const watching = caller.watch({ resourceVersion: start.metadata.resourceVersion, allowWatchBookmarks: true, timeoutSeconds: 100 });
    const created = await caller.create(cm('a'));
    t.deepEqual(words(await watching.take(1)), ['ADDED a']);
    const pending = watching.next();
    await api.advance(61_000);
    const bookmark = await pending;
    t.is(bookmark?.type, 'BOOKMARK');
    t.deepEqual(Object.keys(bookmark?.object ?? {}).sort(), ['apiVersion', 'kind', 'metadata']);
    t.true(revision(bookmark!.object) >= revision(created));
    t.true(revision(bookmark!.object) <= revision(await caller.list()));
    const last = watching.next();
    await api.advance(38_000);
    t.is((await last)?.type, 'BOOKMARK');
    const end = watching.next();
    await api.advance(5_000);
    t.is(await end, undefined);
  });

  check('initial events end with a marked bookmark', async (t, caller) => {
    await caller.create(cm('a'));
    const watching = caller.watch({ sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: 'NotOlderThan' });
    const [added, mark] = await watching.take(2);
    t.deepEqual(words([added]), ['ADDED a']);
    t.is(mark?.type, 'BOOKMARK');
    t.deepEqual(mark?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
    await caller.create(cm('b'));
    t.deepEqual(words(await watching.take(1)), ['ADDED b']);
    await watching.stop();
    await refused(t, caller.watch({ sendInitialEvents: true }).next(), 'Invalid');
    await refused(t, caller.watch({ fieldSelector: 'no.such=field' }).next(), 'BadRequest');
  });

  check('a watch ends in time, and from a version that is gone with Expired', async (t, caller) => {
    const watching = caller.watch({ timeoutSeconds: 5 });
    const end = watching.next();
    await api.advance(8_000);
    t.is(await end, undefined);
    const first = await caller.create(cm('a'));
    for (let index = 0; index <= historyLimit; index++) await caller.patch('a', 'merge', { data: { n: String(index) } });
    const error = await refused(t, caller.watch({ resourceVersion: String(revision(first) - 1) }).next(), 'Expired', /^too old resource version: \d+ \(\d+\)$/);
    t.is(error.code, 410);
  });

  check('a watch that is stopped ends quietly', async (t, caller) => {
    const stop = new AbortController();
    const batches = caller.transport.watch({ ...configMaps, verb: 'watch', namespace: caller.namespace }, stop.signal)[Symbol.asyncIterator]();
    const next = batches.next();
    stop.abort();
    t.true((await next).done);
  });

  // Deletes

  check('an object without ties goes at once, and the answer is a Status', async (t, caller) => {
    const { metadata } = await caller.create(cm('a'));
    const status = await caller.delete('a');
    t.like(status, { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps', uid: metadata.uid } });
    await refused(t, caller.get('a'), 'NotFound');
    await refused(t, caller.delete('a'), 'NotFound', 'configmaps "a" not found');
    t.not((await caller.create(cm('a'))).metadata.uid, metadata.uid);
  });

  check('preconditions name the object that is meant', async (t, caller) => {
    const { metadata } = await caller.create(cm('a'));
    await refused(t, caller.delete('a', { preconditions: { uid: 'other' } }), 'Conflict', /Precondition failed: UID/);
    await refused(t, caller.delete('a', { preconditions: { resourceVersion: '1' } }), 'Conflict', /Precondition failed: ResourceVersion/);
    await caller.delete('a', { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } });
    await refused(t, caller.get('a'), 'NotFound');
  });

  check('finalizers hold an object until the last is taken away', async (t, caller) => {
    await caller.create(cm('a', {}, { finalizers: ['example.com/one', 'example.com/two'] }));
    const marked = (await caller.delete('a')) as Body;
    t.is(marked.kind, 'ConfigMap');
    t.true(marked.metadata.deletionTimestamp !== undefined);
    t.deepEqual(await caller.delete('a'), marked);
    await refused(t, caller.patch('a', 'merge', { metadata: { finalizers: ['example.com/one', 'example.com/two', 'example.com/three'] } }), 'Invalid', /no new finalizers can be added/);
    const watching = caller.watch({ resourceVersion: marked.metadata.resourceVersion });
    await caller.patch('a', 'json', [{ op: 'remove', path: '/metadata/finalizers/0' }]);
    t.deepEqual((await caller.get('a')).metadata.finalizers, ['example.com/two']);
    await caller.patch('a', 'merge', { metadata: { finalizers: null } });
    await refused(t, caller.get('a'), 'NotFound');
    t.deepEqual(words(await watching.take(2)), ['MODIFIED a', 'DELETED a']);
    await watching.stop();
  });

  check('propagation: foreground and orphan wait for the garbage collector, background does not', async (t, caller) => {
    for (const name of ['f', 'o', 'b']) await caller.create(deployment(name), undefined, deployments);
    const foreground = (await caller.delete('f', { propagationPolicy: 'Foreground' }, deployments)) as Body;
    t.deepEqual(foreground.metadata.finalizers, ['foregroundDeletion']);
    t.is(foreground.metadata.generation, 2);
    const orphan = (await caller.delete('o', { propagationPolicy: 'Orphan' }, deployments)) as Body;
    t.deepEqual(orphan.metadata.finalizers, ['orphan']);
    t.is((await caller.delete('b', { propagationPolicy: 'Background' }, deployments)).kind, 'Status');
    t.is((await caller.delete('f', { propagationPolicy: 'Background' }, deployments)).kind, 'Status');
    await refused(t, caller.delete('o', { propagationPolicy: 'Sideways' as 'Orphan' }, deployments), 'Invalid', /propagationPolicy/);
  });

  check('a pod on a node gets time to end; the time can be shortened, and 0 ends it', async (t, caller) => {
    const created = await caller.create({ metadata: { name: 'p' }, spec: { ...podSpec, nodeName: 'n1' } }, undefined, pods);
    const marked = (await caller.delete('p', {}, pods)) as Body;
    t.is(marked.metadata.deletionGracePeriodSeconds, 30);
    const due = Date.parse(marked.metadata.deletionTimestamp ?? '');
    t.deepEqual(await caller.delete('p', {}, pods), marked);
    t.deepEqual(await caller.delete('p', { gracePeriodSeconds: 60 }, pods), marked);
    const shorter = (await caller.delete('p', { gracePeriodSeconds: 10 }, pods)) as Body;
    t.is(shorter.metadata.deletionGracePeriodSeconds, 10);
    t.is(due - Date.parse(shorter.metadata.deletionTimestamp ?? ''), 20_000);
    t.like(await caller.delete('p', { gracePeriodSeconds: 0 }, pods), { kind: 'Status', details: { uid: created.metadata.uid } });
    await refused(t, caller.get('p', pods), 'NotFound');
    await caller.create({ metadata: { name: 'waiting' }, spec: podSpec }, undefined, pods);
    t.is((await caller.delete('waiting', { gracePeriodSeconds: 30 }, pods)).kind, 'Status', 'no node has to end it');
  });

  check('a collection is deleted by selector', async (t, caller) => {
    for (const name of ['a', 'b', 'c']) await caller.create(cm(name, {}, { labels: { keep: name === 'b' ? 'yes' : 'no' } }));
    const { body } = await caller.send({ ...configMaps, verb: 'deletecollection', options: { labelSelector: 'keep=no' } });
    t.deepEqual((body as ApiList).items.map(({ metadata }) => metadata.name), ['a', 'c']);
    t.deepEqual((await caller.list()).items.map(({ metadata }) => metadata.name), ['b']);
  });

  // Dry runs and unknown fields

  check('a dry run decides everything and changes nothing', async (t, caller) => {
    const dryRun = true;
    const dry = await caller.create(cm('a', { x: '1' }), { dryRun });
    t.like(dry, { data: { x: '1' }, metadata: { name: 'a', namespace: caller.namespace } });
    t.true(Object.isFrozen(dry) && Object.isFrozen(dry['data']));
    await refused(t, caller.get('a'), 'NotFound');
    const created = await caller.create(cm('a', { x: '1' }));
    await refused(t, caller.create(cm('a'), { dryRun }), 'AlreadyExists');
    t.like(await caller.update(cm('a', { x: '2' }), { dryRun }), { data: { x: '2' } });
    t.like(await caller.patch('a', 'merge', { data: { x: '3' } }, { dryRun }), { data: { x: '3' } });
    await refused(t, caller.update({ ...created, metadata: { ...created.metadata, resourceVersion: '1' } }, { dryRun }), 'Conflict');
    t.is((await caller.delete('a', { dryRun })).kind, 'Status');
    await caller.send({ ...configMaps, verb: 'deletecollection', options: { dryRun } });
    t.deepEqual(await caller.get('a'), created);
  });

  check('unknown fields are an error, a warning or nothing', async (t, caller) => {
    const body = { metadata: { name: 'a', bogus: 1 }, data: {}, other: true };
    await refused(t, caller.create(body, { fieldValidation: 'Strict' }), 'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.bogus", unknown field "other"');
    const answer = await caller.send({ ...configMaps, verb: 'create', body, options: { fieldValidation: 'Warn' } });
    t.deepEqual(answer.warnings, ['unknown field "metadata.bogus"', 'unknown field "other"']);
    t.false('other' in answer.body);
    t.deepEqual((await caller.send({ ...configMaps, verb: 'update', name: 'a', body, options: { fieldValidation: 'Ignore' } })).warnings, []);
    await refused(t, caller.patch('a', 'merge', { other: 1 }, { fieldValidation: 'Strict' }), 'BadRequest', /unknown field "other"/);
  });

  // Subresources and namespaces

  check('scale reads and writes the number of replicas', async (t, caller) => {
    const created = await caller.create(deployment('a', 2), undefined, deployments);
    const at = { ...deployments, subresource: 'scale', name: 'a' } as const;
    const scale = await caller.object({ ...at, verb: 'get' });
    t.like(scale, { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 }, status: { replicas: 0, selector: 'app=a' }, metadata: { name: 'a', uid: created.metadata.uid, resourceVersion: created.metadata.resourceVersion } });
    t.like(await caller.object({ ...at, verb: 'patch', patchType: 'merge', body: { spec: { replicas: 4 } } }), { kind: 'Scale', spec: { replicas: 4 } });
    t.like(await caller.get('a', deployments), { spec: { replicas: 4 }, metadata: { generation: 2 } });
    await refused(t, caller.object({ ...at, verb: 'update', body: scale }), 'Conflict');
    await refused(t, caller.object({ ...at, verb: 'patch', patchType: 'merge', body: { spec: { replicas: -1 } } }), 'Invalid', /spec.replicas/);
    t.like(await caller.object({ ...at, verb: 'update', body: { metadata: { name: 'a' }, spec: { replicas: 0 } } }), { spec: { replicas: 0 } });
  });

  check('a pod is bound to a node once', async (t, caller) => {
    await caller.create({ metadata: { name: 'p' }, spec: podSpec }, undefined, pods);
    const bind = (node: string): Promise<ApiAnswer> => caller.send({ ...pods, verb: 'create', name: 'p', subresource: 'binding', body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: node } } });
    t.like(await bind('n1'), { code: 201, body: { kind: 'Status', status: 'Success' } });
    const pod = await caller.get('p', pods);
    t.like(pod, { spec: { nodeName: 'n1' } });
    t.true((pod['status'] as { conditions: { type: string; status: string }[] }).conditions.some(({ type, status }) => type === 'PodScheduled' && status === 'True'));
    await refused(t, bind('n2'), 'Conflict', /already assigned to node "n1"/);
    await caller.delete('p', {}, pods);
    await refused(t, bind('n2'), 'Conflict', /being deleted/);
  });

  check('an eviction is a delete', async (t, caller) => {
    await caller.create({ metadata: { name: 'p' }, spec: { ...podSpec, nodeName: 'n1' } }, undefined, pods);
    const evict = (pod: string, deleteOptions?: object, apiVersion = 'policy/v1'): Promise<ApiAnswer> =>
      caller.send({ ...pods, verb: 'create', name: pod, subresource: 'eviction', body: { apiVersion, kind: 'Eviction', metadata: { name: pod }, deleteOptions } });
    t.like(await evict('p', { gracePeriodSeconds: 5 }), { code: 201, body: { status: 'Success' } });
    t.is((await caller.get('p', pods)).metadata.deletionGracePeriodSeconds, 5);
    await refused(t, evict('none'), 'NotFound', 'pods "none" not found');
    t.like(await evict('p', { gracePeriodSeconds: 3 }, 'policy/v1beta1'), { code: 201 }, 'as kubectl sent it before 1.22');
    t.is((await caller.get('p', pods)).metadata.deletionGracePeriodSeconds, 3);
    await refused(t, evict('p', {}, 'policy/v2'), 'BadRequest', /does not match the expected API version \(policy\/v1\)/);
  });

  check('a namespace that is being deleted takes nothing new and goes when it is finalized', async (t, caller) => {
    await caller.create(cm('a'));
    const at = { ...namespaces, namespace: undefined, name: caller.namespace } as const;
    const marked = await caller.object({ ...at, verb: 'delete' });
    t.like(marked, { kind: 'Namespace', status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
    t.is(marked.metadata.labels?.['kubernetes.io/metadata.name'], caller.namespace);
    const error = await refused(t, caller.create(cm('b')), 'Forbidden', /because it is being terminated/);
    t.is(error.details?.causes?.[0]?.reason, 'NamespaceTerminating');
    await caller.update(cm('a', { still: 'here' }));
    await caller.delete('a');
    await caller.object({ ...at, verb: 'update', subresource: 'finalize', body: { ...marked, metadata: { name: caller.namespace }, spec: {} } });
    await refused(t, caller.object({ ...at, verb: 'get' }), 'NotFound');
    await refused(t, caller.send({ ...namespaces, namespace: undefined, verb: 'delete', name: 'default' }), 'Forbidden');
  });
};

import assert from 'node:assert/strict';
import test from 'ava';
import type { ApiAnswer, ApiRequest } from '../../../../schemas/api.ts';
import { ApiError } from '../../../../schemas/errors.ts';
import type { ApiObject } from '../../../../schemas/kind.ts';
import { admin } from '../../../helpers/api.ts';
import { patched, requestOf, verdict, webhook, webhookTest, type AdmissionTest } from '../../../helpers/admission-webhooks.ts';
import { define, specSchema, widgetDefinition, widgets } from '../../../helpers/custom.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';

type Json = Readonly<Record<string, unknown>>;
type Body = ApiObject & Json & { readonly data?: Readonly<Record<string, string>>; readonly spec?: Json; readonly status?: Json };

const at = { group: '', version: 'v1', resource: 'configmaps', namespace: 'apps' } as const;

const send = async ({ api }: AdmissionTest, request: Partial<ApiRequest> & Pick<ApiRequest, 'verb'>): Promise<ApiAnswer & { readonly body: Body }> =>
  await api.transport.send({ ...at, ...request }) as ApiAnswer & { readonly body: Body };

const create = (test: AdmissionTest, name: string, data: Json = {}, words: Partial<ApiRequest> = {}): Promise<ApiAnswer & { readonly body: Body }> =>
  send(test, { verb: 'create', body: { metadata: { name }, data }, ...words });

const refusal = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

const containersOf = ({ spec }: Body): readonly Json[] => spec!['containers'] as readonly Json[];

const add = (path: string, value: unknown): Json => ({ op: 'add', path, value });

test('a mutating webhook changes what is stored, and the change is its sender\'s', webhookTest((body) => patched(body, [add('/data/added', 'yes')]), async (t, test) => {
  await test.configure('mutating', 'm', [webhook(test.server)]);
  const { body } = await create(test, 'a', { own: '1' }, { options: { fieldManager: 'me' } });
  t.deepEqual(body.data, { own: '1', added: 'yes' });
  t.deepEqual((await send(test, { verb: 'get', name: 'a' })).body.data, { own: '1', added: 'yes' });
  t.deepEqual(body.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]), [['me', { 'f:data': { 'f:own': {}, 'f:added': {} } }]]);

  const review = test.server.calls[0]!;
  const { uid, object, ...request } = requestOf(review);
  t.is(review['apiVersion'], 'admission.k8s.io/v1');
  t.regex(uid, /^[0-9a-f-]{36}$/);
  t.is(object.metadata.name, 'a');
  t.deepEqual(request as Json, {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' }, resource: { group: '', version: 'v1', resource: 'configmaps' },
    requestKind: { group: '', version: 'v1', kind: 'ConfigMap' }, requestResource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'a', namespace: 'apps', operation: 'CREATE', userInfo: { username: 'admin', groups: admin.groups }, dryRun: false, oldObject: null,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
  });
}));

test('a change is decoded, completed and checked like a body', webhookTest((body) => patched(body, [add('/spec/containers/0/unknown', 1), add('/spec/containers/1', { name: 'side', image: 'i' })]), async (t, test) => {
  await test.configure('mutating', 'm', [webhook(test.server, { rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] })]);
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'i' }] } };
  const { body } = await send(test, { verb: 'create', resource: 'pods', body: pod });
  t.like(containersOf(body)[1], { name: 'side', imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log' });
  t.false('unknown' in containersOf(body)[0]!);
  test.server.handler = (review) => patched(review, [add('/spec/containers/0/name', 'Not Valid')]);
  const error = await refusal(send(test, { verb: 'create', resource: 'pods', body: pod, namespace: 'default' }));
  t.is(error.reason, 'Invalid');
  t.is(error.details?.causes?.[0]?.field, 'spec.containers[0].name');
}));

test('what is the server\'s own stays, whatever a webhook says', webhookTest((body) => patched(body, [add('/metadata/uid', 'x'), add('/metadata/managedFields', []), add('/metadata/labels', { a: 'b' })]), async (t, test) => {
  await test.configure('mutating', 'm', [webhook(test.server)]);
  const { body } = await create(test, 'a', { own: '1' });
  t.not(body.metadata.uid, 'x');
  t.deepEqual(body.metadata.labels, { a: 'b' });
  t.is(body.metadata.managedFields?.length, 1);
  test.server.handler = (review) => patched(review, [add('/metadata/name', 'other')]);
  t.regex((await refusal(create(test, 'b'))).message, /metadata\.name/);
}));

test('webhooks run by name of their configuration and see what those before have done', webhookTest((body, request) => {
  const step = request.url!.slice(1, 2);
  const { data = {} } = requestOf(body).object as Body;
  return patched(body, [add('/data', { ...data, order: `${data['order'] ?? ''}${step}` })]);
}, async (t, test) => {
  await test.configure('mutating', 'b', [webhook(test.server, { path: '/3' })]);
  await test.configure('mutating', 'a', [webhook(test.server, { path: '/1', name: 'one.example.com' }), webhook(test.server, { path: '/2', name: 'two.example.com' })]);
  t.is((await create(test, 'a')).body.data?.['order'], '123');
}));

test('a webhook that wants to is asked once more when others have changed the object since', webhookTest((body, request) => {
  const { data = {} } = requestOf(body).object as Body;
  const step = request.url!.slice(1, 2);
  return step === 'x' || (data['order'] ?? '').includes(step) ? verdict(body) : patched(body, [add('/data', { ...data, order: `${data['order'] ?? ''}${step}` })]);
}, async (t, test) => {
  await test.configure('mutating', 'a', [
    webhook(test.server, { path: '/x', name: 'again.example.com', reinvocationPolicy: 'IfNeeded' }), webhook(test.server, { path: '/x', name: 'never.example.com' }),
    webhook(test.server, { path: '/1', name: 'one.example.com', reinvocationPolicy: 'IfNeeded' }),
  ]);
  t.is((await create(test, 'a')).body.data?.['order'], '1');
  t.deepEqual(test.server.requests.map(({ url }) => url!.slice(1, 2)), ['x', 'x', '1', 'x']);
  test.server.handler = (body) => verdict(body);
  test.server.requests.length = 0;
  await create(test, 'b');
  t.is(test.server.requests.length, 3);
}));

const denials: readonly (readonly [string, Json, { readonly code: number; readonly reason?: string | undefined; readonly message: string }])[] = [
  ['with a message', { status: { message: 'no cats' } }, { code: 400, reason: undefined, message: 'admission webhook "hook.example.com" denied the request: no cats' }],
  ['without a word', {}, { code: 400, reason: undefined, message: 'admission webhook "hook.example.com" denied the request without explanation' }],
  ['with code and reason', { status: { code: 403, reason: 'Forbidden', message: 'no' } }, { code: 403, reason: 'Forbidden', message: 'admission webhook "hook.example.com" denied the request: no' }],
  ['with a reason of its own', { status: { code: 418, reason: 'Teapot' } }, { code: 418, reason: 'Teapot', message: 'admission webhook "hook.example.com" denied the request: Teapot' }],
  ['with a code that is no error', { status: { code: 200, message: 'no' } }, { code: 400, reason: undefined, message: 'admission webhook "hook.example.com" denied the request: no' }],
];

test('details of a denial are passed on as far as they are such', webhookTest((body) => verdict(body, { allowed: false, status: { details: {
  name: 'x', retryAfterSeconds: 'soon', kind: 7, causes: [{ field: 'spec.a', message: 'no', reason: 1, more: true }, 'x'], other: [] } } }), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server)]);
  t.deepEqual((await refusal(create(test, 'a'))).details as unknown, { name: 'x', causes: [{ field: 'spec.a', message: 'no' }, {}] });
}));

for (const [name, response, { code, reason, message }] of denials) {
  test(`a denial ${name} reaches the client`, webhookTest((body) => verdict(body, { allowed: false, ...response }), async (t, test) => {
    await test.configure('validating', 'v', [webhook(test.server)]);
    const error = await refusal(create(test, 'a'));
    t.is(error.code, code);
    const status = error.toStatus();
    t.is(status.code, code);
    t.is(status.reason, reason);
    t.is(status.message, message);
    t.is((await refusal(send(test, { verb: 'get', name: 'a' }))).reason, 'NotFound');
  }));
}

const operationRules = (operations: readonly string[], resources: readonly string[], apiGroups: readonly string[] = ['']): Json => ({ rules: [{ operations, apiGroups, apiVersions: ['*'], resources }] });

test('validating webhooks see updates, patches and deletions with what stands there', webhookTest((body) => verdict(body), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server, operationRules(['*'], ['configmaps']))]);
  await create(test, 'a', { v: '1' });
  await send(test, { verb: 'update', name: 'a', body: { metadata: { name: 'a' }, data: { v: '2' } } });
  await send(test, { verb: 'patch', name: 'a', patchType: 'merge', body: { data: { v: '3' } } });
  await send(test, { verb: 'patch', name: 'b', patchType: 'apply', options: { fieldManager: 'm' }, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' }, data: { v: '1' } } });
  await send(test, { verb: 'delete', name: 'a', options: { propagationPolicy: 'Background' } });
  await send(test, { verb: 'deletecollection' });
  t.deepEqual(test.server.calls.map(requestOf).map(({ operation, name, object, oldObject, options }) => [operation, name, (object as Body | null)?.data?.['v'], (oldObject as Body | null)?.data?.['v'], (options as Json)['kind']]), [
    ['CREATE', 'a', '1', undefined, 'CreateOptions'], ['UPDATE', 'a', '2', '1', 'UpdateOptions'], ['UPDATE', 'a', '3', '2', 'PatchOptions'],
    ['CREATE', 'b', '1', undefined, 'PatchOptions'], ['DELETE', 'a', undefined, '3', 'DeleteOptions'], ['DELETE', 'b', undefined, '1', 'DeleteOptions'],
  ]);
  test.server.handler = (body) => verdict(body, { allowed: false });
  await test.api.transport.send({ verb: 'create', ...at, namespace: 'default', body: { metadata: { name: 'c' } } }).catch(() => undefined);
  t.is(requestOf(test.server.calls.at(-1)!).operation, 'CREATE');
}));

test('a denied deletion leaves the object', webhookTest((body) => verdict(body, { allowed: false, status: { message: 'keep it' } }), async (t, test) => {
  await create(test, 'a');
  await test.configure('validating', 'v', [webhook(test.server, operationRules(['DELETE'], ['configmaps']))]);
  t.regex((await refusal(send(test, { verb: 'delete', name: 'a' }))).message, /keep it/);
  t.is((await send(test, { verb: 'get', name: 'a' })).body.metadata.name, 'a');
}));

test('subresources are asked about as such, with their own bodies', webhookTest((body) => verdict(body), async (t, test) => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'i' }] } };
  await send(test, { verb: 'create', resource: 'pods', body: pod });
  await test.configure('validating', 'v', [webhook(test.server, operationRules(['*'], ['pods/*', '*/scale', 'deployments/status', 'serviceaccounts/token'], ['*']))]);
  await send(test, { verb: 'create', resource: 'pods', name: 'p', subresource: 'binding', body: { metadata: { name: 'p' }, target: { name: 'n' } } });
  await send(test, { verb: 'patch', resource: 'pods', name: 'p', subresource: 'status', patchType: 'merge', body: { status: { phase: 'Running' } } });
  await send(test, { verb: 'create', resource: 'pods', name: 'p', subresource: 'eviction', body: { metadata: { name: 'p' } } });
  await refusal(test.api.core.connect({ verb: 'create', ...at, resource: 'pods', name: 'nope', subresource: 'exec', query: new URLSearchParams('command=sh&stdin=1') }, admin));
  const apps = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'apps' };
  await send(test, { ...apps, verb: 'create', body: { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: pod.spec } } } });
  await send(test, { ...apps, verb: 'patch', name: 'd', subresource: 'scale', patchType: 'merge', body: { spec: { replicas: 4 } } });
  t.deepEqual(test.server.calls.map(requestOf).map(({ operation, resource, subResource, kind, object }) => [operation, (resource as Json)['resource'], subResource, (kind as Json)['kind'], object.kind]), [
    ['CREATE', 'pods', 'binding', 'Binding', 'Binding'], ['UPDATE', 'pods', 'status', 'Pod', 'Pod'], ['CREATE', 'pods', 'eviction', 'Eviction', 'Eviction'], ['UPDATE', 'deployments', 'scale', 'Scale', 'Scale'],
  ]);
  const scale = requestOf(test.server.calls.at(-1)!);
  t.is((scale.object['spec'] as Json)['replicas'], 4);
  t.is((scale.oldObject as Body).spec?.['replicas'], 1);
}));

test('connections are asked about before they are made', webhookTest((body) => verdict(body, { allowed: false, status: { message: 'no shells' } }), async (t, test) => {
  await send(test, { verb: 'create', resource: 'pods', body: { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'main', image: 'i' }] } } });
  await test.api.transport.send({ verb: 'create', group: '', version: 'v1', resource: 'nodes', body: { metadata: { name: 'n' }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } } });
  await test.api.transport.send({ verb: 'patch', group: '', version: 'v1', resource: 'nodes', name: 'n', subresource: 'status', patchType: 'merge', body: { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } } });
  await test.configure('validating', 'v', [webhook(test.server, operationRules(['CONNECT'], ['pods/exec']))]);
  const stream = { verb: 'create', ...at, resource: 'pods', name: 'p' } as const;
  t.regex((await refusal(test.api.core.connect({ ...stream, subresource: 'exec', query: new URLSearchParams('command=sh&command=-c&stdin=1&container=main') }, admin))).message, /denied the request: no shells/);
  t.like(requestOf(test.server.calls[0]!) as Json, {
    operation: 'CONNECT', name: 'p', subResource: 'exec', kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
    object: { kind: 'PodExecOptions', apiVersion: 'v1', stdin: true, container: 'main', command: ['sh', '-c'] },
  });
  t.is((await test.api.core.connect({ ...stream, subresource: 'attach', query: new URLSearchParams('stdout=1') }, admin)).port, 10250);
}));

test('a mutating webhook may change a scale and a status, and nothing else through them', webhookTest((body) => {
  const { object, subResource } = requestOf(body);
  return patched(body, subResource === 'scale' ? [{ op: 'replace', path: '/spec/replicas', value: 7 }] : [add('/status/observedGeneration', 5), add('/metadata/labels', { no: 'no' }), { op: 'replace', path: '/spec/replicas', value: (object['spec'] as Json)['replicas'] }]);
}, async (t, test) => {
  const apps = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'apps' };
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'main', image: 'i' }] } };
  await send(test, { ...apps, verb: 'create', body: { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template } } });
  await test.configure('mutating', 'm', [webhook(test.server, operationRules(['UPDATE'], ['deployments/scale', 'deployments/status'], ['apps']))]);
  t.is((await send(test, { ...apps, verb: 'patch', name: 'd', subresource: 'scale', patchType: 'merge', body: { spec: { replicas: 4 } } })).body.spec?.['replicas'], 7);
  const { body } = await send(test, { ...apps, verb: 'patch', name: 'd', subresource: 'status', patchType: 'merge', body: { status: { replicas: 1 } } });
  t.deepEqual(body.status, { replicas: 1, observedGeneration: 5 });
  t.is(body.metadata.labels, undefined);
  t.is(body.spec?.['replicas'], 7);
}));

test('a deletion cannot be changed', webhookTest((body) => patched(body, [add('/metadata/labels', {})]), async (t, test) => {
  await create(test, 'a');
  await test.configure('mutating', 'm', [webhook(test.server, operationRules(['DELETE'], ['configmaps']))]);
  t.regex((await refusal(send(test, { verb: 'delete', name: 'a' }))).message, /attempted to modify the object, which is not supported for this operation/);
}));

test('rules may mean another form of a resource, and then show it', webhookTest((body) => patched(body, [{ op: 'replace', path: '/spec/maxReplicas', value: 9 }]), async (t, test) => {
  const rules = (version: string): Json => ({ rules: [{ operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: [version], resources: ['horizontalpodautoscalers'] }] });
  await test.configure('mutating', 'm', [webhook(test.server, { ...rules('v1'), name: 'equivalent.example.com' }), webhook(test.server, { ...rules('v1'), name: 'exact.example.com', matchPolicy: 'Exact' })]);
  const { body } = await send(test, { verb: 'create', group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers', body: {
    metadata: { name: 'h' }, spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }] },
  } });
  t.is(test.server.calls.length, 1);
  t.like(requestOf(test.server.calls[0]!) as Json, {
    kind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' }, requestKind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
    object: { apiVersion: 'autoscaling/v1', spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 70 } },
  });
  t.is(body.apiVersion, 'autoscaling/v2');
  t.is(body.spec?.['maxReplicas'], 9);
  t.is((body.spec!['metrics'] as Json[]).length, 1);
}));

test('selectors and conditions leave requests out', webhookTest((body) => verdict(body, { allowed: false }), async (t, test) => {
  const { api } = test;
  await api.transport.send({ verb: 'patch', group: '', version: 'v1', resource: 'namespaces', name: 'apps', patchType: 'merge', body: { metadata: { labels: { guarded: 'yes' } } } });
  await test.configure('validating', 'v', [webhook(test.server, {
    namespaceSelector: { matchLabels: { guarded: 'yes' } }, objectSelector: { matchLabels: { app: 'web' } },
    matchConditions: [{ name: 'not-me', expression: "request.userInfo.username != 'me'" }, { name: 'big', expression: "object.data.size == 'big'" }],
  })]);
  const body = (labels: Json, size: string): Json => ({ metadata: { name: 'a', labels }, data: { size } });
  await send(test, { verb: 'create', namespace: 'default', body: body({ app: 'web' }, 'big') });
  await send(test, { verb: 'create', body: body({ app: 'api' }, 'big') });
  await send(test, { verb: 'delete', name: 'a' });
  await api.core.as({ name: 'me', groups: [] }).send({ verb: 'create', ...at, body: body({ app: 'web' }, 'big') });
  await send(test, { verb: 'delete', name: 'a' });
  await send(test, { verb: 'create', body: body({ app: 'web' }, 'small') });
  t.is(test.server.calls.length, 0);
  await refusal(send(test, { verb: 'update', name: 'a', body: body({ app: 'api' }, 'big') }));
  t.is(test.server.calls.length, 1, 'the old object counts too');
  // A condition that cannot be told refuses the request, or is overlooked, by the failure policy.
  const error = await refusal(send(test, { verb: 'create', body: { metadata: { name: 'b', labels: { app: 'web' } } } }));
  t.is(error.reason, 'Forbidden');
  t.regex(error.message, /configmaps "b" is forbidden: match condition big: no such key: data/);
}));

test('configurations themselves are asked about by nobody', webhookTest((body) => verdict(body, { allowed: false }), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server, operationRules(['*'], ['*/*'], ['*']))]);
  await test.configure('validating', 'w', [webhook(test.server)]);
  await test.api.transport.send({ verb: 'delete', group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations', name: 'v' });
  t.is(test.server.calls.length, 0);
}));

const lies: readonly (readonly [string, (body: Json) => unknown, RegExp])[] = [
  ['another uid', (body) => ({ ...verdict(body), response: { uid: 'x', allowed: true } }), /expected response\.uid="[-0-9a-f]+", got "x"/],
  ['no response', (body) => ({ kind: 'AdmissionReview', apiVersion: body['apiVersion'] }), /webhook response was absent/],
  ['another kind', () => ({ kind: 'Pod', apiVersion: 'v1' }), /expected webhook response of admission\.k8s\.io\/v1, Kind=AdmissionReview, got v1, Kind=Pod/],
  ['a list', () => [], /expected webhook response of/],
  ['no verdict', (body) => verdict(body, { allowed: 'yes' }), /response\.allowed must be true or false/],
  ['a patch without a type', (body) => verdict(body, { patch: 'W10=' }), /response\.patch but not response\.patchType/],
  ['a patch that is none', (body) => verdict(body, { patch: 'e30=', patchType: 'JSONPatch' }), /a JSON patch must be a list/],
  ['a patch that does not fit', (body) => patched(body, [{ op: 'remove', path: '/nothing/there' }]), /returned a patch that does not fit/],
  ['a patch that is nested too deep', (body) => verdict(body, { patchType: 'JSONPatch', patch: Buffer.from(`[{"op":"add","path":"/data","value":${'['.repeat(50_000)}${']'.repeat(50_000)}}]`).toString('base64') }), /nested deeper than/],
  ['another type of patch', (body) => verdict(body, { patch: 'W10=', patchType: 'Merge' }), /unsupported patch type "Merge"/],
];

for (const [name, handler, message] of lies) {
  test(`an answer with ${name} counts as none`, webhookTest(handler, async (t, test) => {
    await test.configure('mutating', 'm', [webhook(test.server)]);
    const error = await refusal(create(test, 'a'));
    t.is(error.code, 500);
    t.regex(error.message, /^Internal error occurred: (failed calling webhook|admission webhook) "hook\.example\.com"/);
    t.regex(error.message, message);
  }));
}

test('a webhook that fails may be overlooked', webhookTest((_body, _request, response) => void response.writeHead(500).end(), async (t, test) => {
  await test.configure('mutating', 'm', [webhook(test.server, { failurePolicy: 'Ignore' })]);
  await test.configure('validating', 'v', [webhook(test.server, { failurePolicy: 'Ignore' })]);
  t.is((await create(test, 'a')).code, 201);
  t.is(test.server.calls.length, 2);
}));

test('a hung webhook holds its own requests only, for its time', webhookTest(() => undefined, async (t, test) => {
  const clock = test.api.clock;
  await create(test, 'a');
  await test.configure('validating', 'v', [webhook(test.server, { timeoutSeconds: 3 })]);
  const update = refusal(send(test, { verb: 'update', name: 'a', body: { metadata: { name: 'a' }, data: { v: '1' } } }));
  await eventually(() => assert.equal(test.server.calls.length, 1));
  t.is((await send(test, { verb: 'create', resource: 'secrets', body: { metadata: { name: 's' } } })).code, 201);
  t.is((await send(test, { verb: 'get', name: 'a' })).code, 200);
  clock.advance(3_000);
  const error = await update;
  t.is(error.code, 500);
  t.regex(error.message, /failed calling webhook "hook\.example\.com": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/\?timeout=3s": context deadline exceeded/);
}, { clock: new FakeClock() }));

test('warnings go to the client, and a dry run is told', webhookTest((body) => verdict(body, { warnings: ['look out'] }), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server, { sideEffects: 'NoneOnDryRun' })]);
  const { warnings } = await create(test, 'a', {}, { options: { dryRun: true } });
  t.deepEqual(warnings, ['look out']);
  t.like(requestOf(test.server.calls[0]!) as Json, { dryRun: true, options: { dryRun: ['All'] } });
  t.is((await refusal(send(test, { verb: 'get', name: 'a' }))).reason, 'NotFound');
}));

test('what a webhook notes goes to the audit log', webhookTest((body) => verdict(body, { auditAnnotations: { why: 'because', odd: 1 } }), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server)]);
  const notes: (readonly [string, string])[] = [];
  await test.api.core.send({ ...at, verb: 'create', body: { metadata: { name: 'a' } } }, admin, { audit: (key, value) => void notes.push([key, value]) });
  t.deepEqual(notes, [['hook.example.com/why', 'because']]);
}));

test('an object that changes while a webhook thinks is judged again as it is then', webhookTest((body) => verdict(body), async (t, test) => {
  await create(test, 'a', { v: '1' });
  await test.configure('validating', 'v', [webhook(test.server)]);
  const [one, two] = await Promise.all([1, 2].map((n) => send(test, { verb: 'patch', name: 'a', patchType: 'merge', body: { data: { [`k${n}`]: 'x' } } })));
  t.not(one!.body.metadata.resourceVersion, two!.body.metadata.resourceVersion);
  t.deepEqual((await send(test, { verb: 'get', name: 'a' })).body.data, { v: '1', k1: 'x', k2: 'x' });
}));

test('a configuration that goes is asked no more', webhookTest((body) => verdict(body, { allowed: false }), async (t, test) => {
  await test.configure('validating', 'v', [webhook(test.server)]);
  await refusal(create(test, 'a'));
  await test.api.transport.send({ verb: 'delete', group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations', name: 'v' });
  t.is((await create(test, 'a')).code, 201);
}));

test('custom objects are shown in the version that a rule names, and defaults are filled in behind a change', webhookTest((body) => patched(body, [add('/spec/color', 'blue'), add('/spec/unknown', 1)]), async (t, test) => {
  const schema = specSchema({ size: { type: 'integer', default: 3 }, color: { type: 'string' } });
  await define(test.api, widgetDefinition({ versions: [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }, { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: schema } },
  ] }));
  const rules = { rules: [{ operations: ['*'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['widgets'] }] };
  await test.configure('mutating', 'm', [webhook(test.server, rules), webhook(test.server, { ...rules, name: 'exact.example.com', matchPolicy: 'Exact' })]);
  const { body } = await send(test, { ...widgets, version: 'v2', verb: 'create', body: { metadata: { name: 'w' }, spec: {} } });
  t.is(test.server.calls.length, 1);
  t.like(requestOf(test.server.calls[0]!) as Json, { kind: { group: 'example.com', version: 'v1', kind: 'Widget' }, requestKind: { version: 'v2' }, object: { apiVersion: 'example.com/v1' } });
  t.is(body.apiVersion, 'example.com/v2');
  t.deepEqual(body.spec, { size: 3, color: 'blue' });
  test.server.handler = (review) => verdict(review);
  await send(test, { ...widgets, version: 'v2', verb: 'patch', name: 'w', patchType: 'merge', body: { spec: { size: 4 } } });
  t.like(requestOf(test.server.calls.at(-1)!) as Json, { operation: 'UPDATE', object: { apiVersion: 'example.com/v1', spec: { size: 4 } }, oldObject: { apiVersion: 'example.com/v1', spec: { size: 3 } } });
  await send(test, { ...widgets, version: 'v2', verb: 'delete', name: 'w' });
  t.like(requestOf(test.server.calls.at(-1)!) as Json, { operation: 'DELETE', oldObject: { apiVersion: 'example.com/v1' } });
}));

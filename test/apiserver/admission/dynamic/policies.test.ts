import test, { type ExecutionContext } from 'ava';
import type { ApiAnswer, ApiRequest } from '../../../../schemas/api.ts';
import { ApiError } from '../../../../schemas/errors.ts';
import type { ApiObject } from '../../../../schemas/kind.ts';
import { admin, testApi, type TestApi, type TestApiOptions } from '../../../helpers/api.ts';

type Json = Readonly<Record<string, unknown>>;
type Body = ApiObject & Json & { readonly data?: Readonly<Record<string, string>>; readonly spec?: Json; readonly status?: Json };
type Answer = ApiAnswer & { readonly body: Body };

const group = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;
const configMaps = { resourceRules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] };

class Cluster {
  readonly api: TestApi;

  constructor(api: TestApi) {
    this.api = api;
  }

  async send(request: Partial<ApiRequest> & Pick<ApiRequest, 'verb'>, transport = this.api.transport): Promise<Answer> {
    return await transport.send({ group: '', version: 'v1', resource: 'configmaps', namespace: 'apps', ...request }) as Answer;
  }

  async store(resource: string, name: string, spec: Json, metadata: Json = {}): Promise<Answer> {
    return await this.api.transport.send({ verb: 'create', ...group, resource, body: { metadata: { name, ...metadata }, spec } }) as Answer;
  }

  policy(spec: Json, name = 'p'): Promise<Answer> {
    return this.store('validatingadmissionpolicies', name, { matchConstraints: configMaps, ...spec });
  }

  bind(spec: Json = {}, name = 'b'): Promise<Answer> {
    return this.store('validatingadmissionpolicybindings', name, { policyName: 'p', validationActions: ['Deny'], ...spec });
  }

  mutatingPolicy(spec: Json, name = 'p'): Promise<Answer> {
    return this.store('mutatingadmissionpolicies', name, { matchConstraints: configMaps, reinvocationPolicy: 'Never', ...spec });
  }

  bindMutating(spec: Json = {}, name = 'b'): Promise<Answer> {
    return this.store('mutatingadmissionpolicybindings', name, { policyName: 'p', ...spec });
  }

  create(name: string, data: Json = {}, words: Partial<ApiRequest> = {}, labels: Json = {}): Promise<Answer> {
    return this.send({ verb: 'create', body: { metadata: { name, labels }, data }, ...words });
  }
}

const clusterTest = (use: (t: ExecutionContext, cluster: Cluster) => Promise<void>, options: TestApiOptions = {}) =>
  async (t: ExecutionContext): Promise<void> => {
    const api = await testApi({ namespaces: ['apps', 'other'], ...options });
    try {
      await use(t, new Cluster(api));
    } finally {
      await api.close();
    }
  };

const refusal = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

test('a policy is in force once a binding says so, and refuses in Kubernetes\' words', clusterTest(async (t, cluster) => {
  await cluster.policy({ validations: [{ expression: "object.data.size != 'huge'" }] });
  await cluster.create('before', { size: 'huge' });
  await cluster.bind();
  t.is((await cluster.create('a', { size: 'small' })).code, 201);
  const error = await refusal(cluster.create('b', { size: 'huge' }));
  t.deepEqual(error.toStatus(), {
    kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Invalid', code: 422,
    message: 'configmaps "b" is forbidden: ValidatingAdmissionPolicy \'p\' with binding \'b\' denied request: failed expression: object.data.size != \'huge\'',
    details: { name: 'b', group: undefined, kind: 'configmaps', causes: [{ message: 'ValidatingAdmissionPolicy \'p\' with binding \'b\' denied request: failed expression: object.data.size != \'huge\'' }] },
  });
  t.is((await refusal(cluster.send({ verb: 'patch', name: 'a', patchType: 'merge', body: { data: { size: 'huge' } } }))).code, 422);
  await cluster.api.transport.send({ verb: 'delete', ...group, resource: 'validatingadmissionpolicybindings', name: 'b' });
  t.is((await cluster.create('b', { size: 'huge' })).code, 201);
}));

const messages: readonly (readonly [string, Json, { readonly code: number; readonly reason: string; readonly message: RegExp }])[] = [
  ['a message', { message: 'too big' }, { code: 422, reason: 'Invalid', message: /denied request: too big$/ }],
  ['a message in CEL', { message: 'too big', messageExpression: "'not ' + object.data.size" }, { code: 422, reason: 'Invalid', message: /denied request: not huge$/ }],
  ['a message in CEL that fails', { message: 'too big', messageExpression: 'object.data.nothing' }, { code: 422, reason: 'Invalid', message: /denied request: too big$/ }],
  ['a message in CEL with lines', { messageExpression: "'a\\nb'" }, { code: 422, reason: 'Invalid', message: /failed expression: object/ }],
  ['a reason', { reason: 'Forbidden' }, { code: 403, reason: 'Forbidden', message: /failed expression/ }],
  ['another reason', { reason: 'RequestEntityTooLarge' }, { code: 413, reason: 'RequestEntityTooLarge', message: /failed expression/ }],
];

for (const [name, words, { code, reason, message }] of messages) {
  test(`a policy may give ${name}`, clusterTest(async (t, cluster) => {
    await cluster.policy({ validations: [{ expression: "object.data.size != 'huge'", ...words }] });
    await cluster.bind();
    const error = await refusal(cluster.create('b', { size: 'huge' }));
    t.is(error.code, code);
    t.is(error.toStatus().reason, reason);
    t.regex(error.message, message);
  }));
}

/** Expressions that hold for a request by alice that changes the ConfigMap `a` in apps from v=1 to v=2. */
const seen: readonly string[] = [
  "object.data.v == '2' && oldObject.data.v == '1'",
  "request.operation == 'UPDATE' && request.name == 'a' && request.namespace == 'apps' && request.dryRun == false",
  "request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps' && request.resource.group == ''",
  "request.userInfo.username == 'alice' && 'devs' in request.userInfo.groups && request.userInfo.extra['team'] == ['x']",
  "namespaceObject.metadata.name == 'apps'",
  "authorizer.group('').resource('pods').namespace('apps').check('create').allowed()",
  "!authorizer.group('apps').resource('deployments').check('create').allowed() && authorizer.group('apps').resource('deployments').check('x').reason() == 'no'",
  "authorizer.requestResource.check('create').allowed() == false",
  "authorizer.path('/healthz').check('get').allowed()",
  "authorizer.serviceAccount('default', 'bot').group('').resource('pods').check('get').allowed()",
  "variables.twice == '22' && variables.first == '2'",
  'params == null',
];

test('expressions see the request, its objects, its namespace and who may do what', clusterTest(async (t, cluster) => {
  await cluster.create('a', { v: '1' });
  await cluster.policy({
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    variables: [{ name: 'first', expression: 'object.data.v' }, { name: 'twice', expression: 'variables.first + variables.first' }],
    validations: seen.map((expression) => ({ expression })),
  });
  await cluster.bind();
  const alice = cluster.api.core.as({ name: 'alice', groups: ['devs'], extra: { team: ['x'] } });
  t.is((await cluster.send({ verb: 'patch', name: 'a', patchType: 'merge', body: { data: { v: '2' } } }, alice)).body.data?.['v'], '2');
}, {
  authorizer: { authorize: ({ user, resource, verb, path }) => {
    if (user.name !== 'alice') return undefined;
    return path === '/healthz' || resource?.resource === 'pods' || ['patch', 'update'].includes(verb) ? undefined : 'no';
  } },
}));

test('what a policy leaves out by selector, name, exclusion or condition goes on', clusterTest(async (t, cluster) => {
  await cluster.policy({
    matchConstraints: {
      resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], resourceNames: ['a', 'b', 'c', 'd'] }],
      excludeResourceRules: [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], resourceNames: ['b'] }],
      objectSelector: { matchExpressions: [{ key: 'free', operator: 'DoesNotExist' }] },
    },
    matchConditions: [{ name: 'not-d', expression: "object.metadata.name != 'd'" }],
    validations: [{ expression: 'false' }],
  });
  await cluster.bind({ matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'apps' } } } });
  t.is((await refusal(cluster.create('a'))).code, 422);
  t.is((await cluster.create('a', {}, {}, { free: 'yes' })).code, 201);
  t.is((await cluster.create('b')).code, 201);
  t.is((await cluster.create('d')).code, 201);
  t.is((await cluster.create('e')).code, 201);
  t.is((await cluster.create('c', {}, { namespace: 'other' })).code, 201);
}));

const withParams = { paramKind: { apiVersion: 'v1', kind: 'Secret' }, validations: [{ expression: 'object.data.v in params.data', messageExpression: "'none of ' + params.metadata.name" }] };

const paramCases: readonly (readonly [string, Json, string | undefined])[] = [
  ['by name', { name: 'one' }, undefined],
  ['by name, which refuses', { name: 'two' }, 'none of two'],
  ['in another namespace', { name: 'far', namespace: 'other' }, undefined],
  ['by label, all of which must hold', { selector: { matchLabels: { sort: 'all' } } }, 'none of two'],
  ['by label', { selector: { matchLabels: { sort: 'good' } } }, undefined],
  ['that is not there', { name: 'nope' }, 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'],
  ['that need not be there', { name: 'nope', parameterNotFoundAction: 'Allow' }, undefined],
];

for (const [name, paramRef, message] of paramCases) {
  test(`a policy with a parameter ${name}`, clusterTest(async (t, cluster) => {
    const secret = (name: string, key: string, labels: Json, namespace = 'apps'): Promise<Answer> => cluster.send({ verb: 'create', resource: 'secrets', namespace, body: { metadata: { name, labels }, stringData: { [key]: 'x' } } });
    await secret('one', 'x', { sort: 'good' });
    await secret('two', 'y', { sort: 'all' });
    await secret('three', 'x', { sort: 'all' });
    await secret('far', 'x', {}, 'other');
    await cluster.policy(withParams);
    await cluster.bind({ paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } });
    const attempt = cluster.create('a', { v: 'x' });
    if (message === undefined) t.is((await attempt).code, 201);
    else t.true((await refusal(attempt)).message.endsWith(message));
  }));
}

test('an expression that fails refuses the request, or is overlooked', clusterTest(async (t, cluster) => {
  await cluster.policy({ validations: [{ expression: "object.data.size != 'huge'" }] });
  await cluster.bind();
  t.regex((await refusal(cluster.create('a', { v: 'x' }))).message, /denied request: expression 'object\.data\.size != 'huge'' resulted in error: no such key: size$/);
  await cluster.policy({ failurePolicy: 'Ignore', validations: [{ expression: "object.data.size != 'huge'" }] }, 'lax');
  await cluster.bind({ policyName: 'lax' }, 'lax');
  await cluster.api.transport.send({ verb: 'delete', ...group, resource: 'validatingadmissionpolicies', name: 'p' });
  t.is((await cluster.create('a')).code, 201);
}));

test('a hostile expression is stopped and refuses', clusterTest(async (t, cluster) => {
  const names = Array.from({ length: 300 }, (_, i) => [`k${i}`, 'v'] as const);
  await cluster.policy({ validations: [{ expression: 'object.data.all(a, object.data.all(b, object.data.all(c, (a + b + c).size() > 0)))' }] });
  await cluster.bind();
  t.regex((await refusal(cluster.create('a', Object.fromEntries(names)))).message, /cost limit exceeded/);
}));

test('a policy may warn and note for the audit log instead of refusing', clusterTest(async (t, cluster) => {
  await cluster.policy({ validations: [{ expression: 'false', message: 'no' }], auditAnnotations: [{ key: 'who', valueExpression: 'request.userInfo.username' }, { key: 'none', valueExpression: 'null' }] });
  await cluster.bind({ validationActions: ['Warn', 'Audit'] });
  const notes: (readonly [string, string])[] = [];
  const request = { verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'apps', body: { metadata: { name: 'a' } } } as const;
  const { code, warnings } = await cluster.api.core.send(request, admin, { audit: (key, value) => void notes.push([key, value]) });
  t.is(code, 201);
  t.deepEqual(warnings, ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"]);
  t.deepEqual(notes, [
    ['p/who', 'admin'],
    ['validation.policy.admission.k8s.io/validation_failure', JSON.stringify([{ message: 'no', policy: 'p', binding: 'b', expressionIndex: 0, validationActions: ['Warn', 'Audit'] }])],
  ]);
}));

test('a policy may look at deletions and at parts', clusterTest(async (t, cluster) => {
  await cluster.create('a', { keep: 'yes' });
  await cluster.policy({ matchConstraints: { resourceRules: [{ operations: ['DELETE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] }, validations: [{ expression: "object == null && !has(oldObject.data.keep)", message: 'kept' }] });
  await cluster.bind();
  t.regex((await refusal(cluster.send({ verb: 'delete', name: 'a' }))).message, /kept/);
}));

const wrongPolicies: readonly (readonly [string, Json, string, RegExp])[] = [
  ['syntax', { validations: [{ expression: 'object.' }] }, 'spec.validations[0].expression', /compilation failed: ERROR: <input>:1:8/],
  ['an unknown name', { validations: [{ expression: 'nothing == 1' }] }, 'spec.validations[0].expression', /undeclared reference to 'nothing'/],
  ['params without a kind', { validations: [{ expression: 'params == null' }] }, 'spec.validations[0].expression', /undeclared reference to 'params'/],
  ['a type that is no bool', { validations: [{ expression: '1 + 1' }] }, 'spec.validations[0].expression', /must evaluate to bool/],
  ['a message that is no text', { validations: [{ expression: 'true', messageExpression: '1' }] }, 'spec.validations[0].messageExpression', /must evaluate to string/],
  ['a variable before its time', { variables: [{ name: 'a', expression: 'variables.b' }, { name: 'b', expression: '1' }], validations: [{ expression: 'true' }] }, 'spec.variables[0].expression', /undefined field 'b'/],
  ['a variable of another type', { variables: [{ name: 'a', expression: '1' }], validations: [{ expression: "variables.a == 'x'" }] }, 'spec.validations[0].expression', /no matching overload/],
  ['a condition', { matchConditions: [{ name: 'c', expression: 'variables.x' }], validations: [{ expression: 'true' }] }, 'spec.matchConditions[0].expression', /undeclared reference to 'variables'/],
  ['an annotation', { auditAnnotations: [{ key: 'k', valueExpression: '1' }] }, 'spec.auditAnnotations[0].valueExpression', /must evaluate to string or null_type/],
];

for (const [name, spec, field, message] of wrongPolicies) {
  test(`a policy is refused for ${name}`, clusterTest(async (t, cluster) => {
    const { reason, details } = await refusal(cluster.policy(spec));
    t.is(reason, 'Invalid');
    t.is(details?.causes?.[0]?.field, field);
    t.regex(details?.causes?.[0]?.message ?? '', message);
  }));
}

test('conditions of webhooks are checked as well', clusterTest(async (t, cluster) => {
  const { details } = await refusal(cluster.api.transport.send({ verb: 'create', ...group, resource: 'validatingwebhookconfigurations', body: { metadata: { name: 'w' }, webhooks: [{
    name: 'a.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig: { url: 'https://localhost/' }, matchConditions: [{ name: 'c', expression: 'namespaceObject == null' }],
  }] } }));
  t.is(details?.causes?.[0]?.field, 'webhooks[0].matchConditions[0].expression');
}));

test('the status says what looks wrong for the kinds that are meant', clusterTest(async (t, cluster) => {
  const deployments = { resourceRules: [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }] };
  const { body } = await cluster.policy({ matchConstraints: deployments, validations: [{ expression: 'object.spec.replicas < 5' }, { expression: "object.spec.replicaz < 5 && object.spec.replicas == 'a'" }] });
  t.is(body.status?.['observedGeneration'], 1);
  const [warning, ...more] = (body.status!['typeChecking'] as { expressionWarnings: readonly Json[] }).expressionWarnings;
  t.deepEqual(more, []);
  t.is(warning!['fieldRef'], 'spec.validations[1].expression');
  t.regex(String(warning!['warning']), /^apps\/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicaz'/);
  const updated = await cluster.api.transport.send({ verb: 'patch', ...group, resource: 'validatingadmissionpolicies', name: 'p', patchType: 'json', body: [{ op: 'remove', path: '/spec/validations/1' }] }) as Answer;
  t.deepEqual(updated.body.status, { observedGeneration: 2, typeChecking: {} });
  t.is(updated.body.metadata.generation, 2);
}));

const mutations: readonly (readonly [string, Json, Json])[] = [
  ['by applying', { patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: Object.metadata.labels{added: 'yes'}}, data: Object.data{size: object.data.v + '!'}}" } }, { labels: { own: '1', added: 'yes' }, data: { v: '1', size: '1!' } }],
  ['by a patch', { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'test', path: '/data/v', value: '1'}, JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/a'), value: 'x'}]" } }, { labels: { 'own': '1', 'example.com/a': 'x' }, data: { v: '1' } }],
  ['by a patch in parts', { patchType: 'JSONPatch', jsonPatch: { expression: "has(object.data.v) ? [JSONPatch{op: 'replace', path: '/data', value: {'v': '2'}}] : []" } }, { labels: { own: '1' }, data: { v: '2' } }],
  ['not at all', { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }, { labels: { own: '1' }, data: { v: '1' } }],
];

for (const [name, mutation, { labels, data }] of mutations) {
  test(`a policy may change an object ${name}`, clusterTest(async (t, cluster) => {
    await cluster.mutatingPolicy({ mutations: [mutation] });
    await cluster.bindMutating();
    const { body } = await cluster.create('a', { v: '1' }, {}, { own: '1' });
    t.deepEqual(body.metadata.labels, labels as never);
    t.deepEqual(body.data, data as never);
  }));
}

test('mutations of pods merge by the keys of lists, and see each other', clusterTest(async (t, cluster) => {
  await cluster.mutatingPolicy({
    matchConstraints: { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] },
    variables: [{ name: 'count', expression: 'object.spec.containers.size()' }],
    mutations: [
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'mesh', image: 'mesh:1', restartPolicy: 'Always'}], containers: [Object.spec.containers{name: 'main', env: [Object.spec.containers.env{name: 'A', value: 'x'}]}]}}" } },
      { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'inits': string(object.spec.initContainers.size()), 'count': string(variables.count)}}]" } },
    ],
  });
  await cluster.bindMutating();
  const { body } = await cluster.send({ verb: 'create', resource: 'pods', body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'side', image: 'i' }, { name: 'main', image: 'i', env: [{ name: 'B', value: 'y' }] }] } } });
  const containers = body.spec!['containers'] as readonly Json[];
  t.deepEqual(containers.map(({ name, image, env }) => [name, image, env]), [['side', 'i', undefined], ['main', 'i', [{ name: 'A', value: 'x' }, { name: 'B', value: 'y' }]]]);
  t.like((body.spec!['initContainers'] as readonly Json[])[0], { name: 'mesh', image: 'mesh:1', restartPolicy: 'Always', imagePullPolicy: 'IfNotPresent' });
  t.deepEqual(body.metadata.annotations, { inits: '1', count: '2' });
}));

test('a mutating policy with parameters runs for each, and refuses or is overlooked when it fails', clusterTest(async (t, cluster) => {
  const add = { patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/data/' + params.metadata.name, value: params.data.x}]" } };
  await cluster.create('one', { x: '1' }, { namespace: 'other' }, { p: 'q' });
  await cluster.create('two', { x: '2' }, { namespace: 'other' }, { p: 'q' });
  await cluster.mutatingPolicy({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: [add] });
  await cluster.bindMutating({ paramRef: { selector: { matchLabels: { p: 'q' } }, namespace: 'other', parameterNotFoundAction: 'Allow' } });
  t.deepEqual((await cluster.create('a', { v: '1' })).body.data, { v: '1', one: '1', two: '2' });
  const bare = (): Promise<Answer> => cluster.send({ verb: 'create', body: { metadata: { name: 'b' } } });
  const error = await refusal(bare());
  t.is(error.code, 422);
  t.regex(error.message, /^configmaps "b" is forbidden: MutatingAdmissionPolicy 'p' with binding 'b' denied request: /);
  await cluster.api.transport.send({ verb: 'patch', ...group, resource: 'mutatingadmissionpolicies', name: 'p', patchType: 'merge', body: { spec: { failurePolicy: 'Ignore' } } });
  t.is((await bare()).body.data, undefined);
}));

test('mutating policies run before validating ones, and the result is checked', clusterTest(async (t, cluster) => {
  await cluster.mutatingPolicy({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{data: Object.data{safe: 'yes'}}" } }] });
  await cluster.bindMutating();
  await cluster.policy({ validations: [{ expression: "object.data.safe == 'yes'" }] });
  await cluster.bind();
  t.is((await cluster.create('a')).body.data?.['safe'], 'yes');
  await cluster.mutatingPolicy({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/data', value: {'no good': 'x'}}]" } }] }, 'q');
  await cluster.bindMutating({ policyName: 'q' }, 'q');
  t.is((await refusal(cluster.create('b'))).details?.causes?.[0]?.field, 'data[no good]');
}));

const wrongMutations: readonly (readonly [Json, string, RegExp])[] = [
  [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: '1' } }, 'spec.mutations[0].applyConfiguration.expression', /must evaluate to Object/],
  [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spec: Object.status{}}' } }, 'spec.mutations[0].applyConfiguration.expression', /expected type of field 'spec'/],
  [{ patchType: 'JSONPatch', jsonPatch: { expression: '{}' } }, 'spec.mutations[0].jsonPatch.expression', /must evaluate to list\(JSONPatch\)/],
];

for (const [mutation, field, message] of wrongMutations) {
  test(`a mutation is refused: ${JSON.stringify(mutation)}`, clusterTest(async (t, cluster) => {
    const { details } = await refusal(cluster.mutatingPolicy({ mutations: [mutation] }));
    t.is(details?.causes?.[0]?.field, field);
    t.regex(details?.causes?.[0]?.message ?? '', message);
  }));
}

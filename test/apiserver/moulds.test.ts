import test from 'ava';
import type { ApiAnswer, RequestOptions } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { admin, testApi, type TestApi } from '../helpers/api.ts';

const pod = (metadata: Readonly<Record<string, unknown>>, spec: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  kind: 'Pod', apiVersion: 'v1', metadata, spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1000m' } } }], ...spec },
});

const creator = (api: TestApi) => (body: unknown, options: RequestOptions = {}, namespace = 'default'): Promise<ApiAnswer> =>
  api.core.send({ verb: 'create', group: '', version: 'v1', resource: 'pods', namespace, body, options: { fieldManager: 'm', ...options } }, admin);

/** What a pod has beside what tells it from its twins. */
const essence = ({ body }: ApiAnswer): unknown => {
  const { metadata: { name: _name, uid: _uid, resourceVersion: _version, ...metadata }, ...rest } = body as ApiObject;
  return { ...rest, metadata };
};

test('a pod that is cast from a mould is like the first of its template', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const create = creator(api);
  const labels = { app: 'web' };
  const first = await create(pod({ name: 'a', labels }));
  const second = await create(pod({ name: 'b', labels }));
  t.like(second.body, { metadata: { name: 'b', labels, generation: 1 }, spec: { containers: [{ imagePullPolicy: 'Always', resources: { requests: { cpu: '1' } } }] }, status: { phase: 'Pending' } });
  t.deepEqual(essence(second), essence(first));
  t.not((first.body as ApiObject).metadata.uid, (second.body as ApiObject).metadata.uid);
  t.is((second.body as ApiObject).metadata.managedFields?.[0]?.fieldsV1, (first.body as ApiObject).metadata.managedFields?.[0]?.fieldsV1);

  await api.clock.advance(2_000);
  const other = (await create(pod({ name: 'c', labels }), { fieldManager: 'n' })).body as ApiObject;
  t.is(other.metadata.managedFields?.[0]?.manager, 'n');
  t.not(other.metadata.managedFields?.[0]?.time, (first.body as ApiObject).metadata.managedFields?.[0]?.time);
});

test('generated names, taken names and other namespaces', async (t) => {
  const api = await testApi({ namespaces: ['other'] });
  t.teardown(() => api.close());
  const create = creator(api);
  const generated = await Promise.all([1, 2, 3].map(() => create(pod({ generateName: 'web-' }))));
  t.is(new Set(generated.map(({ body }) => (body as ApiObject).metadata.name)).size, 3);
  await create(pod({ name: 'a' }));
  await t.throwsAsync(create(pod({ name: 'a' })), { message: /already exists/ });
  t.is(((await create(pod({ name: 'a' }), {}, 'other')).body as ApiObject).metadata.namespace, 'other');
  await t.throwsAsync(create(pod({ name: 'Bad' })), { message: /metadata.name: Invalid value: "Bad"/ });
  await t.throwsAsync(create(pod({ name: 1 })), { message: /cannot unmarshal number/ });
  await create(pod({ name: 'b', namespace: 'default' }));
  await t.throwsAsync(create(pod({ name: 'c', namespace: 'default' }), {}, 'other'), { message: /does not match the namespace/ });
});

test('what a body says beyond its kind counts each time', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const create = creator(api);
  const odd = (name: string) => pod({ name }, { bogus: 1 });
  await create(odd('a'));
  await t.throwsAsync(create(odd('b'), { fieldValidation: 'Strict' }), { message: /unknown field "spec.bogus"/ });
  for (const name of ['c', 'd']) t.deepEqual((await create(odd(name), { fieldValidation: 'Warn' })).warnings, ['unknown field "spec.bogus"']);
  t.deepEqual((await create(odd('e'))).warnings, []);
});

/** What clients read over HTTPS about kinds that come and change: discovery, OpenAPI, tables, warnings. */
import test from 'ava';
import { define, definitions, specSchema, widgetDefinition } from '../../helpers/custom.ts';
import { httpsApi } from '../../helpers/https-api.ts';

interface Index { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> }

test('documents follow the definitions, and those of other groups stay as they are', async (t) => {
  const api = await httpsApi();
  t.teardown(async () => {
    await api.server.close();
    await api.close();
  });
  const index = async (): Promise<Index['paths']> => (await api.call('/openapi/v3')).json<Index>().paths;
  const before = await index();
  t.is(before['apis/example.com/v1'], undefined);
  t.is((await api.call('/apis/example.com/v1')).code, 404);
  await define(api, widgetDefinition({ names: { shortNames: ['wd'] }, version: { deprecated: true, deprecationWarning: 'use another' } }));
  const first = await index();
  t.like((await api.call('/apis/example.com/v1')).json(), { resources: [{ name: 'widgets', shortNames: ['wd'] }] });
  t.regex((await api.call(first['apis/example.com/v1']!.serverRelativeURL)).text, /"com\.example\.v1\.Widget"/);
  t.regex((await api.call('/openapi/v2', { headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' } })).bytes.toString('latin1'), /com\.example\.v1\.Widget/);
  const { 'apis/example.com/v1': _, ...others } = first;
  t.deepEqual(others, before, 'clients need not read again what has not changed');

  await api.transport.send({ ...definitions, verb: 'patch', patchType: 'json', name: 'widgets.example.com', body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: specSchema({ color: { type: 'string' } }) }] });
  const second = await index();
  t.not(second['apis/example.com/v1']!.serverRelativeURL, first['apis/example.com/v1']!.serverRelativeURL);
  t.is(second['apis/apps/v1']!.serverRelativeURL, first['apis/apps/v1']!.serverRelativeURL);

  const path = '/apis/example.com/v1/namespaces/default/widgets';
  const created = await api.call(`${path}?fieldValidation=Warn`, { body: { metadata: { name: 'w' }, spec: { color: 'red', size: 1 } } });
  t.is(created.code, 201);
  t.deepEqual(created.headers['warning']?.split(', ').sort(), ['299 - "unknown field \\"spec.size\\""', '299 - "use another"']);
  const table = await api.call(path, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } });
  t.like(table.json(), { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Age', type: 'date' }], rows: [{ object: { kind: 'PartialObjectMetadata', metadata: { name: 'w' } } }] });
  t.is((await api.call(`${path}/w`, { method: 'PATCH', headers: { 'content-type': 'application/strategic-merge-patch+json' }, body: {} })).code, 415);
  t.is((await api.call(path, { method: 'POST', headers: { 'content-type': 'application/vnd.kubernetes.protobuf' }, body: Buffer.from('k8s\0') })).code, 400);
  t.is((await api.call(path, { as: 'bob' })).code, 403);

  await api.transport.send({ ...definitions, verb: 'delete', name: 'widgets.example.com' });
  for (let look = 0; look < 500 && (await api.call('/apis/example.com/v1')).code !== 404; look++);
  t.deepEqual(await index(), before);
});

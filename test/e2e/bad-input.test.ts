/** Everything that is wrong is refused with the right Status, and the server goes on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bargeBin, E2eCluster, kubectls } from '../helpers/e2e.ts';
import { rawApi, type RawOptions } from '../helpers/raw-api.ts';

const json = 'application/json';
const podList = '/api/v1/namespaces/default/pods';
const configMaps = '/api/v1/namespaces/default/configmaps';
const strict = '?fieldValidation=Strict';
const configMap = (more: object): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, ...more });
const pod = (spec: object, name = 'p'): string => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const deployment = (spec: object): string => JSON.stringify({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' },
  spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }, ...spec },
});
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const bomb = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.split('').map((name, at) => `  ${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[at]}`).join(',')}]`).join('\n')}\n`;

const refused: readonly (readonly [what: string, path: string, options: RawOptions, code: number, reason: string, words: RegExp])[] = [
  ['YAML that does not parse', configMaps, { type: 'application/yaml', body: 'apiVersion: v1\nkind: [ConfigMap\n' }, 400, 'BadRequest', /\b[23]:\d+|line [23]/],
  ['JSON that does not parse', configMaps, { type: json, body: '{"kind": ' }, 400, 'BadRequest', /JSON|json/],
  ['an empty body', configMaps, { type: json, body: '', method: 'POST' }, 400, 'BadRequest', /./],
  ['an unknown resource', '/api/v1/namespaces/default/widgets', { type: json, body: '{}' }, 404, 'NotFound', /could not find the requested resource/],
  ['another kind than the URL says', configMaps, { type: json, body: '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}' }, 400, 'BadRequest', /Secret/],
  ['an unknown field', configMaps + strict, { type: json, body: configMap({ bogus: 1 }) }, 400, 'BadRequest', /unknown field "bogus"/],
  ['a duplicate field', configMaps + strict, { type: json, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{},"data":{}}' }, 400, 'BadRequest', /duplicate field "data"/],
  ['a wrong type', '/apis/apps/v1/namespaces/default/deployments', { type: json, body: deployment({ replicas: 'three' }) }, 400, 'BadRequest', /spec\.replicas/],
  ['a bad name', configMaps, { type: json, body: configMap({ metadata: { name: 'Not_A_Name' } }) }, 422, 'Invalid', /metadata\.name/],
  ['a bad quantity', podList, { type: json, body: pod({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: 'lots' } } }] }) }, 422, 'Invalid', /spec\.containers\[0\]\.resources\.requests.*must be a quantity/],
  ['a bad port', podList, { type: json, body: pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 99999 }] }] }) }, 422, 'Invalid', /spec\.containers\[0\]\.ports\[0\]\.containerPort/],
  ['a selector that does not fit its template', '/apis/apps/v1/namespaces/default/deployments', { type: json, body: deployment({ selector: { matchLabels: { a: 'other' } } }) }, 422, 'Invalid', /spec\.template\.metadata\.labels/],
  ['a bad label selector', `${podList}?labelSelector=a%3D%3D%3Db`, {}, 400, 'BadRequest', /./],
  ['an unknown field selector', `${podList}?fieldSelector=spec.color%3Dred`, {}, 400, 'BadRequest', /spec\.color/],
  ['an oversized body', configMaps, { type: json, body: configMap({ data: { a: 'x'.repeat(4 << 20) } }) }, 413, 'RequestEntityTooLarge', /./],
  ['a deeply nested body', configMaps, { type: json, body: nested(20_000) }, 400, 'BadRequest', /deep|nest/],
  ['an alias bomb', configMaps, { type: 'application/yaml', body: bomb }, 400, 'BadRequest', /./],
  ['a __proto__ key', configMaps, { type: json, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"__proto__":"x"}}' }, 400, 'BadRequest', /__proto__/],
  ['a wrong content type', configMaps, { type: 'text/csv', body: 'a,b' }, 415, 'UnsupportedMediaType', /./],
  ['a method that is not there', '/api/v1/namespaces/default/pods/x/binding', { method: 'DELETE' }, 405, 'MethodNotAllowed', /./],
  ['no credential', configMaps, { anonymous: true }, 403, 'Forbidden', /system:anonymous.*cannot list resource "configmaps"/],
  ['a wrong credential', configMaps, { anonymous: true, headers: { authorization: 'Bearer nobody' } }, 401, 'Unauthorized', /Unauthorized/],
];

test('each is refused with its Status', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const api = await rawApi(cluster.kubeconfig);
  for (const [what, path, options, code, reason, words] of refused) {
    const answer = await api(path, options);
    const status = JSON.parse(answer.body) as { kind?: string; reason?: string; message?: string; code?: number };
    t.like(status, { kind: 'Status', status: 'Failure', code, reason }, `${what}: ${answer.body.slice(0, 500)}`);
    t.is(answer.code, code, what);
    t.regex(status.message ?? '', words, what);
  }

  // Conflicting writes: the second of two updates from one version.
  t.is((await api(configMaps, { type: json, body: configMap({}) })).code, 201);
  const stored = JSON.parse((await api(`${configMaps}/x`)).body) as object;
  t.is((await api(`${configMaps}/x`, { method: 'PUT', type: json, body: JSON.stringify({ ...stored, data: { a: '1' } }) })).code, 200);
  const second = await api(`${configMaps}/x`, { method: 'PUT', type: json, body: JSON.stringify({ ...stored, data: { a: '2' } }) });
  t.like(JSON.parse(second.body) as object, { kind: 'Status', reason: 'Conflict', code: 409 });
  t.is((JSON.parse((await api(`${configMaps}/x`)).body) as { data: { a: string } }).data.a, '1');

  for (const path of ['/version', '/healthz', '/readyz', '/livez']) t.is((await api(path, { anonymous: true })).code, 200, path);
  t.is((await api('/readyz')).body, 'ok');
  t.notThrows(() => process.kill(cluster.pid, 0), 'the same process goes on');
});

test('manifests: the file, line and column of what is wrong', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const folder = await mkdtemp(join(tmpdir(), 'barge-bad-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'bad.yaml');
  await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: [b\n');
  const parse = await cluster.try(bargeBin, ['apply', '-f', file]);
  t.is(parse.code, 1);
  t.regex(parse.stderr, /bad\.yaml.*(?:\b[89]:\d+|line [89].*column \d+)/s);

  await writeFile(file, 'apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}\n');
  const programs = new Map<string, string>([...(await kubectls())].map(([minor, path]) => [`kubectl 1.${minor}`, path]));
  for (const [name, program] of [...programs, ['barge', bargeBin] as const]) {
    const unknown = await cluster.try(program, ['apply', '-f', file]);
    t.is(unknown.code, 1, name);
    t.regex(unknown.stderr, /no matches for kind "Widget" in version "example\.org\/v1"/, name);
  }

  await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\ncolour: red\n');
  for (const [name, program] of [...programs, ['barge', bargeBin] as const]) {
    const field = await cluster.try(program, ['create', '-f', file]);
    t.is(field.code, 1, name);
    t.regex(field.stderr, /unknown field "colour"/, name);
  }
});

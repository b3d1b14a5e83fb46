import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { aggregated, coreVersions, groupList, groupOf, groupsOf, resourceList } from '../../apiserver/discovery.ts';
import { defineKind, topLevel } from '../../schemas/kind.ts';
import { createRegistry } from '../../schemas/registry.ts';
import { testRegistry } from '../helpers/api.ts';
import { httpsApi } from '../helpers/https-api.ts';

const schema = topLevel('example.v1.Widget', '', {});
const widget = (version: string) => defineKind(schema, { group: 'example.org', version, kind: 'Widget', plural: 'widgets', scope: 'Cluster', columns: [], subresources: {
  status: true, scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: 'spec.selector' },
  special: { eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] } },
} });
const registry = createRegistry([widget('v1beta1'), widget('v1'), widget('v2alpha1'), widget('v10'), widget('other')]);

test('the preferred version of a group comes first', (t) => {
  t.deepEqual([...groupsOf(registry)[0]!.versions.keys()], ['v10', 'v1', 'v1beta1', 'v2alpha1', 'other']);
  t.like(groupOf(registry, 'example.org'), { kind: 'APIGroup', name: 'example.org', preferredVersion: { groupVersion: 'example.org/v10', version: 'v10' } });
  t.is(groupOf(registry, 'none'), undefined);
});

test('subresources are entries of their own, with their own kinds', (t) => {
  t.deepEqual(resourceList(registry, 'example.org', 'v1'), {
    kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'example.org/v1', resources: [
      { name: 'widgets', singularName: 'widget', namespaced: false, kind: 'Widget', verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] },
      { name: 'widgets/eviction', singularName: '', namespaced: false, kind: 'Eviction', verbs: ['create'], group: 'policy', version: 'v1' },
      { name: 'widgets/scale', singularName: '', namespaced: false, kind: 'Scale', verbs: ['get', 'patch', 'update'], group: 'autoscaling', version: 'v1' },
      { name: 'widgets/status', singularName: '', namespaced: false, kind: 'Widget', verbs: ['get', 'patch', 'update'] },
    ],
  });
  t.is(resourceList(registry, 'example.org', 'v3'), undefined);
});

test('the built-in kinds are all found in every form', async (t) => {
  const builtin = await testRegistry();
  t.like(coreVersions(builtin), { kind: 'APIVersions', versions: ['v1'] });
  const groups = new Set((groupList(builtin) as { groups: { name: string }[] }).groups.map((group) => group.name));
  t.true(groups.has('apps') && !groups.has(''));
  const seen = (['core', 'groups'] as const).flatMap((which) => (aggregated(builtin, which, 'v2') as { items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string; responseKind: { group: string } }[] }[] }[] }).items)
    .flatMap((group) => group.versions.flatMap((version) => version.resources.map((resource) => `${resource.responseKind.group}/${version.version}/${resource.resource}`)));
  t.deepEqual(seen.toSorted(), builtin.all().map((kind) => `${kind.group}/${kind.version}/${kind.plural}`).toSorted());
});

interface Resource { readonly name: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[] }

const published = new URL('../../../shared/api/resources.json', import.meta.url);

/** How discovery shows what the published facts call `connect`: a proxy takes every method. */
const connectVerbs = (name: string): readonly string[] => (name.endsWith('/proxy') ? ['create', 'delete', 'get', 'patch', 'update'] : ['create', 'get']);

/** What docs/design/not-there.md leaves out. */
const notServed: ReadonlySet<string> = new Set([
  'apiextensions.k8s.io/v1/customresourcedefinitions', 'apiextensions.k8s.io/v1/customresourcedefinitions/status',
]);

test('what is served is served as published: kinds, subresources, verbs', async (t) => {
  if (!existsSync(published)) {
    t.log('skipped: ../shared/api/resources.json is not there');
    t.pass();
    return;
  }
  const facts = JSON.parse(readFileSync(published, 'utf8')) as Readonly<Record<string, Readonly<Record<string, Omit<Resource, 'name'>>>>>;
  const builtin = await testRegistry();
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const [groupVersion, resources] of Object.entries(facts)) {
    const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') as [string, string] : ['', groupVersion];
    const served = new Map(((resourceList(builtin, group, version) as { resources?: readonly Resource[] } | undefined)?.resources ?? []).map((one) => [one.name, one]));
    for (const [name, { kind, namespaced, verbs }] of Object.entries(resources)) {
      const mine = served.get(name);
      if (name === '') continue;
      if (mine === undefined) {
        missing.push(`${groupVersion}/${name}`);
        continue;
      }
      const words = (of: Omit<Resource, 'name'>): string => `${of.kind} ${of.namespaced ? 'namespaced' : 'of the cluster'}: ${of.verbs.join()}`;
      const here = words({ ...mine, verbs: mine.verbs.filter((verb) => verb !== 'watch') });
      const there = words({ kind, namespaced, verbs: verbs.join() === 'connect' ? connectVerbs(name) : verbs });
      if (here !== there) wrong.push(`${groupVersion}/${name}: here ${here}, there ${there}`);
    }
    for (const name of served.keys()) if (!Object.hasOwn(resources, name)) wrong.push(`${groupVersion}/${name} is not published`);
  }
  t.deepEqual(wrong, []);
  t.deepEqual(missing.filter((name) => !notServed.has(name)), [], 'not served, and docs/design/not-there.md does not say so');
  if (missing.length > 0) t.log(`not served: ${missing.join(', ')}`);
});

test('clients get the form they ask for, and 304 when they have it', async (t) => {
  const api = await httpsApi();
  t.teardown(() => api.close());
  const both = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
  const cases = [
    ['/apis', both, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2'],
    ['/api', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2beta1'],
    ['/apis', 'application/json', 'application/json', 'v1'], ['/apis', 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,*/*', 'application/json', 'v1'],
  ] as const;
  for (const [path, accept, type, version] of cases) {
    const answer = await api.call(path, { headers: { accept } });
    t.is(answer.headers['content-type'], type);
    t.is(answer.json()['apiVersion'], version);
    const again = await api.call(path, { headers: { accept, 'if-none-match': answer.headers.etag! } });
    t.is(again.code, 304);
    t.is(again.text, '');
    t.is((await api.call(path, { headers: { accept, 'if-none-match': '"other"' } })).code, 200);
  }
  t.is((await api.call('/apis/none')).code, 404);
  t.is((await api.call('/apis/apps/v9')).code, 404);
});

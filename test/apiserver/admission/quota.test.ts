import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { rfc3339 } from '../../../base/clock.ts';
import { ApiError, isReason } from '../../../schemas/errors.ts';
import { Deployment } from '../../../schemas/kinds/apps/deployment.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { PersistentVolumeClaim } from '../../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../schemas/kinds/core/pod.ts';
import { ResourceQuota } from '../../../schemas/kinds/core/resource-quota.ts';
import { Service } from '../../../schemas/kinds/core/service.ts';
import { recounted } from '../../../schemas/quota/account.ts';
import { collectionOf, usageOf } from '../../../schemas/quota/usage.ts';
import { writeAmounts } from '../../../schemas/resource-amounts.ts';
import { testApi, type TestApi } from '../../helpers/api.ts';

const withApi = (title: string, body: (t: ExecutionContext, api: TestApi) => Promise<void>): void => {
  test(title, async (t) => {
    const api = await testApi();
    try {
      await body(t, api);
    } finally {
      await api.close();
    }
  });
};

const key = (name: string): { readonly namespace: string; readonly name: string } => ({ namespace: 'default', name });
const quota = (name: string, hard: Readonly<Record<string, string>>, more: Partial<NonNullable<ResourceQuota['spec']>> = {}) => ({ metadata: key(name), spec: { hard, ...more } });
type Resources = NonNullable<Pod['spec']['containers'][number]['resources']>;
const pod = (name: string, resources: Resources = {}, spec: Partial<Pod['spec']> = {}) => ({ metadata: key(name), spec: { containers: [{ name: 'c', image: 'a', resources }], ...spec } });
const map = (name: string) => ({ metadata: key(name), data: {} });
const used = async ({ client }: TestApi, name: string): Promise<Readonly<Record<string, string>> | undefined> => (await client.of(ResourceQuota).get(key(name))).status?.used;
const refusal = async (t: ExecutionContext, work: Promise<unknown>): Promise<string> => (await t.throwsAsync(work, { instanceOf: ApiError })).message;

// What counts for what

test('every name that a quota knows belongs to one collection', (t) => {
  const of = (name: string): string | undefined => {
    const found = collectionOf(name);
    return found === undefined ? undefined : `${found.group}/${found.plural}`;
  };
  for (const name of ['pods', 'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'limits.memory', 'requests.ephemeral-storage', 'hugepages-2Mi', 'requests.hugepages-2Mi', 'requests.example.com/gpu', 'count/pods']) t.is(of(name), '/pods', name);
  for (const name of ['services', 'services.nodeports', 'services.loadbalancers', 'count/services']) t.is(of(name), '/services', name);
  for (const name of ['persistentvolumeclaims', 'requests.storage', 'fast.storageclass.storage.k8s.io/requests.storage', 'fast.storageclass.storage.k8s.io/persistentvolumeclaims']) t.is(of(name), '/persistentvolumeclaims', name);
  for (const name of ['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']) t.is(of(name), `/${name}`, name);
  t.is(of('count/deployments.apps'), 'apps/deployments');
  t.is(of('count/widgets.shop.example.com'), 'shop.example.com/widgets');
  t.is(of('example.com/gpu'), undefined);
});

test('a pod counts for its requests and limits, with its sidecars and its runtime', (t) => {
  const resources = (cpu: string) => ({ requests: { cpu, 'example.com/gpu': '1', 'hugepages-2Mi': '2Mi' }, limits: { cpu, memory: '1Gi', 'example.com/gpu': '1', 'hugepages-2Mi': '2Mi' } });
  const object = {
    apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: {
      containers: [{ name: 'a', resources: resources('100m') }, { name: 'b', resources: resources('200m') }],
      initContainers: [{ name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } }, { name: 'big', resources: { requests: { cpu: '1' } } }],
      overhead: { cpu: '10m', memory: '1Mi' },
    },
  } as Pod;
  t.deepEqual(writeAmounts(usageOf({ group: '', plural: 'pods' }, object, 0)), {
    'count/pods': '1', cpu: '1060m', 'hugepages-2Mi': '4Mi', 'limits.cpu': '310m', 'limits.memory': '2049Mi', memory: '1Mi', pods: '1', 'requests.cpu': '1060m',
    'requests.example.com/gpu': '2', 'requests.hugepages-2Mi': '4Mi', 'requests.memory': '1Mi',
  });
  const counts = (more: Partial<Pod>, nowMs = 0): readonly string[] => [...usageOf({ group: '', plural: 'pods' }, { ...object, ...more }, nowMs).keys()];
  t.deepEqual(counts({ status: { phase: 'Succeeded' } }), ['count/pods']);
  const leaving = { metadata: { deletionTimestamp: rfc3339(60_000), deletionGracePeriodSeconds: 30 } };
  t.true(counts(leaving, 90_000).includes('pods'));
  t.deepEqual(counts(leaving, 90_001), ['count/pods'], 'a pod that should have been gone long ago holds nothing any more');
});

// In the transaction of the write

withApi('objects are counted as they come and go', async (t, api) => {
  const { client } = api;
  await client.of(ConfigMap).create(map('before'));
  const made = await client.of(ResourceQuota).create(quota('q', {
    configmaps: '10', 'count/configmaps': '10', 'count/deployments.apps': '1', services: '5', 'services.nodeports': '2', 'services.loadbalancers': '1', pods: '5', persistentvolumeclaims: '1',
    'requests.storage': '3Gi', 'fast.storageclass.storage.k8s.io/requests.storage': '1Gi', resourcequotas: '2', 'count/things.example.com': '1',
  }));
  t.deepEqual(made.status?.hard, made.spec?.hard);
  t.like(made.status?.used, { configmaps: '1', 'count/configmaps': '1', resourcequotas: '1', services: '0', 'count/things.example.com': '0', 'requests.storage': '0' });
  await client.of(ConfigMap).create(map('a'));
  await client.of(ConfigMap).modify(key('a'), (draft) => { draft.data = { x: 'y' }; });
  t.like(await used(api, 'q'), { configmaps: '2', 'count/configmaps': '2' });
  await client.of(ConfigMap).delete(key('a'));
  await client.of(ConfigMap).delete(key('before'));
  t.like(await used(api, 'q'), { configmaps: '0', 'count/configmaps': '0' });

  const ports = [{ name: 'a', port: 80 }, { name: 'b', port: 81 }];
  await client.of(Service).create({ metadata: key('s'), spec: { type: 'NodePort', ports } });
  t.like(await used(api, 'q'), { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '0' });
  t.is(await refusal(t, client.of(Service).create({ metadata: key('t'), spec: { type: 'LoadBalancer', ports } })),
    'services "t" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=2, limited: services.nodeports=2');
  await client.of(Service).create({ metadata: key('t'), spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports } });
  t.like(await used(api, 'q'), { services: '2', 'services.nodeports': '2', 'services.loadbalancers': '1' });
  await client.of(Service).modify(key('s'), (draft) => { draft.spec.type = 'ClusterIP'; });
  t.like(await used(api, 'q'), { 'services.nodeports': '0' });

  const claim = (name: string, storage: string, storageClassName?: string) => ({ metadata: key(name), spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) } });
  t.is(await refusal(t, client.of(PersistentVolumeClaim).create(claim('c', '2Gi', 'fast'))),
    'persistentvolumeclaims "c" is forbidden: exceeded quota: q, requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi, used: fast.storageclass.storage.k8s.io/requests.storage=0, limited: fast.storageclass.storage.k8s.io/requests.storage=1Gi');
  await client.of(PersistentVolumeClaim).create(claim('c', '2Gi'));
  t.like(await used(api, 'q'), { persistentvolumeclaims: '1', 'requests.storage': '2Gi' });

  const web = { metadata: key('web'), spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'a' }] } } } };
  await client.of(Deployment).create(web);
  t.regex(await refusal(t, client.of(Deployment).create({ ...web, metadata: key('web2') })), /^deployments\.apps "web2" is forbidden: exceeded quota: q, requested: count\/deployments\.apps=1, used: count\/deployments\.apps=1, limited: count\/deployments\.apps=1$/);

  await client.of(ResourceQuota).create(quota('r', { pods: '1' }));
  t.is((await used(api, 'q'))?.['resourcequotas'], '2');
  t.regex(await refusal(t, client.of(ResourceQuota).create(quota('s', {}))), /exceeded quota: q, requested: resourcequotas=1/);
  await client.of(ResourceQuota).delete(key('r'));
  t.is((await used(api, 'q'))?.['resourcequotas'], '1');
  await client.of(ResourceQuota).delete(key('q'));
  await client.of(ConfigMap).create(map('free'));
});

withApi('pods must say what is limited, are counted until they end, and several quotas must agree', async (t, api) => {
  const { client } = api;
  const pods = client.of(Pod);
  await client.of(ResourceQuota).create(quota('a', { pods: '2', 'requests.cpu': '1', 'limits.memory': '1Gi' }));
  await client.of(ResourceQuota).create(quota('b', { cpu: '700m' }));
  t.is(await refusal(t, pods.create(pod('p'))), 'pods "p" is forbidden: failed quota: a: must specify limits.memory for: c; requests.cpu for: c');
  const asks = (cpu: string): Resources => ({ requests: { cpu }, limits: { memory: '100Mi' } });
  await pods.create(pod('p', asks('500m')));
  t.deepEqual(await used(api, 'a'), { 'limits.memory': '100Mi', pods: '1', 'requests.cpu': '500m' });
  t.is(await refusal(t, pods.create(pod('q', asks('300m')))), 'pods "q" is forbidden: exceeded quota: b, requested: cpu=300m, used: cpu=500m, limited: cpu=700m');
  t.deepEqual(await used(api, 'a'), { 'limits.memory': '100Mi', pods: '1', 'requests.cpu': '500m' }, 'what one quota refuses is counted by none');
  await pods.create(pod('q', asks('200m')));
  t.is(await refusal(t, pods.create(pod('r', asks('600m')))), 'pods "r" is forbidden: exceeded quota: a, requested: pods=1,requests.cpu=600m, used: pods=2,requests.cpu=700m, limited: pods=2,requests.cpu=1');
  await pods.modifyStatus(key('q'), (draft) => { draft.status = { ...draft.status, phase: 'Succeeded' }; });
  t.deepEqual(await used(api, 'a'), { 'limits.memory': '100Mi', pods: '1', 'requests.cpu': '500m' }, 'a pod that has ended is not counted');
  await pods.delete(key('q'));
  t.deepEqual(await used(api, 'b'), { cpu: '500m' }, 'and gives nothing back a second time');

  await pods.create(pod('held', asks('100m'), { nodeName: 'n1' }));
  await pods.delete(key('held'));
  t.is((await used(api, 'a'))?.['pods'], '2', 'a pod that is going still holds its share');
  await pods.delete(key('held'), { gracePeriodSeconds: 0 });
  t.is((await used(api, 'a'))?.['pods'], '1');
});

withApi('a dry run is held to the quota and counts for nothing', async (t, { client, transport, ...api }) => {
  await client.of(ResourceQuota).create(quota('q', { configmaps: '1' }));
  const dry = (name: string) => transport.send({ verb: 'create', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', body: map(name), options: { dryRun: true } });
  await dry('a');
  t.deepEqual(await used({ client, transport, ...api }, 'q'), { configmaps: '0' });
  await client.of(ConfigMap).create(map('a'));
  t.regex(await refusal(t, dry('b')), /exceeded quota/);
});

withApi('limits that change hold at once, and who is above them can come down', async (t, api) => {
  const { client } = api;
  const quotas = client.of(ResourceQuota);
  await quotas.create(quota('q', { configmaps: '3' }));
  for (const name of ['a', 'b', 'c']) await client.of(ConfigMap).create(map(name));
  const changed = await quotas.modify(key('q'), (draft) => { draft.spec = { hard: { configmaps: '1', secrets: '1' } }; });
  t.deepEqual(changed.status, { hard: { configmaps: '1', secrets: '1' }, used: { configmaps: '3', secrets: '0' } });
  t.regex(await refusal(t, client.of(ConfigMap).create(map('d'))), /used: configmaps=3, limited: configmaps=1/);
  await client.of(ConfigMap).delete(key('a'));
  t.deepEqual(await used(api, 'q'), { configmaps: '2', secrets: '0' });
  await quotas.modifyStatus(key('q'), (draft) => { draft.status = { hard: { configmaps: '1' } }; });
  t.is(await refusal(t, client.of(ConfigMap).create(map('d'))), 'configmaps "d" is forbidden: status unknown for quota: q, resources: configmaps');
});

const scopes: readonly [name: string, spec: Partial<NonNullable<ResourceQuota['spec']>>, inside: Partial<Pod['spec']>, outside: Partial<Pod['spec']>][] = [
  ['Terminating', { scopes: ['Terminating'] }, { activeDeadlineSeconds: 5 }, {}],
  ['NotTerminating', { scopes: ['NotTerminating'] }, {}, { activeDeadlineSeconds: 5 }],
  ['BestEffort', { scopes: ['BestEffort'] }, {}, { containers: [{ name: 'c', image: 'a', resources: { requests: { cpu: '1' } } }] }],
  ['NotBestEffort', { scopes: ['NotBestEffort'] }, { containers: [{ name: 'c', image: 'a', resources: { requests: { cpu: '1' } } }] }, {}],
  ['PriorityClass In', { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }] } }, { priorityClassName: 'system-node-critical' }, { priorityClassName: 'system-cluster-critical' }],
  ['PriorityClass NotIn', { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['system-node-critical'] }] } }, {}, { priorityClassName: 'system-node-critical' }],
  ['PriorityClass Exists', { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'Exists' }] } }, { priorityClassName: 'system-node-critical' }, {}],
  ['CrossNamespacePodAffinity', { scopes: ['CrossNamespacePodAffinity'] },
    { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', namespaceSelector: {} }] } } },
    { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] } } }],
];

for (const [name, spec, inside, outside] of scopes) {
  withApi(`scope ${name}`, async (t, { client }) => {
    await client.of(ResourceQuota).create(quota('q', { pods: '0' }, spec));
    await client.of(Pod).create(pod('out', {}, outside));
    t.regex(await refusal(t, client.of(Pod).create(pod('in', {}, inside))), /exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0/);
  });
}

withApi('a pod that moves into a scope moves its share', async (t, api) => {
  await api.client.of(ResourceQuota).create(quota('short', { pods: '1' }, { scopes: ['Terminating'] }));
  await api.client.of(ResourceQuota).create(quota('long', { pods: '1' }, { scopes: ['NotTerminating'] }));
  await api.client.of(Pod).create(pod('p'));
  t.deepEqual([await used(api, 'short'), await used(api, 'long')], [{ pods: '0' }, { pods: '1' }]);
  await api.client.of(Pod).modify(key('p'), (draft) => { draft.spec.activeDeadlineSeconds = 60; });
  t.deepEqual([await used(api, 'short'), await used(api, 'long')], [{ pods: '1' }, { pods: '0' }]);
});

// Concurrency

withApi('of many creates at the same moment as many succeed as there is room, without tries that fail each other', async (t, { client, storage, core }) => {
  await client.of(ResourceQuota).create(quota('q', { configmaps: '70', pods: '10' }));
  let commits = 0;
  const commit = storage.commit.bind(storage);
  storage.commit = (transaction) => {
    commits++;
    return commit(transaction);
  };
  const before = core.revision;
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => client.of(ConfigMap).create(map(`m${index}`))));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 70);
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.regex(String(outcome.reason), /exceeded quota: q, requested: configmaps=1, used: configmaps=70, limited: configmaps=70/);
  t.is(commits, 70, 'one commit for each object that was made');
  t.is(core.revision - before, 70);
});

type Step = { readonly action: 'create' | 'delete' | 'end' | 'relabel' | 'limit'; readonly which: number; readonly cpu: number };
const step: fc.Arbitrary<Step> = fc.record({ action: fc.constantFrom('create', 'create', 'create', 'delete', 'end', 'relabel', 'limit'), which: fc.nat(7), cpu: fc.integer({ min: 1, max: 5 }) });

test('random writes at the same time never pass a limit, and what is used is what is there', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }), async (rounds) => {
    const api = await testApi();
    const pods = api.client.of(Pod);
    try {
      await api.client.of(ResourceQuota).create(quota('q', { pods: '5', 'requests.cpu': '10' }));
      await api.client.of(ResourceQuota).create(quota('short', { pods: '2' }, { scopes: ['Terminating'] }));
      const carryOut = async ({ action, which, cpu }: Step): Promise<unknown> => {
        const at = key(`p${which}`);
        switch (action) {
          case 'create': return pods.create(pod(`p${which}`, { requests: { cpu: String(cpu) } }, cpu % 2 === 0 ? { activeDeadlineSeconds: 60 } : {}));
          case 'delete': return pods.delete(at);
          case 'end': return pods.modifyStatus(at, (draft) => { draft.status = { ...draft.status, phase: 'Failed' }; });
          case 'relabel': return pods.modify(at, (draft) => {
            draft.metadata.labels = { cpu: String(cpu) };
            draft.spec.activeDeadlineSeconds = 30;
          });
          case 'limit': return api.client.of(ResourceQuota).modify(key('q'), (draft) => { draft.metadata.labels = { cpu: String(cpu) }; });
        }
      };
      for (const round of rounds) {
        for (const { status, reason } of (await Promise.allSettled(round.map(carryOut))) as PromiseRejectedResult[]) {
          if (status === 'rejected' && !isReason(reason, 'AlreadyExists', 'NotFound', 'Forbidden', 'Conflict', 'Invalid')) throw reason;
        }
        const there = (await pods.list({ namespace: 'default' })).items;
        for (const { spec = {}, status } of (await api.client.of(ResourceQuota).list({ namespace: 'default' })).items) {
          t.deepEqual(status, recounted(spec, () => there, api.clock.now()));
          t.true(Number(status?.used?.['pods']) <= Number(spec.hard?.['pods']));
          t.true(Number(status?.used?.['requests.cpu'] ?? 0) <= 10);
        }
      }
    } finally {
      await api.close();
    }
  }), { numRuns: 30 });
});

/** Kinds that users define, as unmodified kubectls and the official JavaScript client use them. Needs no Docker Engine. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADD, CustomObjectsApi, DELETE, KubeConfig, makeInformer, UPDATE, type KubernetesListObject, type KubernetesObject } from '@kubernetes/client-node';
import test from 'ava';
import { E2eCluster, kubectls, root, within } from '../helpers/e2e.ts';

const example = (file: string): string => join(root, 'examples/custom-resource', file);

interface CronTab extends KubernetesObject { readonly spec: { readonly replicas?: number } }

test('kubectl with kinds of one\'s own', async (t) => {
  t.timeout(240_000);
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls())];
  t.true(programs.length > 0);
  const both = join(cluster.dataDir, 'both.yaml');
  await writeFile(both, `${await readFile(example('definition.yaml'), 'utf8')}---\n${await readFile(example('crontab.yaml'), 'utf8')}`);

  for (const [minor, program] of programs) {
    const kubectl = (...args: readonly string[]): Promise<string> => cluster.with(program, args);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr, stdout } = await cluster.try(program, args);
      t.not(code, 0, `kubectl 1.${minor} ${args.join(' ')}: ${stdout}`);
      return stderr;
    };

    // A kubectl that looks kinds up before it applies anything finds the object's at its second try.
    await cluster.try(program, ['apply', '-f', both]);
    await within(60, () => kubectl('apply', '-f', both), 1_000);
    t.regex(await kubectl('wait', '--for=condition=Established', 'crd/crontabs.stable.example.com', '--timeout=60s'), /condition met/);
    t.regex(await kubectl('get', 'crd'), /^NAME +CREATED AT\ncrontabs\.stable\.example\.com +20/);
    t.regex(await kubectl('get', 'crd', 'crontabs.stable.example.com', '-o', 'yaml'), /storedVersions:\n +- v1/);
    t.regex(await kubectl('api-resources', '--api-group=stable.example.com'), /crontabs +ct +stable\.example\.com\/v1 +true +CronTab/);
    t.regex(await kubectl('explain', 'crontab.spec'), /What runs, and when\./);
    t.regex(await kubectl('explain', 'crontab.spec.schedule'), /Five fields, as cron has them\./);
    t.regex(await kubectl('get', 'ct'), /^NAME +SCHEDULE +REPLICAS +AGE\nreport +\*\/5 \* \* \* \* +1 +\d+s\n$/);
    t.regex(await kubectl('get', 'crontabs', '-o', 'wide'), /IMAGE[^]*example\/report:1/);
    t.regex(await kubectl('get', 'all'), /crontab\.stable\.example\.com\/report/);
    t.regex(await kubectl('get', 'crontabs', '--field-selector', 'spec.image=example/report:1', '-o', 'name'), /report/);
    t.is(await kubectl('get', 'crontabs', '--field-selector', 'spec.image=other', '-o', 'name'), '');
    t.regex(await kubectl('describe', 'crontab', 'report'), /Schedule: +\*\/5/);

    t.regex(await kubectl('scale', 'crontab/report', '--replicas=3'), /scaled/);
    t.is(await kubectl('get', 'crontab', 'report', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}'), '3 2');
    await kubectl('patch', 'crontab', 'report', '--type=merge', '-p', '{"spec":{"options":{"more":[1]}}}');
    await kubectl('patch', 'crontab', 'report', '--type=json', '-p', '[{"op":"add","path":"/spec/env/-","value":{"name":"A"}}]');
    await kubectl('label', 'crontab', 'report', 'a=b');
    t.is(await kubectl('get', 'crontab', '-l', 'a=b', '-o', 'jsonpath={.items[0].spec.options}'), '{"more":[1],"verbose":true}');
    t.regex(await refused('patch', 'crontab', 'report', '-p', '{}'), /application\/json-patch\+json/);

    t.regex(await refused('scale', 'crontab/report', '--replicas=6'), /spec\.replicas: Invalid value: "object": replicas must not be more than maxReplicas/);
    t.regex(await refused('patch', 'crontab', 'report', '--type=merge', '-p', '{"spec":{"image":"other"}}'), /the image may not change/);
    t.regex(await refused('patch', 'crontab', 'report', '--type=merge', '-p', '{"spec":{"schedule":"soon"}}'), /spec\.schedule: Invalid value: "soon"/);
    const wrong = join(cluster.dataDir, 'wrong.yaml');
    await writeFile(wrong, 'apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: wrong}\nspec: {schedule: "* * * * *", image: a, bogus: 1}\n');
    t.regex(await refused('create', '-f', wrong), minor >= 27 ? /unknown field "(CronTab\.)?spec\.bogus"|unknown field "bogus"/ : /unknown field "bogus"/);
    const badRule = (await readFile(example('definition.yaml'), 'utf8')).replaceAll('crontabs', 'tabs').replaceAll('CronTab', 'Tab').replaceAll('crontab', 'tab').replace('shortNames: [ct]', 'shortNames: []').replace('self == oldSelf', 'self.none');
    await writeFile(wrong, badRule);
    t.regex(await refused('create', '-f', wrong), /x-kubernetes-validations\[0\]\.rule: Invalid value: "self\.none": compilation failed/);

    if (minor >= 27) {
      const applied = join(cluster.dataDir, 'applied.yaml');
      await writeFile(applied, 'apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: report}\nspec: {schedule: "*/5 * * * *", image: "example/report:1", env: [{name: B, value: b}]}\n');
      await kubectl('apply', '--server-side', '--field-manager=tester', '-f', applied);
      t.is((await kubectl('get', 'crontab', 'report', '-o', 'jsonpath={.spec.env[*].name}')).split(' ').sort().join(' '), 'A B', 'what kubectl applied before is now the tester\'s, who gives it up');
      t.regex(await kubectl('diff', '-f', applied, '--server-side', '--field-manager=tester'), /^$/);
    }
    t.regex(await kubectl('create', 'configmap', `owned-${minor}`, '--dry-run=server', '-o', 'name'), /owned/);

    t.regex(await kubectl('delete', '-f', example('definition.yaml')), /deleted/);
    t.regex(await refused('get', 'crontabs'), /the server doesn't have a resource type "crontabs"|could not find the requested resource|NotFound/);
  }
});

test('a definition and its objects are there after the server ends and starts', async (t) => {
  t.timeout(120_000);
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  await cluster.barge('apply', '-f', example('definition.yaml'));
  await within(60, () => cluster.barge('apply', '-f', example('crontab.yaml')));
  await cluster.end('SIGKILL');
  const again = await cluster.again();
  t.teardown(() => again.remove());
  t.regex(await again.barge('get', 'ct'), /report +\*\/5/);
  t.regex(await again.barge('explain', 'crontab.spec.replicas'), /How many run at once/);
});

test('the JavaScript client follows custom objects', async (t) => {
  t.timeout(120_000);
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  await cluster.barge('apply', '-f', example('definition.yaml'));
  await within(60, () => cluster.barge('get', 'ct'));
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const api = config.makeApiClient(CustomObjectsApi);
  const at = { group: 'stable.example.com', version: 'v1', namespace: 'default', plural: 'crontabs' };
  const seen: string[] = [];
  const informer = makeInformer<CronTab>(config, '/apis/stable.example.com/v1/namespaces/default/crontabs', async () => await api.listNamespacedCustomObject(at) as KubernetesListObject<CronTab>);
  for (const event of [ADD, UPDATE, DELETE] as const) informer.on(event, (object) => void seen.push(`${event} ${object.metadata?.name} ${object.spec.replicas}`));
  await informer.start();
  t.teardown(() => informer.stop());

  await api.createNamespacedCustomObject({ ...at, body: { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'a' }, spec: { schedule: '* * * * *', image: 'i' } } });
  await cluster.barge('scale', 'crontab/a', '--replicas=2');
  await within(60, () => assert.deepEqual(seen, ['add a 1', 'update a 2']));
  await cluster.barge('delete', 'crd', 'crontabs.stable.example.com');
  await within(60, () => assert.deepEqual(seen, ['add a 1', 'update a 2', 'delete a 2']));
  t.pass();
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ApiObject } from '../../schemas/kind.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { testCli, type Cli } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';

// One API server for the file; every test works in a namespace of its own.
let cli: Cli;
test.before(async () => {
  cli = await testCli({ namespaces: ['apply', 'bad', 'change', 'create', 'delete', 'get', 'misc', 'patch', 'roll', 'wait', 'watch', 'edit'] });
});
test.after.always(() => cli.close());

const web = (image: string, extra = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "${image}"${extra}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const pod = (namespace: string, name: string, labels: Readonly<Record<string, string>> = { app: 'web' }): Promise<ApiObject> =>
  cli.api.client.of(Pod).create({ metadata: { namespace, name, labels }, spec: { containers: [{ name: 'c', image: 'i' }] } });

test('apply creates, changes and leaves alone', async (t) => {
  const { barge, write, api } = cli;
  await write('web.yaml', web('v1', ', env: [{name: A, value: b}]'));
  t.deepEqual(await barge('apply -n apply -f web.yaml'), { code: 0, out: 'deployment.apps/web created\nservice/web created\n', err: '' });
  t.deepEqual(await barge('apply -n apply -f web.yaml'), { code: 0, out: 'deployment.apps/web unchanged\nservice/web unchanged\n', err: '' });
  // What somebody else set stays, what the manifest no longer says goes.
  await api.client.of(Deployment).modify({ namespace: 'apply', name: 'web' }, (draft) => {
    draft.spec.template.metadata!.annotations = { other: 'x' };
  });
  await write('web.yaml', web('v2'));
  t.is((await barge('apply -n apply -f web.yaml')).out, 'deployment.apps/web configured\nservice/web unchanged\n');
  const { spec } = await api.client.of(Deployment).get({ namespace: 'apply', name: 'web' });
  t.is(spec.template.spec?.containers[0]?.image, 'v2');
  t.is(spec.template.spec?.containers[0]?.env, undefined);
  t.deepEqual(spec.template.metadata?.annotations, { other: 'x' });
  const tried = await barge('apply -n apply -f - --dry-run=server', { stdin: web('v3') });
  t.is(tried.out, 'deployment.apps/web configured (server dry run)\nservice/web unchanged (server dry run)\n');
  t.is((await api.client.of(Deployment).get({ namespace: 'apply', name: 'web' })).spec.template.spec?.containers[0]?.image, 'v2');
});

test('bad input is refused with its place, and the rest goes on', async (t) => {
  const { barge, write, api } = cli;
  await write('broken.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\n  kind: x\n');
  const broken = await barge('apply -n bad -f broken.yaml');
  t.is(broken.code, 1);
  t.regex(broken.err, /^error: broken\.yaml:6:\d+: document 2: /);
  t.is(await api.client.of(ConfigMap).find({ namespace: 'bad', name: 'a' }), undefined);
  const mixed = await barge('apply -n bad -f -', { stdin: [
    'apiVersion: v1\nkind: Nope\nmetadata: {name: none}', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nbogus: 1',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "Bad Name"}', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d, namespace: other}', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}',
  ].join('\n---\n') });
  t.is(mixed.code, 1);
  t.is(mixed.out, 'configmap/good created\n');
  t.regex(mixed.err, /no matches for kind "Nope" in version "v1"/);
  t.regex(mixed.err, /Error from server \(BadRequest\): .*STDIN:5: document 2.*unknown field "bogus"/);
  t.regex(mixed.err, /The ConfigMap "Bad Name" is invalid: metadata\.name: Invalid value/);
  t.regex(mixed.err, /the namespace from the provided object "other" does not match the namespace "bad"/);
  t.regex((await barge('apply -f -', { stdin: 'kind: Pod' })).err, /STDIN:1: document 1: apiVersion not set/);
  t.regex((await barge('apply -f none.yaml')).err, /the path "none\.yaml" does not exist/);
});

test('get in all its forms', async (t) => {
  const { barge } = cli;
  await pod('get', 'a');
  await pod('get', 'b', { app: 'other' });
  const table = await barge('get pods -n get');
  t.regex(table.out, /^NAME {3}READY {3}STATUS {4}RESTARTS {3}AGE\na {6}0\/1 {5}Pending {3}0 {10}0s\nb {6}0\/1 /);
  t.is((await barge('get po a -n get -o name')).out, 'pod/a\n');
  t.is((await barge('get pods -n get -l app=web --no-headers -o custom-columns=N:.metadata.name')).out, 'a\n');
  t.is((await barge(['get', 'pods', '-n', 'get', '-o', 'jsonpath={range .items[*]}{.metadata.name}{";"}{end}'])).out, 'a;b;');
  t.regex((await barge('get pods -n get -o yaml')).out, /^apiVersion: v1\nitems:\n- apiVersion: v1\n {2}kind: Pod\n[^]*\nkind: List\nmetadata:\n {2}resourceVersion: ""\n$/);
  t.is((JSON.parse((await barge('get pod/a -n get -o json')).out) as ApiObject).metadata.name, 'a');
  t.regex((await barge('get pods -A --field-selector metadata.namespace=get --sort-by=.metadata.name')).out, /^NAMESPACE[^]*\nget {9}a .*\nget {9}b /);
  const mixed = await barge('get pods a nope -n get');
  t.is(mixed.code, 1);
  t.regex(mixed.out, /\na /);
  t.is(mixed.err, 'Error from server (NotFound): pods "nope" not found\n');
  t.deepEqual(await barge('get svc -n get'), { code: 0, out: '', err: 'No resources found in get namespace.\n' });
  t.deepEqual(await barge('get nopes'), { code: 1, out: '', err: 'error: the server doesn\'t have a resource type "nopes"\n' });
  t.is((await barge('get pods nope -n get --ignore-not-found')).code, 0);
  t.regex((await barge('get pods,svc -n get --show-labels')).out, /\npod\/a .*app=web\n/);
  const forbidden = await barge('get pods -n get --context bob');
  t.is(forbidden.code, 1);
  t.regex(forbidden.err, /^Error from server \(Forbidden\): pods is forbidden: User "bob" cannot list resource "pods"/);
  t.regex((await barge('gte pods')).err, /unknown command "gte" \(did you mean "get"\?\)/);
});

test('get -w shows what is there and then what comes', async (t) => {
  const stop = new AbortController();
  let seen = '';
  await pod('watch', 'a');
  const running = cli.barge('get pods -n watch -w', { signal: stop.signal, onOutput: (text) => (seen = text) });
  await eventually(() => assert.match(seen, /^NAME.*\na .*\n$/));
  await pod('watch', 'later');
  await eventually(() => assert.match(seen, /\nlater +0\/1 +Pending .*\n$/));
  stop.abort();
  t.is((await running).code, 130);
  t.is(seen.match(/^a /gm)?.length, 1);
});

test('create by flags', async (t) => {
  const { barge, api, write } = cli;
  await write('file.txt', 'text\n');
  t.is((await barge('create configmap c -n create --from-literal=a=b=c --from-file=file.txt')).out, 'configmap/c created\n');
  t.deepEqual((await api.client.of(ConfigMap).get({ namespace: 'create', name: 'c' })).data, { a: 'b=c', 'file.txt': 'text\n' });
  t.is((await barge('create secret generic s -n create --from-literal=a=b')).out, 'secret/s created\n');
  t.deepEqual((await api.client.of(Secret).get({ namespace: 'create', name: 's' })).data, { a: 'Yg==' });
  t.is((await barge('create deployment web -n create --image=nginx --replicas=3 --port=80')).out, 'deployment.apps/web created\n');
  t.is((await barge('expose deployment web -n create --target-port=8080')).out, 'service/web created\n');
  const { spec } = await api.client.of(Service).get({ namespace: 'create', name: 'web' });
  t.deepEqual(spec.selector, { app: 'web' });
  t.is(spec.ports?.[0]?.targetPort, 8080);
  t.is((await barge('run once -n create --image=busybox --restart=Never -- echo hello')).out, 'pod/once created\n');
  t.deepEqual((await api.client.of(Pod).get({ namespace: 'create', name: 'once' })).spec.containers[0]?.args, ['echo', 'hello']);
  t.is((await barge('create service nodeport np -n create --tcp=80:http')).out, 'service/np created\n');
  t.regex((await barge('create configmap c -n create')).err, /^Error from server \(AlreadyExists\): configmaps "c" already exists/);
  t.is((await barge('create ns x --dry-run=client -o yaml', { env: { KUBECONFIG: '/nowhere' } })).out, 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n');
  t.regex((await barge('create deployment web')).err, /required flag\(s\) "image" not set/);
});

test('label, annotate, patch, scale, set image', async (t) => {
  const { barge, api } = cli;
  await barge('apply -n change -f -', { stdin: web('v1') });
  const read = () => api.client.of(Deployment).get({ namespace: 'change', name: 'web' });
  t.is((await barge('label deploy web -n change tier=x')).out, 'deployment.apps/web labeled\n');
  const again = await barge('label deploy web -n change tier=y');
  t.is(again.code, 1);
  t.regex(again.err, /'tier' already has a value \(x\), and --overwrite is false/);
  t.is((await barge('label deploy web -n change tier-')).out, 'deployment.apps/web unlabeled\n');
  t.is((await barge('annotate deploy/web -n change a=b')).out, 'deployment.apps/web annotated\n');
  t.is((await read()).metadata.annotations?.['a'], 'b');
  t.is((await barge('scale deploy web -n change --replicas=5')).out, 'deployment.apps/web scaled\n');
  t.regex((await barge('scale deploy web -n change --current-replicas=4 --replicas=6')).err, /Expected replicas to be 4, was 5/);
  t.is((await read()).spec.replicas, 5);
  t.is((await barge('set image deploy/web -n change web=v9')).out, 'deployment.apps/web image updated\n');
  t.is((await read()).spec.template.spec?.containers[0]?.image, 'v9');
  t.regex((await barge('set image deploy/web -n change nope=v9')).err, /unable to find container named "nope"/);
  const patch = ['patch', 'deploy', 'web', '-n', 'change', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"v10"}]}}}}'];
  t.is((await barge(patch)).out, 'deployment.apps/web patched\n');
  t.is((await barge(patch)).out, 'deployment.apps/web patched (no change)\n');
  t.is((await barge(['patch', 'deploy', 'web', '-n', 'change', '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":1}]'])).code, 0);
  t.is((await read()).spec.replicas, 1);
});

test('delete waits until objects are gone', async (t) => {
  const { barge, api } = cli;
  await barge('apply -n delete -f -', { stdin: web('v1') });
  await api.client.of(ConfigMap).create({ metadata: { namespace: 'delete', name: 'held', finalizers: ['test/hold'] } });
  const waiting = barge('delete cm held -n delete');
  await eventually(async () => assert.ok((await api.client.of(ConfigMap).get({ namespace: 'delete', name: 'held' })).metadata.deletionTimestamp));
  await api.client.of(ConfigMap).modify({ namespace: 'delete', name: 'held' }, (draft) => void (draft.metadata.finalizers = []));
  t.deepEqual(await waiting, { code: 0, out: 'configmap "held" deleted\n', err: '' });
  t.is((await barge('delete deploy,svc --all -n delete')).out, 'deployment.apps "web" deleted\nservice "web" deleted\n');
  t.is(await api.client.of(Service).find({ namespace: 'delete', name: 'web' }), undefined);
  t.regex((await barge('delete svc web -n delete')).err, /^Error from server \(NotFound\): services "web" not found/);
  t.is((await barge('delete svc web -n delete --ignore-not-found')).code, 0);
  t.regex((await barge('delete pods -n delete')).err, /no name was specified/);
});

test('wait and rollout status follow the object', async (t) => {
  const { barge, api } = cli;
  await barge('apply -n wait -f -', { stdin: web('v1') });
  const key = { namespace: 'wait', name: 'web' };
  let shown = '';
  const status = barge('rollout status deploy/web -n wait', { onOutput: (text) => (shown = text) });
  const available = barge('wait deploy/web -n wait --for=condition=Available');
  const replicas = barge(['wait', 'deploy/web', '-n', 'wait', '--for=jsonpath={.status.readyReplicas}=2']);
  await eventually(() => assert.match(shown, /Waiting for deployment spec update to be observed/));
  await api.client.of(Deployment).modifyStatus(key, (draft) => void (draft.status = { observedGeneration: 1, replicas: 2, updatedReplicas: 1 }));
  await eventually(() => assert.match(shown, /1 out of 2 new replicas have been updated/));
  await api.client.of(Deployment).modifyStatus(key, (draft) => void (draft.status = {
    observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2, conditions: [{ type: 'Available', status: 'True' }],
  }));
  t.regex((await status).out, /deployment "web" successfully rolled out\n$/);
  t.is((await available).out, 'deployment.apps/web condition met\n');
  t.is((await replicas).out, 'deployment.apps/web condition met\n');
  const failed = await barge('wait deploy/web -n wait --for=condition=Nope --timeout=0');
  t.deepEqual([failed.code, failed.err], [1, 'error: timed out waiting for the condition on deployments/web\n']);
  t.regex((await barge('wait deploy/web -n wait --for=someday')).err, /unrecognized condition: "someday"/);
});

test('rollout pause, resume and restart', async (t) => {
  const { barge, api } = cli;
  await barge('apply -n roll -f -', { stdin: web('v1') });
  t.is((await barge('rollout pause deploy web -n roll')).out, 'deployment.apps/web paused\n');
  t.regex((await barge('rollout pause deploy web -n roll')).err, /deployments\.apps "web" is already paused/);
  t.regex((await barge('rollout restart deploy web -n roll')).err, /can't restart paused deployment/);
  t.is((await barge('rollout resume deploy web -n roll')).out, 'deployment.apps/web resumed\n');
  t.is((await barge('rollout restart deploy web -n roll')).out, 'deployment.apps/web restarted\n');
  const { spec } = await api.client.of(Deployment).get({ namespace: 'roll', name: 'web' });
  t.is(spec.template.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt'], '2026-01-01T00:00:00Z');
  t.regex((await barge('rollout undo deploy web -n roll')).err, /no rollout history found/);
});

test('edit opens the object again when it cannot be saved', async (t) => {
  const { barge, write, folder, api } = cli;
  await barge('create cm c -n edit --from-literal=a=b');
  // The first time the editor makes a mistake, the second time it mends it.
  await write('editor.sh', 'cp "$1" "$0.$(ls "$0".* 2>/dev/null | wc -l)"\nif grep -q "was not valid" "$1"; then sed -i "s/bogus: 1/immutable: true/" "$1"; else echo "bogus: 1" >> "$1"; fi\n');
  const edited = await barge('edit cm c -n edit', { env: { EDITOR: `/bin/sh ${join(folder, 'editor.sh')}` } });
  t.is(edited.out, 'configmap/c edited\n', edited.err);
  t.regex(await readFile(join(folder, 'editor.sh.1'), 'utf8'), /^# Please edit[^]*# \* .*unknown field "bogus"[^]*\napiVersion: v1\n/);
  t.true((await api.client.of(ConfigMap).get({ namespace: 'edit', name: 'c' })).immutable);
  const same = await barge('edit cm c -n edit', { env: { EDITOR: 'true' } });
  t.deepEqual([same.code, same.err], [0, 'Edit cancelled, no changes made.\n']);
});

test('describe shows an object and its events', async (t) => {
  const { barge, api } = cli;
  const { metadata } = await pod('misc', 'p');
  await api.client.of(Event).create({
    metadata: { namespace: 'misc', name: 'e' }, involvedObject: { kind: 'Pod', namespace: 'misc', name: 'p', uid: metadata.uid }, type: 'Warning', reason: 'Failed', message: 'no such image',
    source: { component: 'agent' }, count: 3, firstTimestamp: '2025-12-31T23:59:00Z', lastTimestamp: '2026-01-01T00:00:00Z',
  });
  const { out } = await barge('describe pod p -n misc');
  t.regex(out, /^Name: +p\nNamespace: +misc\n[^]*Containers:\n {2}c:\n {4}Image: +i\n/);
  t.regex(out, /Events:\n {2}Type +Reason +Age +From +Message\n[^]*Warning +Failed +0s \(x3 over 60s\) +agent +no such image\n$/);
  t.regex((await barge('events -n misc --for pod/p')).out, /0s \(x3 over 60s\) +Warning +Failed +Pod\/p +no such image/);
  await barge('create secret generic hidden -n misc --from-literal=password=verysecret');
  const secret = (await barge('describe secret hidden -n misc')).out;
  t.regex(secret, /password: {2}10 bytes/);
  t.notRegex(secret, /verysecret|dmVyeXNlY3JldA/);
});

test('describe shows what a quota has left and what a range gives', async (t) => {
  const { barge } = cli;
  await barge('create namespace bounded');
  const limits = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'sizes' }, spec: { limits: [{ type: 'Container', max: { cpu: '2' }, default: { cpu: '500m', memory: '64Mi' }, defaultRequest: { cpu: '100m' } }] } };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'team' }, spec: { hard: { pods: '3', 'requests.cpu': '2' }, scopes: ['NotTerminating', 'NotBestEffort'] } };
  for (const body of [limits, quota]) t.is((await barge('create -n bounded -f -', { stdin: JSON.stringify(body) })).err, '');
  await barge('run one -n bounded --image=i');
  t.is((await barge('describe quota team -n bounded')).out, [
    'Name:       team', 'Namespace:  bounded', 'Scopes:     NotBestEffort, NotTerminating', ' * NotBestEffort: pods that name requests or limits', ' * NotTerminating: pods without activeDeadlineSeconds',
    'Resource      Used  Hard', '--------      ----  ----', 'pods          1     3', 'requests.cpu  100m  2', '',
  ].join('\n'));
  t.is((await barge('describe limitrange -n bounded')).out, [
    'Name:       sizes', 'Namespace:  bounded', 'Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio',
    '----        --------  ---  ---  ---------------  -------------  -----------------------', 'Container   cpu       -    2    100m             500m           -', 'Container   memory    -    -    64Mi             64Mi           -', '',
  ].join('\n'));
  t.regex((await barge('describe namespace bounded')).out, /Resource Quotas\n {2}Name: +team\n {2}Resource +Used +Hard\n[^]* {2}pods +1 +3\n[^]*Resource Limits\n Type +Resource/);
});

test('--as acts as somebody else, with groups and a UID, and is nobody without a name', async (t) => {
  const { barge } = cli;
  const whoami = { stdin: '{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}' };
  const asked = async (flags: string) => JSON.parse((await barge(`create -f - -o json ${flags}`, whoami)).out) as { readonly status: { readonly userInfo: unknown } };
  t.deepEqual((await asked('--as eve --as-group=a,b --as-group system:masters --as-uid=7')).status.userInfo, { username: 'eve', uid: '7', groups: ['a,b', 'system:masters', 'system:authenticated'] });
  t.deepEqual((await asked('')).status.userInfo, { username: 'admin', groups: ['system:masters', 'system:authenticated'] });
  const refused = await barge('get pods -n misc --as=eve');
  t.is(refused.code, 1);
  t.regex(refused.err, /User "eve" cannot list resource "pods"/);
  t.regex((await barge('get pods -n misc --context=bob --as=eve')).err, /User "bob" cannot impersonate resource "users"/);
  for (const flags of ['--as-group=a', '--as-uid=7']) {
    const { code, err } = await barge(`get pods ${flags}`);
    t.deepEqual([code, err], [1, `error: ${flags.split('=')[0]} needs --as: a group or UID alone is nobody to act as\n`]);
  }
});

test('explain, api-resources, version, config, completion, help', async (t) => {
  const { barge } = cli;
  t.regex((await barge('explain deployment.spec.replicas')).out, /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: replicas <integer>\n[^]*DESCRIPTION:\n {4}\S/);
  t.regex((await barge('explain pod --recursive')).out, /\n {2}spec\t<PodSpec>[^\n]*\n[^]*\n {4}containers\t<\[\]Container> -required-\n {6}args\t<\[\]string>/);
  t.regex((await barge('explain pod.spec.nope')).err, /field "nope" does not exist/);
  t.regex((await barge('api-resources')).out, /\ndeployments +deploy +apps\/v1 +true +Deployment\n/);
  t.true((await barge('api-versions')).out.split('\n').includes('apps/v1'));
  t.regex((await barge('version')).out, /^Client Version: v\S+\nServer Version: v1\.32\./);
  t.regex((await barge('config get-contexts')).out, /\n\* +admin +test +admin +\n +bob +test +bob +default\n/);
  t.notRegex((await barge('config view')).out, /BEGIN|LS0t/);
  t.is((await barge('complete -- rollout st')).out, 'status\n');
  t.is((await barge('complete -- get deploym')).out, 'deployments\n');
  t.is((await barge('completion bash')).code, 0);
  const help = await barge('--help');
  t.regex(help.out, /\n {2}get +Show objects/);
  for (const [, name] of help.out.matchAll(/^ {2}([a-z-]+) {2,}/gm)) t.regex((await barge([name!, '--help'])).out, /Usage:\n {2}barge /, name);
});

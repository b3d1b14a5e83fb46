import test from 'ava';
import { parseYaml } from '../../../cli/manifest-yaml.ts';
import { readStaticPod, type ReadPod } from '../../../kubelet-lite/static-pods/read-pod.ts';
import { nowMs } from '../views.ts';

const file = '/etc/pods/web.yaml';
const read = (text: string, more: { readonly file?: string; readonly nodeName?: string } = {}): ReadPod => readStaticPod({ file: more.file ?? file, text }, { nodeName: more.nodeName ?? 'n1', readManifest: parseYaml, nowMs });
const web = (spec: string, metadata = 'name: web'): string => `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec: {${spec}}\n`;
const plain = web('containers: [{name: main, image: web:1}]');

test('a pod of a file is named by its node, has defaults, a hash for a UID, and leaves by no taint', (t) => {
  const { pod, warnings } = read(plain);
  t.deepEqual(warnings, []);
  t.is(pod.metadata.name, 'web-n1');
  t.is(pod.metadata.namespace, 'default');
  t.regex(pod.metadata.uid!, /^[0-9a-f]{32}$/);
  t.deepEqual(pod.metadata.annotations, { 'kubernetes.io/config.source': 'file', 'kubernetes.io/config.hash': pod.metadata.uid! });
  t.is(pod.spec.nodeName, 'n1');
  t.deepEqual(pod.spec.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }]);
  t.like(pod.spec, { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' });
});

test('what the file says of labels, annotations and namespace stays; what only a server gives does not', (t) => {
  const { pod } = read(web('containers: [{name: main, image: web:1}]', "name: web, namespace: kube-system, labels: {app: web}, annotations: {a: b}, uid: mine, resourceVersion: '7', ownerReferences: [{apiVersion: v1, kind: Pod, name: x, uid: u1}]"));
  t.like(pod.metadata, { namespace: 'kube-system', labels: { app: 'web' } });
  t.is(pod.metadata.annotations?.['a'], 'b');
  t.not(pod.metadata.uid, 'mine');
  t.is(pod.metadata.ownerReferences, undefined);
});

test('another content, path or node is another pod; the same said otherwise is the same', (t) => {
  const { uid } = read(plain).pod.metadata;
  t.is(read(plain).pod.metadata.uid, uid);
  t.is(read(`# a comment\n${plain}`).pod.metadata.uid, uid);
  t.is(read(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'web:1' }] } })).pod.metadata.uid, uid);
  for (const other of [read(plain.replace('web:1', 'web:2')), read(plain, { file: '/etc/pods/other.yaml' }), read(plain, { nodeName: 'n2' })]) t.not(other.pod.metadata.uid, uid);
});

test('a field that nobody knows is told, and does no harm', (t) => {
  t.deepEqual(read(web('containers: [{name: main, image: web:1, imagee: x}]')).warnings, [`${file}: unknown field "spec.containers[0].imagee"`]);
});

const refusals: readonly (readonly [name: string, text: string, why: RegExp])[] = [
  ['no YAML', 'a: [', /^\/etc\/pods\/web\.yaml:\d+:\d+: /],
  ['nothing', '# nothing\n', /holds 0 documents$/],
  ['two pods', `${plain}---\n${plain}`, /must hold one pod, and this one holds 2 documents$/],
  ['another kind', 'apiVersion: apps/v1\nkind: Deployment\n', /^\/etc\/pods\/web\.yaml: apiVersion and kind must be v1 and Pod, and are "apps\/v1" and "Deployment"$/],
  ['a text', 'hello\n', /must be v1 and Pod, and are "" and ""$/],
  ['a wrong type', web('containers: none'), /^\/etc\/pods\/web\.yaml: .*spec\.containers/],
  ['no name', web('containers: [{name: main, image: web:1}]', 'labels: {a: b}'), /^\/etc\/pods\/web\.yaml: metadata\.name: Required value/],
  ['a wrong name', web('containers: [{name: main, image: web:1}]', 'name: Web'), /metadata\.name: Invalid value: "Web-n1"/],
  ['no containers, and a wrong policy', web('restartPolicy: Sometimes, containers: []'), /spec\.containers: Required value.*spec\.restartPolicy|spec\.restartPolicy.*spec\.containers: Required value/],
  ['a secret', web('containers: [{name: main, image: web:1, envFrom: [{secretRef: {name: s}}]}]'), /^\/etc\/pods\/web\.yaml: spec\.containers\[0\]\.envFrom\[0\]\.secretRef: static pods may not reference secrets$/],
  ['a config map and a claim', web('containers: [{name: main, image: web:1}], volumes: [{name: c, configMap: {name: c}}, {name: d, persistentVolumeClaim: {claimName: d}}]'),
    /spec\.volumes\[0\]\.configMap: static pods may not reference config maps; spec\.volumes\[1\]\.persistentVolumeClaim: static pods may not reference claims of volumes$/],
  ['an account', web('serviceAccountName: robot, containers: [{name: main, image: web:1}]'), /spec\.serviceAccountName: static pods may not reference service accounts/],
];
for (const [name, text, message] of refusals) test(`a file is refused with its name and the field: ${name}`, (t) => void t.throws(() => read(text), { message }));

/** What makes the cluster like a file, and what takes things away: apply, diff, kustomize, delete, wait. */
import { absent, type Case } from '../../helpers/contract.ts';

const configMap = (name: string, data: string, labels = ''): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${labels === '' ? '' : `, labels: {${labels}}`}}\ndata: {${data}}\n`;

const web = (replicas: number, image = 'example/app:1'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "${image}", ports: [{containerPort: 80}]}]
`;

const kustomization = {
  'kustomization.yaml': 'resources: [cm.yaml]\nnamePrefix: pre-\ncommonLabels: {made: by-kustomize}\nconfigMapGenerator:\n- {name: generated, literals: [a=b]}\n',
  'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata: {a: b}\n',
};

const pod = (name: string, more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {set: all}${more}}\nspec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "example/app:1"}]}\n`;

export const applying: readonly Case[] = [
  {
    verb: 'apply: three ways to one object, and what was applied last',
    files: { 'one.yaml': configMap('a', 'a: "1", b: "1"'), 'two.yaml': configMap('a', 'a: "2", c: "3"'), 'web.yaml': web(0), 'web2.yaml': web(0, 'example/app:2') },
    steps: [
      { run: 'apply -f one.yaml', says: 'configmap/a created\n', has: { 'configmaps/a': { data: { a: '1', b: '1' }, metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': /^\{"apiVersion":"v1","data":\{"a":"1","b":"1"\},"kind":"ConfigMap"/ } } } } },
      { run: 'apply -f one.yaml', says: 'configmap/a unchanged\n' },
      { run: 'patch configmap a --type=merge -p \'{"data":{"other":"mine"}}\'' },
      { run: 'apply -f two.yaml', says: 'configmap/a configured\n', has: { 'configmaps/a': { data: { a: '2', b: absent, c: '3', other: 'mine' } } } },
      { run: 'apply view-last-applied configmap a', says: /^apiVersion: v1\ndata:\n {2}a: "2"\n {2}c: "3"\nkind: ConfigMap\n/ },
      { run: 'apply view-last-applied configmap/a -o json', says: /"data": \{\n\s+"a": "2"/ },
      { run: 'apply set-last-applied -f one.yaml', says: 'configmap/a configured\n', has: { 'configmaps/a': { data: { a: '2' }, metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': /"b":"1"/ } } } } },
      { run: 'create configmap bare' },
      { run: 'apply set-last-applied -f - --create-annotation=true', input: configMap('bare', ''), says: 'configmap/bare configured\n', has: { 'configmaps/bare': { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': /"name":"bare"/ } } } } },
      { run: 'apply edit-last-applied configmap a', env: { KUBE_EDITOR: 'sed -i -e "s/b:.*/z: new/"' }, says: 'configmap/a edited\n', has: { 'configmaps/a': { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': /"z":"new"/ } } } } },
      { run: 'apply -f web.yaml', says: 'deployment.apps/web created\n' },
      { run: 'scale deployment web --replicas=1' },
      { run: 'apply -f web2.yaml --dry-run=server', says: 'deployment.apps/web configured (server dry run)\n', has: { 'deployments/web': { spec: { replicas: 1, template: { spec: { containers: [{ image: 'example/app:1' }] } } } } } },
      { run: 'apply -f web2.yaml --dry-run=client', says: 'deployment.apps/web configured (dry run)\n' },
      { run: 'apply -f web2.yaml', says: 'deployment.apps/web configured\n', has: { 'deployments/web': { spec: { replicas: 0, template: { spec: { containers: [{ image: 'example/app:2', ports: [{ containerPort: 80 }] }] } } } } } },
      { run: 'apply -f - -o name', input: configMap('named', 'a: b'), says: 'configmap/named\n' },
    ],
  },
  {
    verb: 'apply --server-side: from every version that has it',
    files: { 'one.yaml': configMap('a', 'a: "1", b: "1"'), 'two.yaml': configMap('a', 'a: "2"') },
    steps: [
      { run: 'apply --server-side -f one.yaml', says: 'configmap/a serverside-applied\n', has: { 'configmaps/a': { data: { a: '1', b: '1' }, metadata: { managedFields: [{ manager: 'kubectl', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } }] } } } },
      { run: 'apply --server-side --field-manager=second -f two.yaml', fails: /conflict with "kubectl"[^]*\.data\.a/, has: { 'configmaps/a': { data: { a: '1' } } } },
      { run: 'apply --server-side --field-manager=second --force-conflicts -f two.yaml', has: { 'configmaps/a': { data: { a: '2', b: '1' } } } },
      { run: 'apply --server-side -f -', input: configMap('a', 'c: "3"'), has: { 'configmaps/a': { data: { a: '2', b: absent, c: '3' } } } },
      { run: 'apply --server-side -f - --dry-run=server', input: configMap('a', 'd: "4"'), has: { 'configmaps/a': { data: { c: '3', d: absent } } } },
    ],
  },
  {
    verb: 'apply --prune',
    files: { 'all/a.yaml': configMap('a', 'a: b', 'part: web'), 'all/b.yaml': configMap('b', 'a: b', 'part: web'), 'less/a.yaml': configMap('a', 'a: b', 'part: web') },
    steps: [
      { run: 'apply -f all -l part=web', says: 'configmap/a created\nconfigmap/b created\n' },
      { run: 'create configmap other' },
      { run: 'label configmap other part=web' },
      { run: 'apply -f less --prune -l part=web --prune-whitelist=core/v1/ConfigMap', until: 26, says: /configmap\/a unchanged\nconfigmap\/b pruned\n/, has: { 'configmaps/a': {}, 'configmaps/other': {} }, lacks: ['configmaps/b'] },
      { run: 'apply -f less --prune -l part=web --prune-allowlist=core/v1/ConfigMap', since: 27, says: /configmap\/a unchanged\nconfigmap\/b pruned\n/, has: { 'configmaps/a': {}, 'configmaps/other': {} }, lacks: ['configmaps/b'] },
    ],
  },
  {
    verb: 'apply --prune: with the default list, and by an apply set',
    since: 27,
    files: { 'all/a.yaml': configMap('a', 'a: b', 'part: web'), 'all/b.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: b, labels: {part: web}}\n`, 'less/a.yaml': configMap('a', 'a: b', 'part: web') },
    steps: [
      { run: 'apply -f all', says: 'configmap/a created\nsecret/b created\n' },
      { run: 'apply -n {ns} -f less --prune -l part=web', says: /secret\/b pruned\n/, lacks: ['secrets/b'], has: { 'configmaps/a': {} } },
      { run: 'delete configmap a' },
      { run: 'apply -n {ns} -f all --prune --applyset=mine --server-side', env: { KUBECTL_APPLYSET: 'true' }, says: /configmap\/a serverside-applied\nsecret\/b serverside-applied\n/, has: { 'secrets/mine': { metadata: { labels: { 'applyset.kubernetes.io/id': /^applyset-/ } } }, 'secrets/b': { metadata: { labels: { 'applyset.kubernetes.io/part-of': /^applyset-/ } } } } },
      { run: 'apply -n {ns} -f less --prune --applyset=mine --server-side', env: { KUBECTL_APPLYSET: 'true' }, says: /secret\/b pruned\n/, lacks: ['secrets/b'], has: { 'configmaps/a': {}, 'secrets/mine': {} } },
    ],
  },
  {
    verb: 'diff',
    files: { 'one.yaml': configMap('a', 'a: "1"'), 'two.yaml': configMap('a', 'a: "2"'), 'new.yaml': configMap('new', 'x: "9"') },
    steps: [
      { run: 'apply -f one.yaml' },
      { run: 'diff -f one.yaml', says: '' },
      { run: 'diff -f two.yaml', code: 1, says: /\n- {2}a: "1"\n\+ {2}a: "2"\n/, has: { 'configmaps/a': { data: { a: '1' } } } },
      { run: 'diff -f new.yaml', code: 1, says: /\n\+data:\n\+ {2}x: "9"\n/, lacks: ['configmaps/new'] },
      { run: 'diff --server-side --force-conflicts -f two.yaml', code: 1, says: /\n- {2}a: "1"\n\+ {2}a: "2"\n/ },
    ],
  },
  {
    verb: 'kustomize, and apply -k',
    files: kustomization,
    steps: [
      { run: 'kustomize .', says: /name: pre-base\n[^]*name: pre-generated-\w+|name: pre-generated-\w+[^]*name: pre-base\n/ },
      { run: 'apply -k .', says: /configmap\/pre-base created\n/, has: { 'configmaps/pre-base': { metadata: { labels: { made: 'by-kustomize' } }, data: { a: 'b' } } } },
      { run: 'diff -k .', says: '' },
      { run: 'get -k . -o name', says: /configmap\/pre-base\n/ },
      { run: 'delete -k .', says: /configmap "pre-base" deleted/, lacks: ['configmaps/pre-base'] },
    ],
  },
  {
    verb: 'delete: by name, file, label, all; dry runs; what is not there',
    files: { 'a.yaml': configMap('a', 'a: b') },
    steps: [
      { run: 'create -f a.yaml' },
      { run: 'create configmap b' },
      { run: 'create configmap c' },
      { run: 'create configmap d' },
      { run: 'label configmap c d gone=soon' },
      { run: 'delete configmap a --dry-run=server', says: /^configmap "a" deleted (from \S+ namespace )?\(server dry run\)\n$/, has: { 'configmaps/a': {} } },
      { run: 'delete configmap a --dry-run=client', says: /\(dry run\)\n$/, has: { 'configmaps/a': {} } },
      { run: 'delete -f a.yaml', says: /^configmap "a" deleted/, lacks: ['configmaps/a'] },
      { run: 'delete -f a.yaml', fails: /^Error from server \(NotFound\): error when deleting "a\.yaml": configmaps "a" not found\n$/ },
      { run: 'delete -f a.yaml --ignore-not-found', says: '' },
      { run: 'delete configmap -l gone=soon -o name', says: 'configmap/c\nconfigmap/d\n', lacks: ['configmaps/c', 'configmaps/d'], has: { 'configmaps/b': {} } },
      { run: 'delete configmap --field-selector=metadata.name=b', says: /^configmap "b" deleted/, lacks: ['configmaps/b'] },
      { run: 'create secret generic s' },
      { run: 'delete secrets,configmaps --all', says: /secret "s" deleted/, lacks: ['secrets/s'] },
      { run: 'delete --raw /api/v1/namespaces/{ns}/secrets/s', fails: /NotFound/ },
      { run: 'delete configmap nobody --now', fails: /NotFound/ },
    ],
  },
  {
    verb: 'delete: grace, force, finalizers and waiting',
    files: { 'held.yaml': pod('held', ', finalizers: [example.com/hold]'), 'quick.yaml': pod('quick'), 'slow.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: slow}\nspec: {nodeName: nowhere, terminationGracePeriodSeconds: 600, containers: [{name: c, image: "example/app:1"}]}\n' },
    steps: [
      { run: 'create -f quick.yaml' },
      { run: 'delete pod quick', says: /^pod "quick" deleted/, lacks: ['pods/quick'] },
      { run: 'create -f held.yaml' },
      { run: 'delete pod held --wait=false', says: /^pod "held" deleted/, has: { 'pods/held': { metadata: { deletionTimestamp: /^\d{4}-/, finalizers: ['example.com/hold'] } } } },
      { run: 'delete pod held --timeout=1s', fails: /timed out waiting for the condition/ },
      { run: 'patch pod held --type=merge -p \'{"metadata":{"finalizers":null}}\'', lacks: ['pods/held'], withinSeconds: 1 },
      { run: 'create -f slow.yaml' },
      { run: 'delete pod slow --wait=false', has: { 'pods/slow': { metadata: { deletionGracePeriodSeconds: 600 } } } },
      { run: 'delete pod slow --wait=false --grace-period=5', has: { 'pods/slow': { metadata: { deletionGracePeriodSeconds: 5 } } } },
      { run: 'delete pod slow --grace-period=0 --force', warns: /[Ii]mmediate deletion does not wait/, lacks: ['pods/slow'] },
    ],
  },
  {
    verb: 'delete: background, foreground and orphan',
    files: { 'web.yaml': web(1) },
    steps: [
      { run: 'create -f web.yaml' },
      { run: 'wait --for=condition=Available deployment/web --timeout=60s', says: 'deployment.apps/web condition met\n' },
      { run: 'delete deployment web --cascade=orphan', lacks: ['deployments/web'] },
      { run: 'get replicaset -l app=web -o jsonpath={.items[0].metadata.ownerReferences}', says: '' },
      { run: 'get pod -l app=web -o jsonpath={.items[0].status.phase}', says: 'Running' },
      // The same selector and template: the orphans are taken over.
      { run: 'create -f web.yaml' },
      { run: 'get replicaset -l app=web -o jsonpath={.items[*].metadata.ownerReferences[0].kind}', says: 'Deployment', withinSeconds: 15 },
      { run: 'delete deployment web --cascade=foreground --timeout=60s', lacks: ['deployments/web'] },
      { run: 'get pod,replicaset -o name', says: '' },
      { run: 'create -f web.yaml' },
      { run: 'wait --for=condition=Available deployment/web --timeout=60s' },
      { run: 'delete deployment web', lacks: ['deployments/web'] },
      { run: 'get pod,replicaset -o name', says: '', withinSeconds: 15 },
      { run: 'delete namespace {ns} --timeout=60s', lacks: ['namespaces/{ns}', 'configmaps/kube-root-ca.crt'] },
    ],
  },
  {
    verb: 'wait: for conditions, values, deletion and creation',
    files: { 'web.yaml': web(1), 'quick.yaml': pod('quick') },
    steps: [
      { run: 'create -f web.yaml -f quick.yaml' },
      { run: 'wait --for=condition=Available deployment web --timeout=60s', says: 'deployment.apps/web condition met\n' },
      { run: 'wait --for=condition=Ready pod -l app=web --timeout=60s', says: /^pod\/web-\S+ condition met\n$/ },
      { run: 'wait --for=condition=Available=false deployment web --timeout=1s', fails: /timed out waiting for the condition on deployments\/web/ },
      { run: 'wait --for=jsonpath={.status.phase}=Running pod/quick --timeout=60s', since: 23, says: 'pod/quick condition met\n' },
      { run: 'wait --for=jsonpath={.status.podIP} pod/quick --timeout=60s', since: 31, says: 'pod/quick condition met\n' },
      { run: 'wait --for=create pod/quick --timeout=5s', since: 31, says: 'pod/quick condition met\n' },
      { run: 'wait --for=delete pod/quick --timeout=60s', meanwhile: 'delete pod quick --wait=false', lacks: ['pods/quick'] },
      { run: 'wait --for=create pod/quick --timeout=60s', since: 31, meanwhile: 'create -f quick.yaml', says: 'pod/quick condition met\n' },
      { run: 'delete pod quick --ignore-not-found' },
      { run: 'wait --for=condition=Ready pod/quick --timeout=1s', fails: /NotFound|not found/ },
    ],
  },
];

/** What changes objects: label, annotate, patch, set, scale, edit, replace, taint, cordon, drain, rollout. */
import { absent, type Case } from '../../helpers/contract.ts';

const deployment = (replicas = 0, labels = 'app: web'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {${labels}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: web, image: "example/app:1", env: [{name: A, value: a}, {name: B, value: b}], ports: [{name: http, containerPort: 80}]}
      - {name: side, image: "example/side:1"}
`;

const node = '{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-{minor}-{ns}"}}';
const container = (parts: object): object => ({ spec: { template: { spec: { containers: [parts, { name: 'side' }] } } } });
const editor = (script: string): Readonly<Record<string, string>> => ({ KUBE_EDITOR: `sed -i -e '${script}'` });

export const changing: readonly Case[] = [
  {
    verb: 'label and annotate',
    steps: [
      { run: 'create configmap a' },
      { run: 'create configmap b' },
      { run: 'label configmap a b tier=front x=y', says: 'configmap/a labeled\nconfigmap/b labeled\n', has: { 'configmaps/a': { metadata: { labels: { tier: 'front', x: 'y' } } }, 'configmaps/b': { metadata: { labels: { tier: 'front' } } } } },
      { run: 'label configmap a tier=back', fails: /'tier' already has a value \(front\), and --overwrite is false/, has: { 'configmaps/a': { metadata: { labels: { tier: 'front' } } } } },
      { run: 'label configmap a tier=back --overwrite x-', says: /^configmap\/a labeled\n$/, has: { 'configmaps/a': { metadata: { labels: { tier: 'back', x: absent } } } } },
      { run: 'label configmap -l tier=front only=b', says: 'configmap/b labeled\n', has: { 'configmaps/a': { metadata: { labels: { only: absent } } }, 'configmaps/b': { metadata: { labels: { only: 'b' } } } } },
      { run: 'label configmap --all --overwrite every=one', says: /configmap\/a labeled\nconfigmap\/b labeled\n/ },
      { run: 'label configmap a tier=front --overwrite --resource-version=1', fails: /Conflict.*the object has been modified/ },
      { run: 'label configmap a dry=yes --dry-run=server', has: { 'configmaps/a': { metadata: { labels: { dry: absent } } } } },
      { run: 'label configmap b tier- x- only- every-', says: /^configmap\/b (un)?labeled\n$/, has: { 'configmaps/b': { metadata: { labels: absent } } } },
      { run: 'label configmap a --list', says: /tier=back/ },
      { run: 'label configmap a Bad/Key/Here=1', fails: /./ },
      { run: 'annotate configmap a note=\'two words\'', says: /configmap\/a annotated/, has: { 'configmaps/a': { metadata: { annotations: { note: 'two words' } } } } },
      { run: 'annotate configmap a note=other', fails: /--overwrite is false/ },
      { run: 'annotate configmap a note-', says: 'configmap/a annotated\n', has: { 'configmaps/a': { metadata: { annotations: absent } } } },
      { run: 'annotate configmap --all --overwrite note=all', has: { 'configmaps/b': { metadata: { annotations: { note: 'all' } } } } },
    ],
  },
  {
    verb: 'patch: every type, and subresources',
    files: { 'web.yaml': deployment(), 'patch.yaml': 'metadata: {labels: {from: file}}\n' },
    steps: [
      { run: 'create -f web.yaml' },
      { run: 'patch deployment web -p \'{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"example/app:2"}]}}}}\'', says: 'deployment.apps/web patched\n', has: { 'deployments/web': container({ image: 'example/app:2', env: [{ name: 'A' }, { name: 'B' }] }) } },
      { run: 'patch deployment web -p \'{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","$patch":"delete"}]}]}}}}\'', has: { 'deployments/web': container({ env: [{ name: 'B', value: 'b' }] }) } },
      { run: 'patch deployment web --type=merge -p \'{"metadata":{"labels":{"app":null,"tier":"x"}}}\'', has: { 'deployments/web': { metadata: { labels: { app: absent, tier: 'x' } } } } },
      { run: 'patch deployment web --type=merge -p \'{"metadata":{"labels":{"tier":"x"}}}\'', says: 'deployment.apps/web patched (no change)\n' },
      { run: 'patch deployment web --type=json -p \'[{"op":"test","path":"/spec/replicas","value":0},{"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"C","value":"c"}}]\'', has: { 'deployments/web': container({ env: [{ name: 'B' }, { name: 'C' }] }) } },
      { run: 'patch deployment web --type=json -p \'[{"op":"test","path":"/spec/replicas","value":7}]\'', fails: /The request is invalid: .*\/spec\/replicas/ },
      { run: 'patch deployment web -p \'{"spec":{"replicas":-1}}\'', fails: /The Deployment "web" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0/ },
      { run: 'patch deployment web -p \'{"spec":{"selector":{"matchLabels":{"app":"other"}}}}\'', fails: /spec\.selector: Invalid value: .*field is immutable/ },
      { run: 'patch -f web.yaml -p \'{"metadata":{"annotations":{"by":"file"}}}\'', has: { 'deployments/web': { metadata: { annotations: { by: 'file' } } } } },
      { run: 'patch deployment web --patch-file=patch.yaml', since: 21, has: { 'deployments/web': { metadata: { labels: { from: 'file' } } } } },
      { run: 'patch deployment web -p \'{"metadata":{"labels":{"dry":"run"}}}\' --dry-run=server', has: { 'deployments/web': { metadata: { labels: { dry: absent } } } } },
      { run: 'patch deployment web --subresource=scale --type=merge -p \'{"spec":{"replicas":4}}\'', since: 24, says: 'scale.autoscaling/web patched\n', has: { 'deployments/web': { spec: { replicas: 4 } } } },
      { run: 'create service loadbalancer lb --tcp=80' },
      { run: 'patch service lb --subresource=status --type=merge -p \'{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}},"spec":{"type":"ClusterIP"}}\'', since: 24, has: { 'services/lb': { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } } } },
      { run: 'patch deployment nobody -p {}', fails: /Error from server \(NotFound\): deployments\.apps "nobody" not found/ },
    ],
  },
  {
    verb: 'set: image, env, resources, selector, serviceaccount, subject',
    files: { 'web.yaml': deployment() },
    steps: [
      { run: 'create -f web.yaml' },
      { run: 'set image deployment/web web=example/app:2 side=example/side:2', says: 'deployment.apps/web image updated\n', has: { 'deployments/web': { spec: { template: { spec: { containers: [{ image: 'example/app:2', env: [{}, {}] }, { image: 'example/side:2' }] } } } } } },
      { run: 'set image deployment/web \'*=example/all:1\'', has: { 'deployments/web': { spec: { template: { spec: { containers: [{ image: 'example/all:1' }, { image: 'example/all:1' }] } } } } } },
      { run: 'set image deployment/web nobody=example/app:3', fails: /unable to find container named "nobody"/ },
      { run: 'set env deployment/web -c web C=c B-', says: 'deployment.apps/web env updated\n', has: { 'deployments/web': container({ env: [{ name: 'A', value: 'a' }, { name: 'C', value: 'c' }] }) } },
      { run: 'set env deployment/web --list', says: /A=a\nC=c/ },
      { run: 'create configmap settings --from-literal=colour=red' },
      { run: 'set env deployment/web -c web --from=configmap/settings --prefix=MY_', has: { 'deployments/web': container({ env: [{ name: 'A' }, { name: 'C' }, { name: 'MY_COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }] }) } },
      { run: 'set resources deployment web -c web --limits=cpu=200m,memory=64Mi --requests=cpu=100m', says: 'deployment.apps/web resource requirements updated\n', has: { 'deployments/web': container({ resources: { limits: { cpu: '200m', memory: '64Mi' }, requests: { cpu: '100m' } } }) } },
      { run: 'create service clusterip web --tcp=80' },
      { run: 'set selector service web app=other', says: 'service/web selector updated\n', has: { 'services/web': { spec: { selector: { app: 'other' } } } } },
      { run: 'set serviceaccount deployment web robot', says: 'deployment.apps/web serviceaccount updated\n', has: { 'deployments/web': { spec: { template: { spec: { serviceAccountName: 'robot', serviceAccount: 'robot' } } } } } },
      { run: 'create rolebinding readers --clusterrole=view --user=dora' },
      { run: 'set subject rolebinding readers --user=nora --group=team --serviceaccount={ns}:robot', says: 'rolebinding.rbac.authorization.k8s.io/readers subjects updated\n', has: { 'rolebindings/readers': { subjects: [{ name: 'dora' }, { name: 'nora' }, { kind: 'Group', name: 'team' }, { kind: 'ServiceAccount', name: 'robot', namespace: '{ns}' }] } } },
      { run: 'set image deployment/web web=example/dry:1 --dry-run=server', has: { 'deployments/web': container({ image: 'example/all:1' }) } },
    ],
  },
  {
    verb: 'scale',
    files: { 'web.yaml': deployment() },
    steps: [
      { run: 'create -f web.yaml' },
      { run: 'scale deployment web --replicas=3', says: 'deployment.apps/web scaled\n', has: { 'deployments/web': { spec: { replicas: 3 } } } },
      { run: 'scale deployment web --replicas=5 --current-replicas=2', fails: /Expected replicas to be 2, was 3/i, has: { 'deployments/web': { spec: { replicas: 3 } } } },
      { run: 'scale deployment web --replicas=2 --current-replicas=3', says: 'deployment.apps/web scaled\n', has: { 'deployments/web': { spec: { replicas: 2 } } } },
      { run: 'scale deployment web --replicas=9 --resource-version=1', fails: /(Expected resource version to be 1|the object has been modified)/i, has: { 'deployments/web': { spec: { replicas: 2 } } } },
      { run: 'scale -f web.yaml --replicas=1', says: 'deployment.apps/web scaled\n', has: { 'deployments/web': { spec: { replicas: 1 } } } },
      { run: 'get replicaset -l app=web -o jsonpath={.items[*].spec.replicas}', says: '1', withinSeconds: 10 },
      { run: 'scale deployment web --replicas=2 --timeout=60s', says: 'deployment.apps/web scaled\n' },
      { run: 'scale deployment --all --replicas=0', says: 'deployment.apps/web scaled\n', has: { 'deployments/web': { spec: { replicas: 0 } } } },
      { run: 'scale deployment web --replicas=4 --dry-run=server', has: { 'deployments/web': { spec: { replicas: 0 } } } },
      { run: 'scale configmap kube-root-ca.crt --replicas=1', fails: /could not find the requested resource/ },
    ],
  },
  {
    verb: 'edit',
    steps: [
      { run: 'create configmap a --from-literal=size=big' },
      { run: 'edit configmap a', env: editor('s/big/small/'), says: 'configmap/a edited\n', has: { 'configmaps/a': { data: { size: 'small' } } } },
      { run: 'edit configmap a -o json', env: editor('s/small/tiny/'), has: { 'configmaps/a': { data: { size: 'tiny' } } } },
      { run: 'edit configmap a', env: editor('s/nothing/else/'), warns: /Edit cancelled, no changes made\./ },
      { run: 'create deployment web --image=example/app:1 --replicas=0' },
      // What the server refuses is kept in a file, and its path is said.
      { run: 'edit deployment web', env: { KUBE_EDITOR: 'sh -c \'grep -q "is invalid" "$0" && exit 0; sed -i "s/replicas: 0/replicas: -1/" "$0"\'' }, fails: /spec\.replicas|is invalid|Edit cancelled/ },
      { run: 'edit deployment web', env: editor('s,example/app:1,example/app:2,'), says: 'deployment.apps/web edited\n', has: { 'deployments/web': { spec: { template: { spec: { containers: [{ image: 'example/app:2' }] } } } } } },
      { run: 'edit deployment web --subresource=status', since: 30, env: editor('s/observedGeneration:.*/observedGeneration: 77/'), says: /edited/ },
    ],
  },
  {
    verb: 'replace',
    files: {
      'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "1"}\n', 'changed.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: why}}\ndata: {b: "2"}\n',
      'stale.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, resourceVersion: "1"}\n', 'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "example/app:1"}]}\n',
      'pod2.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {terminationGracePeriodSeconds: 0, containers: [{name: other, image: "example/app:1"}]}\n',
    },
    steps: [
      { run: 'replace -f a.yaml', fails: /NotFound/, lacks: ['configmaps/a'] },
      { run: 'create -f a.yaml' },
      { run: 'replace -f changed.yaml', says: 'configmap/a replaced\n', has: { 'configmaps/a': { metadata: { labels: { x: 'why' } }, data: { a: absent, b: '2' } } } },
      { run: 'replace -f stale.yaml', fails: /Conflict.*the object has been modified/, has: { 'configmaps/a': { data: { b: '2' } } } },
      { run: 'create -f pod.yaml' },
      { run: 'replace -f pod2.yaml', fails: /Forbidden: pod updates may not|Invalid|is invalid/ },
      { run: 'replace --force -f pod2.yaml', says: /^pod "p" deleted.*\npod\/p replaced\n$/, has: { 'pods/p': { metadata: { deletionTimestamp: absent }, spec: { containers: [{ name: 'other' }] } } } },
      { run: 'replace --raw /api/v1/namespaces/{ns}/configmaps/a -f a.yaml', fails: /./ },
    ],
  },
  {
    verb: 'taint, cordon, uncordon',
    files: { 'node.json': node },
    steps: [
      { run: 'create -f node.json' },
      { run: 'taint node node-{minor}-{ns} role=db:NoSchedule', says: 'node/node-{minor}-{ns} tainted\n' },
      { run: 'get node node-{minor}-{ns} -o jsonpath=\'{.spec.taints[?(@.key=="role")]}\'', says: '{"effect":"NoSchedule","key":"role","value":"db"}' },
      { run: 'taint node node-{minor}-{ns} role=other:NoSchedule', fails: /already has role taint\(s\) with same effect\(s\) and --overwrite is false/ },
      { run: 'taint node node-{minor}-{ns} role=other:NoSchedule --overwrite', says: 'node/node-{minor}-{ns} modified\n' },
      { run: 'taint node node-{minor}-{ns} role:NoSchedule-', says: 'node/node-{minor}-{ns} untainted\n' },
      { run: 'get node node-{minor}-{ns} -o jsonpath=\'{.spec.taints[?(@.key=="role")]}\'', says: '' },
      { run: 'cordon node-{minor}-{ns}', says: 'node/node-{minor}-{ns} cordoned\n', has: { 'nodes/node-{minor}-{ns}': { spec: { unschedulable: true } } } },
      { run: 'cordon node-{minor}-{ns}', says: 'node/node-{minor}-{ns} already cordoned\n' },
      { run: 'get node node-{minor}-{ns}', says: /SchedulingDisabled/ },
      { run: 'get node node-{minor}-{ns} -o jsonpath=\'{.spec.taints[?(@.key=="node.kubernetes.io/unschedulable")].effect}\'', says: 'NoSchedule', withinSeconds: 10 },
      { run: 'uncordon node-{minor}-{ns}', says: 'node/node-{minor}-{ns} uncordoned\n', has: { 'nodes/node-{minor}-{ns}': { spec: { unschedulable: absent } } } },
      { run: 'delete node node-{minor}-{ns}', lacks: ['nodes/node-{minor}-{ns}'] },
    ],
  },
  {
    verb: 'rollout: status, history, undo, restart, pause, resume',
    files: { 'web.yaml': deployment(2) },
    steps: [
      { run: 'create -f web.yaml' },
      { run: 'rollout status deployment/web --timeout=60s', says: /deployment "web" successfully rolled out\n$/, has: { 'deployments/web': { metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } }, status: { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2, availableReplicas: 2 } } } },
      { run: 'set image deployment/web web=example/app:2' },
      { run: 'annotate deployment/web kubernetes.io/change-cause=\'to the second\'' },
      { run: 'rollout status deployment/web --timeout=60s', says: /successfully rolled out/ },
      { run: 'rollout history deployment/web', says: /^deployment\.apps\/web ?\nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +to the second\n\n$/, withinSeconds: 10 },
      { run: 'rollout history deployment/web --revision=2', says: /with revision #2[^]*Image:\texample\/app:2/ },
      { run: 'rollout history deployment/web --revision=9', fails: /unable to find the specified revision/ },
      { run: 'rollout undo deployment/web', says: 'deployment.apps/web rolled back\n', has: { 'deployments/web': container({ image: 'example/app:1' }) } },
      { run: 'rollout status deployment/web --timeout=60s', says: /successfully rolled out/ },
      { run: 'get deployment web -o jsonpath=\'{.metadata.annotations.deployment\\.kubernetes\\.io/revision}\'', says: '3', withinSeconds: 10 },
      { run: 'rollout undo deployment/web --to-revision=2', has: { 'deployments/web': container({ image: 'example/app:2' }) } },
      { run: 'rollout undo deployment/web --to-revision=9', fails: /unable to find specified revision 9 in history/ },
      { run: 'rollout restart deployment/web', says: 'deployment.apps/web restarted\n', has: { 'deployments/web': { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': /^\d{4}-/ } } } } } } },
      { run: 'rollout status deployment/web --timeout=60s', says: /successfully rolled out/ },
      { run: 'rollout pause deployment/web', says: 'deployment.apps/web paused\n', has: { 'deployments/web': { spec: { paused: true } } } },
      { run: 'rollout pause deployment/web', fails: /is already paused/ },
      { run: 'rollout restart deployment/web', fails: /can't restart paused deployment/ },
      { run: 'set image deployment/web web=example/app:9' },
      { run: 'get replicaset -l app=web -o jsonpath={.items[*].spec.template.spec.containers[0].image}', says: /^(?!.*app:9)/ },
      { run: 'rollout resume deployment/web', says: 'deployment.apps/web resumed\n', has: { 'deployments/web': { spec: { paused: absent } } } },
      { run: 'rollout status deployment/web --timeout=60s', says: /successfully rolled out/ },
      { run: 'get replicaset -l app=web -o jsonpath={.items[?(@.spec.replicas==2)].spec.template.spec.containers[0].image}', says: 'example/app:9', withinSeconds: 10 },
      { run: 'rollout status deployment/nobody', fails: /deployments\.apps "nobody" not found/ },
    ],
  },
  {
    verb: 'drain: evicts what may go, and only that',
    serially: true,
    files: {
      'web.yaml': deployment(1, 'app: web, drain: "{ns}"'),
      'bare.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: bare, labels: {drain: "{ns}"}}\nspec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "example/app:1"}], volumes: [{name: v, emptyDir: {}}]}\n',
    },
    steps: [
      { run: 'create -f web.yaml -f bare.yaml' },
      { run: 'wait --for=condition=Ready pod --all --timeout=60s' },
      { run: 'get pods -o jsonpath={.items[0].spec.nodeName}', says: /./ },
      { run: 'drain -l kubernetes.io/os=linux --pod-selector=app=web,drain={ns} --timeout=60s', says: /evicting pod {ns}\/web-|pod\/web-\S+ evicted[^]*node\/\S+ (drained|evicted)/ },
      { run: 'get nodes', says: /Ready,SchedulingDisabled/ },
      { run: 'get pods -l app=web -o jsonpath={.items[*].spec.nodeName}', says: '', withinSeconds: 10 },
      { run: 'get pod bare -o jsonpath={.status.phase}', says: 'Running' },
      { run: 'drain -l kubernetes.io/os=linux --pod-selector=!app,drain={ns} --timeout=5s', fails: /cannot delete [^]*{ns}\/bare/ },
      { run: 'drain -l kubernetes.io/os=linux --pod-selector=!app,drain={ns} --force --delete-emptydir-data --timeout=60s', lacks: ['pods/bare'] },
      { run: 'uncordon -l kubernetes.io/os=linux', says: /uncordoned/ },
      { run: 'rollout status deployment/web --timeout=60s' },
    ],
  },
];

/** What makes objects: create and its generators, run, expose, autoscale. */
import { absent, type Case } from '../../helpers/contract.ts';

const never = (name: string): string => `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"${name}"},"spec":{"containers":[{"name":"c","image":"i"}]}}`;

export const creating: readonly Case[] = [
  {
    verb: 'create: from files, a folder and standard input',
    files: {
      'one.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n',
      'many/two.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"two"}}',
      'many/three.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: three}\nstringData: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: four}\n',
      'unknown.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: five}\nfoo: bar\n',
      'generated.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: some-}\n',
    },
    steps: [
      { run: 'create -f one.yaml', says: 'configmap/one created\n', has: { 'configmaps/one': { metadata: { namespace: '{ns}', labels: absent }, data: { a: 'b' } } } },
      { run: 'create -f one.yaml', fails: /^Error from server \(AlreadyExists\): error when creating "one\.yaml": configmaps "one" already exists\n$/ },
      { run: 'create -f many', says: /secret\/three created\nconfigmap\/four created\nconfigmap\/two created\n/, has: { 'configmaps/two': {}, 'configmaps/four': {}, 'secrets/three': { type: 'Opaque', data: { a: 'Yg==' }, stringData: absent } } },
      { run: 'create -f -', input: never('piped'), says: 'pod/piped created\n', has: { 'pods/piped': { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', serviceAccountName: 'default', containers: [{ imagePullPolicy: 'Always', volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }] } } } },
      { run: 'create -f generated.yaml', says: /^configmap\/some-[bcdfghjklmnpqrstvwxz2456789]{5} created\n$/ },
      { run: 'create -f unknown.yaml', fails: /unknown field "foo"/, lacks: ['configmaps/five'] },
      { run: 'create -f unknown.yaml --validate=false', says: 'configmap/five created\n', has: { 'configmaps/five': { foo: absent } } },
      { run: 'create -f one.yaml -n nowhere', fails: /^Error from server \(NotFound\): error when creating "one\.yaml": namespaces "nowhere" not found\n$/ },
      { run: 'create --raw /api/v1/namespaces/{ns}/configmaps -f -', input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}', has: { 'configmaps/raw': {} } },
    ],
  },
  {
    verb: 'create: dry runs leave nothing, and say what would be',
    steps: [
      { run: 'create configmap dry --from-literal=a=b --dry-run=client -o yaml', says: /^apiVersion: v1\ndata:\n {2}a: b\nkind: ConfigMap\nmetadata:\n(?: {2}creationTimestamp: null\n)? {2}name: dry\n(?: {2}namespace: {ns}\n)?$/, lacks: ['configmaps/dry'] },
      { run: 'create configmap dry --from-literal=a=b --dry-run=server -o jsonpath={.metadata.uid}', says: /^[0-9a-f-]{36}$/, lacks: ['configmaps/dry'] },
      { run: 'create configmap dry --from-literal=a=b --dry-run=server', says: 'configmap/dry created (server dry run)\n', lacks: ['configmaps/dry'] },
      { run: 'create deployment dry --image=i --dry-run=server -o jsonpath={.spec.progressDeadlineSeconds}', says: '600', lacks: ['deployments/dry'] },
    ],
  },
  {
    verb: 'create configmap and secret',
    files: { 'a.txt': 'text of a\n', 'settings.env': 'ONE=1\nTWO=2\n', 'folder/x': 'x', 'folder/y': 'y', 'docker.json': '{"auths":{"registry.example":{"auth":"bWU6aXQ="}}}' },
    steps: [
      { run: 'create configmap files --from-file=a.txt --from-file=renamed=a.txt --from-file=folder', says: 'configmap/files created\n', has: { 'configmaps/files': { data: { 'a.txt': 'text of a\n', renamed: 'text of a\n', x: 'x', y: 'y' } } } },
      { run: 'create configmap env --from-env-file=settings.env', has: { 'configmaps/env': { data: { ONE: '1', TWO: '2' } } } },
      { run: 'create configmap hashed --from-literal=a=b --append-hash', says: /^configmap\/hashed-\w{10} created\n$/ },
      { run: 'create secret generic plain --from-literal=a=b --type=example.com/mine', says: 'secret/plain created\n', has: { 'secrets/plain': { type: 'example.com/mine', data: { a: 'Yg==' } } } },
      { run: 'create secret docker-registry pull --docker-server=registry.example --docker-username=me --docker-password=it --docker-email=me@example.com', has: { 'secrets/pull': { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': /^eyJhdXRocyI6/ } } } },
      { run: 'create secret tls pair --cert={data}/pki/apiserver.crt --key={data}/pki/apiserver.key', says: 'secret/pair created\n', has: { 'secrets/pair': { type: 'kubernetes.io/tls', data: { 'tls.crt': /^LS0tLS1CRUdJTi/, 'tls.key': /^LS0tLS1CRUdJTi/ } } } },
      { run: 'create secret generic bad --type=kubernetes.io/tls --from-literal=a=b', fails: /Secret "bad" is invalid:[^]*data\[tls\.crt\]: Required value[^]*data\[tls\.key\]: Required value/, lacks: ['secrets/bad'] },
    ],
  },
  {
    verb: 'create workloads: deployment, job, cronjob',
    steps: [
      { run: 'create deployment web --image=example/app:1 --replicas=0 --port=8080', says: 'deployment.apps/web created\n', has: { 'deployments/web': { spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }, template: { spec: { containers: [{ name: 'app', image: 'example/app:1', imagePullPolicy: 'IfNotPresent', ports: [{ containerPort: 8080, protocol: 'TCP' }] }] } } } } } },
      { run: 'create job once --image=example/app -- echo hello', says: 'job.batch/once created\n', has: { 'jobs/once': { spec: { parallelism: 1, completions: 1, backoffLimit: 6, template: { spec: { restartPolicy: 'Never', containers: [{ command: ['echo', 'hello'] }] } } } } } },
      { run: 'create cronjob often --image=example/app --schedule=\'*/5 * * * *\' -- date', says: 'cronjob.batch/often created\n', has: { 'cronjobs/often': { spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, jobTemplate: { spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [{ command: ['date'] }] } } } } } } }, since: 21 },
      { run: 'create job manual --from=cronjob/often', says: 'job.batch/manual created\n', has: { 'jobs/manual': { metadata: { annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' }, ownerReferences: [{ kind: 'CronJob', name: 'often', controller: true }] }, spec: { template: { spec: { containers: [{ command: ['date'] }] } } } } }, since: 21 },
      { run: 'create cronjob wrong --image=example/app --schedule=sometimes', fails: /CronJob\.batch "wrong" is invalid: spec\.schedule: Invalid value: "sometimes"/, lacks: ['cronjobs/wrong'], since: 21 },
    ],
  },
  {
    verb: 'create services and ingress',
    steps: [
      { run: 'create service clusterip web --tcp=80:8080 --tcp=443', says: 'service/web created\n', has: { 'services/web': { spec: { type: 'ClusterIP', clusterIP: /^10\.96\./, selector: { app: 'web' }, sessionAffinity: 'None', ipFamilies: ['IPv4'], ports: [{ name: '80-8080', port: 80, targetPort: 8080, protocol: 'TCP' }, { name: '443', port: 443, targetPort: 443 }] } } } },
      { run: 'create service clusterip headless --clusterip=None --tcp=80', has: { 'services/headless': { spec: { clusterIP: 'None', clusterIPs: ['None'] } } } },
      { run: 'create service nodeport open --tcp=80:8080', says: 'service/open created\n', has: { 'services/open': { spec: { type: 'NodePort', externalTrafficPolicy: 'Cluster', ports: [{ port: 80 }] } } } },
      { run: 'get service open -o jsonpath={.spec.ports[0].nodePort}', says: /^3[0-2]\d{3}$/ },
      { run: 'create service loadbalancer big --tcp=80', says: 'service/big created\n', has: { 'services/big': { spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: true } } } },
      { run: 'create service externalname away --external-name=example.com', says: 'service/away created\n', has: { 'services/away': { spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: absent } } } },
      { run: 'create service clusterip web --tcp=80', fails: /services "web" already exists/ },
      { run: 'create ingress simple --rule=example.com/path*=web:80 --class=fast --annotation=a=b', says: 'ingress.networking.k8s.io/simple created\n', has: { 'ingresses/simple': { metadata: { annotations: { a: 'b' } }, spec: { ingressClassName: 'fast', rules: [{ host: 'example.com', http: { paths: [{ path: '/path', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] } } } },
      { run: 'create ingress tls --rule=example.com/=web:http,tls=cert --default-backend=web:80', has: { 'ingresses/tls': { spec: { tls: [{ secretName: 'cert', hosts: ['example.com'] }], defaultBackend: { service: { name: 'web', port: { number: 80 } } }, rules: [{ http: { paths: [{ pathType: 'Exact', backend: { service: { port: { name: 'http' } } } }] } }] } } } },
    ],
  },
  {
    verb: 'create roles and bindings',
    steps: [
      { run: 'create role reader --verb=get,list --resource=pods,pods/log,deployments.apps --resource-name=one', says: 'role.rbac.authorization.k8s.io/reader created\n', has: { 'roles/reader': { rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], resourceNames: ['one'], verbs: ['get', 'list'] }, { apiGroups: ['apps'], resources: ['deployments'] }] } } },
      { run: 'create role typo --verb=get --resource=podz', fails: /the server doesn't have a resource type "podz"/ },
      { run: 'create rolebinding readers --role=reader --user=dora --group=team --serviceaccount={ns}:robot', says: 'rolebinding.rbac.authorization.k8s.io/readers created\n', has: { 'rolebindings/readers': { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'User', name: 'dora' }, { kind: 'Group', name: 'team' }, { kind: 'ServiceAccount', name: 'robot', namespace: '{ns}' }] } } },
      { run: 'create clusterrole reader-{minor} --verb=get --resource=nodes', says: 'clusterrole.rbac.authorization.k8s.io/reader-{minor} created\n', has: { 'clusterroles/reader-{minor}': { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] } } },
      { run: 'create clusterrole paths-{minor} --verb=get --non-resource-url=/metrics', has: { 'clusterroles/paths-{minor}': { rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] } } },
      { run: 'create clusterrole sum-{minor} --aggregation-rule=contract=sum-{minor}', has: { 'clusterroles/sum-{minor}': { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { contract: 'sum-{minor}' } }] } } } },
      { run: 'label clusterrole reader-{minor} contract=sum-{minor}' },
      { run: 'get clusterrole sum-{minor} -o jsonpath={.rules[0].resources[0]}', says: 'nodes', withinSeconds: 10 },
      { run: 'create clusterrolebinding readers-{minor} --clusterrole=reader-{minor} --user=dora', says: 'clusterrolebinding.rbac.authorization.k8s.io/readers-{minor} created\n', has: { 'clusterrolebindings/readers-{minor}': { roleRef: { kind: 'ClusterRole', name: 'reader-{minor}' }, subjects: [{ kind: 'User', name: 'dora' }] } } },
    ],
  },
  {
    verb: 'create policies: quota, poddisruptionbudget, priorityclass',
    steps: [
      { run: 'create quota limits --hard=cpu=1,pods=2,count/secrets=10 --scopes=BestEffort', fails: /ResourceQuota "limits" is invalid: spec\.scopes: Invalid value: \["BestEffort"\]: unsupported scope applied to resource/, lacks: ['resourcequotas/limits'] },
      { run: 'create quota limits --hard=cpu=1,pods=2,count/secrets=10', says: 'resourcequota/limits created\n', has: { 'resourcequotas/limits': { spec: { hard: { cpu: '1', pods: '2', 'count/secrets': '10' } } } } },
      { run: 'create poddisruptionbudget half --selector=app=web --min-available=50%', says: 'poddisruptionbudget.policy/half created\n', has: { 'poddisruptionbudgets/half': { spec: { minAvailable: '50%', selector: { matchLabels: { app: 'web' } } } } }, since: 21 },
      { run: 'create poddisruptionbudget one --selector=app=web --max-unavailable=1', has: { 'poddisruptionbudgets/one': { spec: { maxUnavailable: 1, minAvailable: absent } } }, since: 21 },
      { run: 'create priorityclass high-{minor} --value=1000 --description=important --preemption-policy=Never', says: 'priorityclass.scheduling.k8s.io/high-{minor} created\n', has: { 'priorityclasses/high-{minor}': { value: 1000, description: 'important', preemptionPolicy: 'Never', globalDefault: absent } } },
    ],
  },
  {
    verb: 'create namespace and serviceaccount, and a token for it',
    steps: [
      { run: 'create namespace {ns}-made', says: 'namespace/{ns}-made created\n', has: { 'namespaces/{ns}-made': { metadata: { labels: { 'kubernetes.io/metadata.name': '{ns}-made' } }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } } } },
      { run: 'get serviceaccount default -n {ns}-made -o name', says: 'serviceaccount/default\n', withinSeconds: 10 },
      { run: 'get configmap kube-root-ca.crt -n {ns}-made -o jsonpath={.data}', says: /BEGIN CERTIFICATE/, withinSeconds: 10 },
      { run: 'create serviceaccount robot', says: 'serviceaccount/robot created\n', has: { 'serviceaccounts/robot': { metadata: { namespace: '{ns}' } } } },
      { run: 'create token robot --duration=20m --audience=example', says: /^[\w-]+\.[\w-]+\.[\w-]+$/, since: 24 },
      { run: 'create token nobody', fails: /serviceaccounts "nobody" not found/, since: 24 },
      { run: 'create token robot --duration=1s', fails: /may not specify a duration less than 10 minutes/, since: 24 },
    ],
  },
  {
    verb: 'run',
    steps: [
      { run: 'run plain --image=example/app:1 --port=80 --labels=a=b --env=X=y --command -- sleep 100', says: 'pod/plain created\n', has: { 'pods/plain': { metadata: { labels: { a: 'b', run: absent } }, spec: { restartPolicy: 'Always', containers: [{ name: 'plain', image: 'example/app:1', command: ['sleep', '100'], ports: [{ containerPort: 80 }], env: [{ name: 'X', value: 'y' }] }] } } } },
      { run: 'run args --image=example/app:1 --restart=Never -- one two', has: { 'pods/args': { metadata: { labels: { run: 'args' } }, spec: { restartPolicy: 'Never', containers: [{ args: ['one', 'two'], command: absent }] } } } },
      { run: 'run exposed --image=example/app:1 --port=80 --expose', says: 'service/exposed created\npod/exposed created\n', has: { 'pods/exposed': {}, 'services/exposed': { spec: { selector: { run: 'exposed' }, ports: [{ port: 80, targetPort: 80 }] } } } },
      { run: 'run changed --image=example/app:1 --overrides=\'{"spec":{"nodeSelector":{"no":"such"}}}\'', has: { 'pods/changed': { spec: { nodeSelector: { no: 'such' } } } } },
      { run: 'run dry --image=example/app:1 --dry-run=server -o jsonpath={.spec.terminationGracePeriodSeconds}', says: '30', lacks: ['pods/dry'] },
      { run: 'run Bad_Name --image=example/app:1', fails: /Invalid|invalid/ },
    ],
  },
  {
    verb: 'expose',
    steps: [
      { run: 'create deployment web --image=example/app:1 --replicas=0 --port=8080' },
      { run: 'expose deployment web --port=80 --target-port=8080 --name=first --type=NodePort', says: 'service/first exposed\n', has: { 'services/first': { metadata: { labels: { app: 'web' } }, spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } } } },
      { run: 'expose deployment web', says: 'service/web exposed\n', has: { 'services/web': { spec: { ports: [{ port: 8080, targetPort: 8080 }] } } } },
      { run: 'expose service web --name=again --port=443 --protocol=UDP --session-affinity=ClientIP', has: { 'services/again': { spec: { sessionAffinity: 'ClientIP', selector: { app: 'web' }, ports: [{ port: 443, protocol: 'UDP' }] } } } },
      { run: 'expose deployment web', fails: /services "web" already exists/ },
    ],
  },
  {
    verb: 'autoscale',
    steps: [
      { run: 'create deployment web --image=example/app:1 --replicas=0' },
      { run: 'autoscale deployment web --min=2 --max=5 --cpu-percent=80', until: 34, says: 'horizontalpodautoscaler.autoscaling/web autoscaled\n', has: { 'horizontalpodautoscalers/web': { spec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] } } } },
      { run: 'autoscale deployment web --min=2 --max=5 --cpu=80%', since: 35, says: 'horizontalpodautoscaler.autoscaling/web autoscaled\n', has: { 'horizontalpodautoscalers/web': { spec: { minReplicas: 2, maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] } } } },
      { run: 'get hpa web', says: /^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nweb +Deployment\/web +(cpu: )?<unknown>\/80% +2 +5 +0 +\S+\n$/ },
      { run: 'get horizontalpodautoscalers.v1.autoscaling web -o jsonpath={.spec.targetCPUUtilizationPercentage}', says: '80' },
      { run: 'autoscale deployment web --min=5 --max=2', fails: /--max=MAXPODS must be larger or equal to --min=MINPODS/ },
    ],
  },
];

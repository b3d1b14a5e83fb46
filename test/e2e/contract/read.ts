/** What only looks: get in all its forms, describe, explain, events, api-resources and its kin, auth, certificate, config, proxy-less rest. */
import type { Case } from '../../helpers/contract.ts';

const objects = `
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {set: a, tier: front}, annotations: {note: hello}}
data: {colour: red, size: "10"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, labels: {set: b}}
data: {colour: blue, size: "9"}
---
apiVersion: v1
kind: Secret
metadata: {name: three, labels: {set: a}}
stringData: {word: hidden}
---
apiVersion: v1
kind: Pod
metadata: {name: never, labels: {set: a}}
spec: {nodeSelector: {not: such}, containers: [{name: c, image: "example/app:1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/app:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

/** A request that somebody called dora once made; its key is gone. */
const certificateRequest = 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IRUNBUUF3RHpFTk1Bc0dBMVVFQXd3RVpHOXlZVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSApBMElBQkYzN0JlbFBjYlRXY2g4dHhxbm1mZWVEYjYzZ1lYb3I0WlNuUVV6TEZRb3Q2dXJKR3BrMEJma0xRckNnClMxNkhIRk9naDQ5QjRxU3pOMFh2Q2hYNGUvT2dBREFLQmdncWhrak9QUVFEQWdOSUFEQkZBaUVBMkFyN2RCUDQKbEZHSmF6YVN5OVZGMzF4MWxOc2Q4TmtzTmFEdm0zV1labU1DSUF5SUplenRWbC9HNUQ0NHFhNzllT3B3K2FvcQo2S05EUUZJUE8veHZnK3J5Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

const signingRequest = (name: string): string =>
  `apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: "${name}"}\nspec: {signerName: example.com/none, usages: [client auth], request: ${certificateRequest}}\n`;

export const reading: readonly Case[] = [
  {
    verb: 'get: tables, and what is in them',
    files: { 'all.yaml': objects },
    steps: [
      { run: 'create -f all.yaml' },
      { run: 'get configmap one', says: /^NAME +DATA +AGE\none +2 +\d+s\n$/ },
      { run: 'get cm -l set', says: /^NAME +DATA +AGE\none +2 +\d+s\ntwo +2 +\d+s\n$/ },
      { run: 'get cm -l set --no-headers', says: /^one +2 +\d+s\ntwo +2 +\d+s\n$/ },
      { run: 'get cm -l set --show-labels', says: /^NAME +DATA +AGE +LABELS\none +2 +\d+s +set=a,tier=front\ntwo +2 +\d+s +set=b\n$/ },
      { run: 'get cm -l set -L set,tier', says: /^NAME +DATA +AGE +SET +TIER\none +2 +\d+s +a +front\ntwo +2 +\d+s +b +\n$/ },
      { run: 'get cm -l set --sort-by=.data.colour', says: /^NAME[^\n]+\ntwo [^\n]+\none [^\n]+\n$/ },
      { run: 'get cm -l set --chunk-size=1', says: /^NAME[^\n]+\none [^\n]+\ntwo [^\n]+\n$/ },
      { run: 'get cm -l set --show-kind', says: /\nconfigmap\/one +2/ },
      { run: 'get cm,secret -l set=a', says: /^NAME +DATA +AGE\nconfigmap\/one +2 +\S+\n\nNAME +TYPE +DATA +AGE\nsecret\/three +Opaque +1 +\S+\n$/ },
      { run: 'get cm -l \'set in (a,c),tier\' -o name', says: 'configmap/one\n' },
      { run: 'get cm -l \'set,set!=a\' -o name', says: 'configmap/two\n' },
      { run: 'get cm -l set,!tier -o name', says: 'configmap/two\n' },
      { run: 'get cm --field-selector=metadata.name=two -o name', says: 'configmap/two\n' },
      { run: 'get cm --field-selector=data.colour=red', fails: /field label not supported|is not a known field selector: only "metadata\.name", "metadata\.namespace"/ },
      { run: 'get pods', says: /^NAME +READY +STATUS +RESTARTS +AGE\nnever +0\/1 +Pending +0 +\S+\nweb-\S+ +1\/1 +Running +0 +\S+\n$/, withinSeconds: 15 },
      { run: 'get pods -o wide', says: /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nnever +0\/1 +Pending +0 +\S+ +<none> +<none> +<none> +<none>\nweb-\S+ +1\/1 +Running +0 +\S+ +\d+\.\d+\.\d+\.\d+ +\S+ +<none> +<none>\n$/ },
      { run: 'get pods --field-selector=status.phase=Pending -o name', says: 'pod/never\n' },
      { run: 'get pods --field-selector=status.phase!=Pending,spec.nodeName!= -o name', says: /^pod\/web-\S+\n$/ },
      { run: 'get deployment web -o wide', says: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +1\/1 +1 +1 +\S+ +web +example\/app:1 +app=web\n$/ },
      { run: 'get service web -o wide', says: /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\nweb +ClusterIP +10\.96\.\S+ +<none> +80\/TCP +\S+ +app=web\n$/ },
      { run: 'get all', says: /pod\/web-[^]*service\/web [^]*deployment\.apps\/web [^]*replicaset\.apps\/web-/ },
      { run: 'get cm -A --field-selector=metadata.namespace={ns},metadata.name=one', says: /^NAMESPACE +NAME +DATA +AGE\n{ns} +one +2 +\S+\n$/ },
      { run: 'get namespace {ns}', says: /^NAME +STATUS +AGE\n{ns} +Active +\S+\n$/ },
      { run: 'get nodes', says: /^NAME +STATUS +ROLES +AGE +VERSION\n/ },
      { run: 'get nodes -o wide', says: /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME\n/ },
    ],
  },
  {
    verb: 'get: every output, subresources, raw, and what is not there',
    files: { 'all.yaml': objects, 'columns.txt': 'NAME COLOUR\n.metadata.name .data.colour\n', 'jp.txt': '{.data.size}', 'tpl.txt': '{{.data.size}}' },
    steps: [
      { run: 'create -f all.yaml' },
      { run: 'get cm one -o yaml', says: /^apiVersion: v1\ndata:\n {2}colour: red\n {2}size: "10"\nkind: ConfigMap\nmetadata:\n {2}annotations:\n {4}note: hello\n {2}creationTimestamp: "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\n {2}labels:\n {4}set: a\n {4}tier: front\n(?: {2}managedFields:[^]*)? {2}name: one\n {2}namespace: {ns}\n {2}resourceVersion: "\d+"\n {2}uid: [0-9a-f-]{36}\n$/ },
      { run: 'get cm one -o json', says: /^\{\n {4}"apiVersion": "v1",\n {4}"data": \{/ },
      { run: 'get cm -l set -o json', says: /"kind": "List"[^]*"resourceVersion": ""/ },
      { run: 'get cm one -o jsonpath=\'{.data.colour} {.metadata.labels.set}\'', says: 'red a' },
      { run: 'get cm -l set -o jsonpath=\'{range .items[*]}{.metadata.name}={.data.size};{end}\'', says: 'one=10;two=9;' },
      { run: 'get cm one -o jsonpath-file=jp.txt', says: '10' },
      { run: 'get cm one -o go-template=\'{{.data.colour}}-{{len .metadata.labels}}\'', says: 'red-2' },
      { run: 'get cm one -o go-template-file=tpl.txt', says: '10' },
      { run: 'get cm -l set -o custom-columns=N:.metadata.name,C:.data.colour,X:.data.none', says: /^N +C +X\none +red +<none>\ntwo +blue +<none>\n$/ },
      { run: 'get cm -l set -o custom-columns-file=columns.txt', says: /^NAME +COLOUR\none +red\ntwo +blue\n$/ },
      { run: 'get -f all.yaml -o name', says: 'configmap/one\nconfigmap/two\nsecret/three\npod/never\ndeployment.apps/web\nservice/web\n' },
      { run: 'get cm one --show-managed-fields -o yaml', since: 21, says: /managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1/ },
      { run: 'get deployment web --subresource=scale -o jsonpath=\'{.kind} {.spec.replicas} {.status.selector}\'', since: 24, says: 'Scale 1 app=web' },
      { run: 'get deployment web --subresource=scale', since: 24, says: /^NAME +DESIRED +AVAILABLE +AGE\nweb +1 +\d +\S+\n$/ },
      { run: 'get deployment web --subresource=status -o jsonpath={.kind}', since: 24, says: 'Deployment' },
      { run: 'get --raw /api/v1/namespaces/{ns}/configmaps/two', says: /"name":"two"/ },
      { run: 'get --raw /readyz', says: 'ok' },
      { run: 'get --raw /version', says: /"gitVersion"/ },
      { run: 'get --raw /nothing', fails: /NotFound|could not find the requested resource/ },
      { run: 'get cm nobody', fails: /^Error from server \(NotFound\): configmaps "nobody" not found\n$/ },
      { run: 'get cm one nobody -o name', fails: /"nobody" not found/, says: 'configmap/one\n' },
      { run: 'get cm nobody --ignore-not-found', says: '' },
      { run: 'get jobs', warns: /^No resources found in {ns} namespace\.\n$/ },
      { run: 'get nothing', fails: /^error: the server doesn't have a resource type "nothing"\n$/ },
      { run: 'get cm --as nobody', fails: /^Error from server \(Forbidden\): configmaps is forbidden: User "nobody" cannot list resource "configmaps" in API group "" in the namespace "{ns}"\n$/ },
    ],
  },
  {
    verb: 'get: watching',
    steps: [
      { run: 'create configmap first' },
      { run: 'get cm --field-selector=metadata.name!=kube-root-ca.crt -w --request-timeout=10s', meanwhile: 'create configmap second --from-literal=a=b', says: /^NAME +DATA +AGE\nfirst +0 +\S+\nsecond +1 +\S+\n$/ },
      { run: 'get cm --field-selector=metadata.name!=kube-root-ca.crt --watch-only --output-watch-events --request-timeout=10s', meanwhile: 'delete configmap second', says: /^EVENT +NAME +DATA +AGE\nDELETED +second +1 +\S+\n$/ },
      { run: 'get cm first -w -o jsonpath={.data.a}; --request-timeout=10s', meanwhile: 'patch configmap first --type=merge -p \'{"data":{"a":"b"}}\'', says: /b/ },
    ],
  },
  {
    verb: 'describe: the kinds that have a page of their own',
    files: { 'all.yaml': objects },
    steps: [
      { run: 'create -f all.yaml' },
      { run: 'create role reader --verb=get --resource=pods' },
      { run: 'create rolebinding readers --role=reader --user=dora' },
      { run: 'create quota limits --hard=count/jobs.batch=2' },
      { run: 'create job once --image=example/app:1' },
      { run: 'create ingress way --rule=example.com/=web:80' },
      { run: 'describe configmap one', says: /^Name: +one\nNamespace: +{ns}\nLabels: +set=a\n +tier=front\nAnnotations: +note: hello\n\nData\n====\n(?=[^]*colour:\n----\nred\n)(?=[^]*size:\n----\n10\n)[^]*Events: +<none>\n$/ },
      { run: 'describe secret three', says: /Type: +Opaque\n\nData\n====\nword: +6 bytes\n$/ },
      { run: 'describe pod never', says: /^Name: +never\nNamespace: +{ns}\n[^]*Node: +<none>\n[^]*Status: +Pending\n[^]*Conditions:\n[^]*PodScheduled +False[^]*QoS Class: +BestEffort\nNode-Selectors: +not=such\n[^]*Warning +FailedScheduling /, withinSeconds: 10 },
      { run: 'describe deployment web', says: /Replicas: +1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable\nStrategyType: +RollingUpdate[^]*NewReplicaSet: +web-\S+ \(1\/1 replicas created\)\n[^]*ScalingReplicaSet/, withinSeconds: 15 },
      { run: 'describe replicaset -l app=web', says: /Controlled By: +Deployment\/web[^]*Pods Status: +1 Running \/ 0 Waiting[^]*SuccessfulCreate/ },
      { run: 'describe pod -l app=web', says: /Controlled By: +ReplicaSet\/web-[^]*State: +Running[^]*Ready +True[^]*Normal +Scheduled/ },
      { run: 'describe service web', says: /Selector: +app=web\nType: +ClusterIP\n[^]*Port: +<unset> +80\/TCP\nTargetPort: +8080\/TCP\nEndpoints: +\d+\.\d+\.\d+\.\d+:8080\n/, withinSeconds: 10 },
      { run: 'describe endpoints web', says: /Addresses: +\d+\./ },
      { run: 'describe endpointslice -l kubernetes.io/service-name=web', since: 21, says: /AddressType: +IPv4[^]*Ready: +true/ },
      { run: 'describe namespace {ns}', says: /Status: +Active[^]*Resource Quotas\n +Name: +limits/ },
      { run: 'describe node', says: /Roles:[^]*Conditions:[^]*Ready +True[^]*Capacity:[^]*Allocatable:[^]*Non-terminated Pods:[^]*Allocated resources:/ },
      { run: 'describe serviceaccount default', says: /^Name: +default\nNamespace: +{ns}\n[^]*Events: +<none>\n$/ },
      { run: 'describe role reader', says: /Resources +Non-Resource URLs +Resource Names +Verbs\n[^]*pods +\[\] +\[\] +\[get\]/ },
      { run: 'describe rolebinding readers', says: /Role:\n +Kind: +Role\n +Name: +reader\nSubjects:[^]*User +dora/ },
      { run: 'describe quota limits', says: /Resource +Used +Hard\n[^]*count\/jobs\.batch +\d+ +2/, withinSeconds: 10 },
      { run: 'describe job once', says: /Parallelism: +1\nCompletions: +1\n/ },
      { run: 'describe ingress way', says: /example\.com[^]*web:80/ },
      { run: 'describe configmap on', says: /^Name: +one\n/ },
      { run: 'describe configmap nobody', fails: /configmaps "nobody" not found/ },
      { run: 'describe -f all.yaml', says: /Name: +one\n[^]*Name: +two\n[^]*Name: +three\n[^]*Name: +never\n/ },
    ],
  },
  {
    verb: 'explain',
    steps: [
      { run: 'explain configmap', says: /KIND: +ConfigMap\nVERSION: +v1\n\nDESCRIPTION:\n +\S[^]*FIELDS:\n[^]*\bdata\s+<map\[string\]string>\n +\S/ },
      { run: 'explain pod.spec.containers.imagePullPolicy', says: /FIELD: +imagePullPolicy +<string>[^]*DESCRIPTION:\n +\S/ },
      { run: 'explain deployment.spec --recursive', says: /\btemplate\s+<(Pod)?\w*>[^]*\bcontainers\s+<\[\]\w+>[^]*\bsecurityContext\s+</ },
      { run: 'explain hpa --api-version=autoscaling/v1', says: /VERSION: +(autoscaling\/)?v1\n/ },
      { run: 'explain hpa --api-version=autoscaling/v2', says: /VERSION: +(autoscaling\/)?v2\n/ },
      { run: 'explain pod.spec --output=plaintext-openapiv2', since: 27, says: /RESOURCE: spec <Object>[^]*FIELDS:\n[^]*containers\s+<\[\]Object> -required-/ },
      { run: 'explain pod.spec.nothing', fails: /field "nothing" does not exist/ },
      { run: 'explain nothing', fails: /the server doesn't have a resource type "nothing"/ },
    ],
  },
  {
    verb: 'events',
    since: 27,
    steps: [
      { run: 'run never --image=example/app:1 --overrides=\'{"spec":{"nodeSelector":{"no":"such"}}}\'' },
      { run: 'create deployment web --image=example/app:1' },
      { run: 'events --for pod/never', says: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+.* Warning +FailedScheduling +Pod\/never +0\/\d+ nodes are available/, withinSeconds: 10 },
      { run: 'events --types=Normal', says: /ScalingReplicaSet +Deployment\/web/, withinSeconds: 10 },
      { run: 'events --types=Warning -o jsonpath={.items[0].reason}', says: 'FailedScheduling' },
      { run: 'events --types=Normal --no-headers -A', says: /{ns} +\S+.*ScalingReplicaSet/ },
      { run: 'get events --field-selector=involvedObject.name=never,reason=FailedScheduling', says: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Warning +FailedScheduling +pod\/never / },
      { run: 'get events.v1.events.k8s.io --field-selector=regarding.name=never -o jsonpath={.items[0].note}', says: /nodes are available/ },
      { run: 'events --watch --for deployment/web --request-timeout=10s', meanwhile: 'scale deployment web --replicas=2', says: /Scaled up replica set web-\S+ from 1 to 2/ },
    ],
  },
  {
    verb: 'api-resources, api-versions, cluster-info, version',
    files: {},
    steps: [
      { run: 'api-resources', says: /^NAME +SHORTNAMES +API(VERSION|GROUP) +NAMESPACED +KIND\n[^]*configmaps +cm +(v1)? +true +ConfigMap\n[^]*deployments +deploy +apps(\/v1)? +true +Deployment\n/ },
      { run: 'api-resources --namespaced=false -o name', says: /(^|\n)namespaces\n[^]*(^|\n)clusterroles\.rbac\.authorization\.k8s\.io\n/ },
      { run: 'api-resources --api-group=batch --verbs=list,get -o name', says: 'cronjobs.batch\njobs.batch\n' },
      { run: 'api-resources -o wide', says: /\npods +po +(v1)? +true +Pod +\[?create[ ,]delete[ ,]deletecollection[ ,]get[ ,]list[ ,]patch[ ,]update[ ,]watch\]?( +all)?\n/ },
      { run: 'api-resources --categories=all -o name', since: 27, says: /^(?=[^]*(^|\n)pods\n)(?=[^]*deployments\.apps\n)(?![^]*configmaps)/ },
      { run: 'api-versions', says: /^(?=[^]*(^|\n)apps\/v1\n)(?=[^]*(^|\n)v1\n)(?=[^]*(^|\n)rbac\.authorization\.k8s\.io\/v1\n)/ },
      { run: 'cluster-info', says: /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/ },
      { run: 'cluster-info dump', says: /"kind": "NodeList"[^]*"kind": "(Event|ReplicationController|Service)List"/ },
      { run: 'cluster-info dump --output-directory=dumped --namespaces={ns}', says: 'Cluster info dumped to dumped\n' },
      { run: 'version', says: /Client Version: [^]*Server Version: / },
      { run: 'version -o json', says: /"serverVersion": \{[^]*"gitVersion": "v1\.\d+/ },
    ],
  },
  {
    verb: 'auth: can-i, whoami, reconcile',
    files: { 'roles.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: made, namespace: "{ns}"}\nrules:\n- {apiGroups: [""], resources: [pods], verbs: [get]}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: made, namespace: "{ns}"}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: made}\nsubjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: User, name: dora}\n', 'more.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: made, namespace: "{ns}"}\nrules:\n- {apiGroups: [""], resources: [secrets], verbs: [list]}\n' },
    steps: [
      { run: 'auth can-i create deployments.apps', says: 'yes\n' },
      { run: 'auth can-i get pods --as=dora', says: 'no\n', code: 1 },
      { run: 'auth can-i get pods --as=dora -q', code: 1, says: '' },
      { run: 'auth reconcile -f roles.yaml', says: /role\.rbac\.authorization\.k8s\.io\/made reconciled\n/, has: { 'roles/made': { rules: [{ resources: ['pods'] }] }, 'rolebindings/made': {} } },
      { run: 'auth can-i get pods --as=dora', says: 'yes\n', withinSeconds: 5 },
      { run: 'auth can-i delete pods --as=dora', says: 'no\n', code: 1 },
      { run: 'auth can-i get pods --subresource=log --as=dora', says: 'no\n', code: 1 },
      { run: 'auth can-i get pods -A --as=dora', says: 'no\n', code: 1 },
      { run: 'auth can-i get /healthz --as=dora', says: 'yes\n' },
      { run: 'auth reconcile -f more.yaml', has: { 'roles/made': { rules: [{ resources: ['pods'] }, { resources: ['secrets'], verbs: ['list'] }] } } },
      { run: 'auth reconcile -f more.yaml --remove-extra-permissions', has: { 'roles/made': { rules: [{ resources: ['secrets'] }] } } },
      { run: 'auth can-i --list --as=dora', says: /Resources +Non-Resource URLs +Resource Names +Verbs\n[^]*secrets +\[\] +\[\] +\[list\]/, withinSeconds: 5 },
      { run: 'auth whoami', since: 28, says: /^ATTRIBUTE +VALUE\nUsername +admin\nGroups +\[system:masters system:authenticated\]/ },
      { run: 'auth whoami --as=dora --as-group=team -o jsonpath={.status.userInfo.groups}', since: 28, says: '["team","system:authenticated"]' },
    ],
  },
  {
    verb: 'certificate: approve and deny',
    files: { 'good.yaml': signingRequest('good-{minor}'), 'bad.yaml': signingRequest('bad-{minor}') },
    steps: [
      { run: 'create -f good.yaml -f bad.yaml', says: /good-{minor} created\n.*bad-{minor} created\n/ },
      { run: 'get csr good-{minor}', says: /^NAME +AGE +SIGNERNAME +REQUESTOR( +REQUESTEDDURATION)? +CONDITION\ngood-{minor} +\S+ +example\.com\/none +admin( +<none>)? +Pending\n$/ },
      { run: 'certificate approve good-{minor}', says: 'certificatesigningrequest.certificates.k8s.io/good-{minor} approved\n', has: { 'certificatesigningrequests/good-{minor}': { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'KubectlApprove' }] } } } },
      { run: 'certificate deny bad-{minor}', says: 'certificatesigningrequest.certificates.k8s.io/bad-{minor} denied\n', has: { 'certificatesigningrequests/bad-{minor}': { status: { conditions: [{ type: 'Denied', status: 'True', reason: 'KubectlDeny' }] } } } },
      { run: 'certificate deny good-{minor}', fails: /is already Approved/ },
      { run: 'get csr bad-{minor} --no-headers', says: / Denied\n$/ },
      { run: 'describe csr good-{minor}', says: /Requesting User: +admin\n[^]*Status: +Approved[^]*Common Name: +dora/ },
      { run: 'certificate approve nobody', fails: /not found/ },
    ],
  },
  {
    verb: 'config',
    steps: [
      { run: 'config view --minify -o jsonpath={.contexts[0].context.namespace}', says: '{ns}' },
      { run: 'config view', says: /certificate-authority-data: DATA\+OMITTED[^]*client-key-data: (REDACTED|DATA\+OMITTED)/ },
      { run: 'config get-contexts -o name', says: /^\S+\n$/ },
      { run: 'config current-context', says: /^\S+\n$/ },
      { run: 'config get-clusters', says: /^NAME\n\S+\n$/ },
      { run: 'config get-users', says: /^NAME\n\S+\n$/ },
      { run: 'config set-context --current --namespace=kube-system', says: /modified/ },
      { run: 'get configmap -o jsonpath={.items[0].metadata.namespace}', says: 'kube-system' },
      // Debian's 1.20, built by a newer Go than it knew, crashes when it writes a user.
      { run: 'config set-credentials robot --token=nobody', since: 21, says: 'User "robot" set.\n' },
      { run: 'config set-context robot --cluster=barge --user=robot', since: 21, says: 'Context "robot" created.\n' },
      { run: 'config use-context robot', since: 21, says: 'Switched to context "robot".\n' },
      { run: 'config rename-context robot machine', since: 21, says: 'Context "robot" renamed to "machine".\n' },
      { run: 'get pods', since: 21, fails: /Unauthorized|must be logged in/ },
      { run: 'config unset users.robot', since: 21, says: /unset/ },
      { run: 'config delete-context machine', since: 21, says: /deleted context machine/ },
    ],
  },
  {
    verb: 'completion, plugin, options',
    files: { 'bin/kubectl-hello': '#!/bin/sh\necho "plugin says $1"\n' },
    steps: [
      { run: 'completion bash', says: /__start_kubectl|complete -/ },
      { run: 'completion zsh', says: /#compdef kubectl|compdef/ },
      { run: '__complete get configmaps kube', since: 23, says: /^kube-root-ca\.crt\n/ },
      { run: 'plugin list', env: { PATH: '{folder}/bin:/usr/bin:/bin' }, says: /kubectl-hello/ },
      { run: 'hello you', env: { PATH: '{folder}/bin:/usr/bin:/bin' }, says: 'plugin says you\n' },
      { run: 'options', says: /--kubeconfig/ },
    ],
  },
];

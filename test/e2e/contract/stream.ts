/** What goes into containers and comes out of them: exec, attach, cp, logs, run -i, debug. */
import { absent, type Case } from '../../helpers/contract.ts';

const pods = `
apiVersion: v1
kind: Pod
metadata: {name: tools, labels: {app: tools}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: prep, image: "barge/hello:1", command: [echo, prepared]}
  containers:
  - {name: main, image: "barge/hello:1", command: [sh, -c, "echo begin; echo problem >&2; exec /bin/serve"], env: [{name: GREETING, value: Hello}]}
  - {name: side, image: "barge/hello:1", stdin: true, stdinOnce: true, command: [sh, -c, 'while read x; do echo "side got $x"; [ "$x" = end ] && exit 0; done; sleep 1000']}
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "barge/hello:1", command: [sh, -c, "echo last words; exit 3"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "barge/hello:1", command: [sh, -c, "echo of a deployment; exec /bin/serve"]}]
`;

/** The newer ones speak WebSocket first; told not to, they speak SPDY like the older ones. */
const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' };

export const streaming: readonly Case[] = [
  {
    verb: 'exec, attach, cp, logs, top, debug: on one pod',
    files: { 'pods.yaml': pods, 'local.txt': 'a file to copy\n', 'folder/a': 'of a', 'folder/deep/b': 'of b' },
    steps: [
      { run: 'create -f pods.yaml' },
      { run: 'wait --for=condition=Ready pod/tools --timeout=60s' },
      { run: 'wait --for=condition=Available deployment/web --timeout=60s' },

      { run: 'exec tools -c main -- sh -c \'echo "$GREETING out"; echo problem >&2\'', says: 'Hello out\n', warns: /problem\n/ },
      { run: 'exec tools -- echo first', says: 'first\n', warns: /Default(ed|ing) container (name to )?"?main/ },
      { run: 'exec -i tools -c main -- cat', input: 'through standard input\n', says: 'through standard input\n' },
      { run: 'exec -i tools -c main -- cat', env: spdy, since: 30, input: 'by SPDY\n', says: 'by SPDY\n' },
      { run: 'exec tools -c main -- sh -c \'exit 7\'', code: 7, fails: /command terminated with exit code 7/ },
      { run: 'exec tools -c main -- sh -c \'exit 8\'', env: spdy, since: 30, code: 8, fails: /command terminated with exit code 8/ },
      { run: 'exec deployment/web -- hostname', says: /^web-\S+\n$/ },
      { run: 'exec -f pods.yaml -c main -- true', fails: /only supports one resource|you may specify only|must be|exactly|cannot/ },
      { run: 'exec tools -c nobody -- true', fails: /^Error from server \(BadRequest\): container "?nobody"? is not valid for pod "?tools"?/ },
      { run: 'exec nobody -- true', fails: /^Error from server \(NotFound\): pods "nobody" not found\n$/ },
      { run: 'exec tools -c main --as dora -- true', fails: /Forbidden.*User "dora" cannot create resource "pods\/exec"|Forbidden.*User "dora" cannot get resource "pods/ },

      { run: 'attach -i tools -c side', input: 'one\nend\n', says: /side got one\nside got end\n/ },
      { run: 'attach tools -c nobody', fails: /not found|not valid/ },

      { run: 'logs tools -c side', says: 'side got one\nside got end\n', withinSeconds: 5 },
      { run: 'logs tools -c side -f', says: 'side got one\nside got end\n' },
      { run: 'logs tools -c prep', says: 'prepared\n' },
      { run: 'logs tools -c main', says: /^(?=[^]*begin\n)[^]*problem\n/ },
      { run: 'logs tools -c side --tail=1', says: 'side got end\n' },
      { run: 'logs tools -c side --tail=1 --timestamps', says: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ side got end\n$/ },
      { run: 'logs tools -c side --limit-bytes=4', says: 'side' },
      { run: 'logs tools -c side --since=1h', says: 'side got one\nside got end\n' },
      { run: 'logs tools -c side --since-time=2100-01-01T00:00:00Z', says: '' },
      { run: 'logs tools --all-containers --prefix', says: /^(?=[^]*\[pod\/tools\/prep\] prepared\n)(?=[^]*\[pod\/tools\/main\] begin\n)(?=[^]*\[pod\/tools\/side\] side got one\n)/ },
      { run: 'logs -l app=tools -c main --tail=1', says: /^(begin|problem)\n$/ },
      { run: 'logs deployment/web', says: 'of a deployment\n' },
      { run: 'logs crash --previous', says: 'last words\n', withinSeconds: 20 },
      { run: 'logs tools -c nobody', fails: /container nobody is not valid for pod tools/ },
      { run: 'logs tools -c main --previous', fails: /previous terminated container "main" in pod "tools" not found/ },

      { run: 'cp local.txt tools:/tmp/there -c main' },
      { run: 'cp {ns}/tools:/tmp/there back.txt -c main', writes: { 'back.txt': 'a file to copy\n' } },
      { run: 'cp folder tools:/tmp/folder -c main' },
      { run: 'exec tools -c main -- cat /tmp/folder/deep/b', says: 'of b' },
      { run: 'cp tools:/tmp/folder returned -c main', writes: { 'returned/a': 'of a', 'returned/deep/b': 'of b' } },
      { run: 'cp nothing.txt tools:/tmp/there -c main', fails: /doesn't exist/ },

      { run: 'top pod tools', says: /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\ntools +\d+m +\d+Mi *\n$/, withinSeconds: 60 },
      { run: 'top pod tools --containers', says: /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\n(tools +(main|side) +\d+m +\d+Mi *\n)+$/ },
      { run: 'top pod -l app=web --no-headers', says: /^web-\S+ +\d+m +\d+Mi *\n$/, withinSeconds: 60 },
      { run: 'top node', says: /^NAME +CPU\(cores\) +CPU\(?%\)? +MEMORY\(bytes\) +MEMORY\(?%\)? *\n\S+ +\d+m +\d+% +\d+Mi +\d+% *\n$/ },

      { run: 'debug tools --image=barge/hello:1 -c looking --target=main -- sh -c \'echo debugging; sleep 1000\'', since: 23, has: { 'pods/tools': { spec: { ephemeralContainers: [{ name: 'looking', image: 'barge/hello:1', targetContainerName: 'main' }] } } } },
      { run: 'logs tools -c looking', since: 23, says: 'debugging\n', withinSeconds: 20 },
      { run: 'exec tools -c looking -- ps', since: 23, says: /serve/ },
      { run: 'debug tools --copy-to=copied --container=main --image=barge/hello:1 -- sleep 1000', has: { 'pods/copied': { metadata: { labels: absent }, spec: { nodeName: /./, containers: [{ name: 'main', command: ['sleep', '1000'] }, { name: 'side' }] } } } },
      { run: 'debug tools --copy-to=pictured --set-image=*=barge/hello:2 --share-processes', has: { 'pods/pictured': { spec: { shareProcessNamespace: true, containers: [{ image: 'barge/hello:2' }, { image: 'barge/hello:2' }] } } } },
    ],
  },
  {
    verb: 'run: attached to what it runs',
    steps: [
      { run: 'run cat --image=barge/hello:1 --restart=Never --rm -i -- cat', input: 'in and out\n', says: /in and out\n[^]*pod "cat" deleted/, lacks: ['pods/cat'] },
      { run: 'run fails --image=barge/hello:1 --restart=Never --rm -i -- sh -c \'exit 4\'', code: 4, lacks: ['pods/fails'] },
      { run: 'run shown --image=barge/hello:1 --restart=Never --attach -- sh -c \'sleep 1; echo hello\'', says: /hello\n/, has: { 'pods/shown': { status: { phase: 'Succeeded' } } }, withinSeconds: 0 },
    ],
  },
];

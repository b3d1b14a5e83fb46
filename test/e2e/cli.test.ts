/** The command line against real containers: terminals, logs that are followed, what goes wrong, and kubectl's words. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connectionOf, loadKubeconfig } from '../../client/kubeconfig.ts';
import { bargeBin, E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

const pod = (name: string, rest: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 0
${rest.replace(/^\n/, '')}---`;

const manifests = [
  pod('tools', `
  initContainers:
  - {name: prep, image: "barge/hello:1", command: [echo, prepared]}
  containers:
  - {name: main, image: "barge/hello:1", command: [sh, -c, "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"]}
  - {name: side, image: "barge/hello:1", stdin: true, command: [sh, -c, 'while read x; do echo "side got $x"; done']}
`),
  pod('crash', `
  containers:
  - {name: main, image: "barge/hello:1", command: [sh, -c, "echo last words; exit 3"]}
`),
  pod('pending', `
  nodeSelector: {no: such}
  containers:
  - {name: main, image: "barge/hello:1"}
`),
  pod('no-image', `
  containers:
  - {name: main, image: "barge/none:1", imagePullPolicy: Never}
`), `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: barge/hello:1
        env: [{name: SELF, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory}}}]
        command: [sh, -c, 'echo begin $SELF; while true; do echo tick; sleep 0.3; done']
        resources: {limits: {memory: 32Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`].join('\n');

/** A command that goes on until it is stopped. */
class Follower {
  readonly #child: ChildProcess;
  out = '';

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => { this.out += text; });
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  shows(pattern: RegExp, seconds = 60): Promise<void> {
    return within(seconds, () => assert.match(this.out, pattern), 20);
  }

  async ends(): Promise<number> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode ?? 128;
  }

  async stop(): Promise<number> {
    this.#child.kill('SIGINT');
    return this.ends();
  }
}

/** A command in a terminal of its own (util-linux' script), 33 lines of 101 columns. */
const inTerminal = (cluster: E2eCluster, line: string): Follower =>
  new Follower('script', ['-qec', `sh -c 'stty rows 33 cols 101; ${line}'`, '/dev/null'], { ...cluster.env, BARGE: bargeBin, TERM: 'xterm' });

const terminals = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const shell = inTerminal(cluster, '$BARGE exec -it tools -c main -- sh');
  await shell.shows(/# /);
  shell.write('stty size; tty\n');
  await shell.shows(/33 101\r\n\/dev\/pts\/\d+\r\n/);
  // Ctrl-C is the container's, not ours: the terminal is raw.
  shell.write('sleep 100\n');
  await delay(300);
  shell.write('\x03');
  shell.write('echo "interrupted $?"; exit 5\n');
  await shell.shows(/interrupted 130/);
  t.is(await shell.ends(), 5, shell.out);
  t.regex(shell.out, /command terminated with exit code 5/);

  const sized = inTerminal(cluster, '(sleep 1; stty rows 44 cols 122 </dev/tty) & $BARGE exec -it tools -c main -- sh -c "until stty size | grep 122; do sleep 0.05; done; exit 9"');
  t.is(await sized.ends(), 9, sized.out);
  t.regex(sized.out, /44 122/, 'the size follows the window');

  const attached = new Follower(bargeBin, ['attach', '-i', 'tools', '-c', 'side'], cluster.env);
  attached.write('one\n');
  await attached.shows(/side got one/);
  attached.write('two\n');
  await attached.shows(/side got two/);
  t.is(await attached.stop(), 130);
  t.regex(await cluster.barge('logs', 'tools', '-c', 'side'), /^side got one\nside got two\n$/);

  const without = await cluster.try(bargeBin, ['exec', '-it', 'tools', '-c', 'main', '--', 'cat'], { input: 'from a pipe' });
  t.deepEqual([without.code, without.stdout, without.stderr], [0, 'from a pipe', 'Unable to use a TTY - input is not a terminal or the right kind of file\n']);
  const both = await cluster.try(bargeBin, ['exec', 'tools', '--', 'sh', '-c', 'echo out; echo err >&2; exit 4']);
  t.deepEqual([both.code, both.stdout], [4, 'out\n']);
  t.is(both.stderr, 'Defaulted container "main" out of: main, side, prep (init)\nerr\ncommand terminated with exit code 4\n');
  const big = 'x'.repeat(3_000_000);
  t.is(await cluster.with(bargeBin, ['exec', '-i', 'tools', '-c', 'main', '--', 'cat'], { input: big }), big, 'three megabytes through both pipes');
};

const logs = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const barge = (...args: readonly string[]): Promise<string> => cluster.barge('logs', ...args);
  const follower = new Follower(bargeBin, ['logs', '-f', '-l', 'app=web', '--prefix'], cluster.env);
  await follower.shows(/^\[pod\/web-\S+\/web\] tick$/m);
  await cluster.barge('scale', 'deployment/web', '--replicas=3');
  await within(60, () => assert.equal(new Set(follower.out.match(/pod\/web-[^/]+/g)).size, 3));
  const newest = (await cluster.barge('get', 'pods', '-l', 'app=web', '--sort-by=.metadata.creationTimestamp', '-o', 'name')).trim().split('\n').at(-1)!;
  await follower.shows(new RegExp(`^\\[${newest}/web\\] begin ${newest.slice(4)}$`, 'm'));
  t.is(await follower.stop(), 130);
  for (const line of follower.out.trimEnd().split('\n')) assert.match(line, /^\[pod\/web-\S+\/web\] (tick|begin web-\S+)$/, 'lines are never mixed');

  t.regex(await barge('tools', '-c', 'main', '--tail=2'), /^line \d+\nline \d+\n$/);
  t.regex(await barge('tools', '-c', 'prep'), /^prepared\n$/);
  t.regex(await barge('tools', '-c', 'main', '--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d+\n$/);
  const [all, recent] = [await barge('tools', '-c', 'main'), await barge('tools', '-c', 'main', '--since=1s')];
  t.true(all.startsWith('line 1\n'));
  t.true(recent.length > 0 && recent.length < all.length && !recent.startsWith('line 1\n'), recent);
  const limited = await barge('tools', '-c', 'main', '--limit-bytes=9');
  t.is(limited, all.slice(0, 9));
  t.is(await barge('crash', '--previous'), 'last words\n');
  t.regex(await barge('-l', 'app in (web,crash)', '--tail=1', '--prefix'), /^(?=[^]*\[pod\/crash\/main\] last words$)(?=[^]*\[pod\/web-)/m);
  t.regex(await barge('tools', '--all-containers', '--tail=1', '--prefix'), /\[pod\/tools\/prep\] prepared\n\[pod\/tools\/main\] line \d+\n\[pod\/tools\/side\] side got two\n/);
};

const troubles = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const barge = (...args: readonly string[]): Promise<string> => cluster.barge(...args);
  t.is(await barge('wait', '--for=condition=Ready', 'pod/tools', '--timeout=60s'), 'pod/tools condition met\n');
  t.is(await barge('wait', '--for=jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}=3', 'pod/crash', '--timeout=60s'), 'pod/crash condition met\n');
  const late = await cluster.try(bargeBin, ['wait', '--for=condition=Ready', 'pod/pending', '--timeout=300ms']);
  t.deepEqual([late.code, late.stderr], [1, 'error: timed out waiting for the condition on pods/pending\n']);
  await within(60, async () => assert.match(await barge('describe', 'pod', 'crash'), /State: +Waiting\n +Reason: +CrashLoopBackOff\n[^]*Last State: +Terminated\n +Reason: +Error\n +Exit Code: +3\n[^]*Restart Count: +[1-9][^]*BackOff +.*Back-off restarting failed container/));
  t.regex(await barge('describe', 'pod', 'pending'), /Status: +Pending[^]*PodScheduled +False[^]*Warning +FailedScheduling .*0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/);
  await within(60, async () => assert.match(await barge('describe', 'pod', 'no-image'), /State: +Waiting\n +Reason: +ErrImageNeverPull\n[^]*Warning +(Failed|ErrImageNeverPull) +.*barge\/none:1/));
  t.regex(await barge('describe', 'pod', '-l', 'app=web'), /SELF: +web-\S+ \(v1:metadata\.name\)\n +MEMORY: +33554432 \(limits\.memory\)/);
  await within(60, async () => assert.match(await barge('get', 'pods'), /^NAME +READY +STATUS +RESTARTS +AGE\ncrash +0\/1 +(CrashLoopBackOff|Error) +\d+ \(\d+s ago\) +\S+\nno-image +0\/1 +ErrImageNeverPull +0 +\S+\npending +0\/1 +Pending +0 +\S+\ntools +2\/2 +Running +0 /m));
  t.regex(await barge('events', '--for', 'pod/crash', '--types=Warning'), /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+.* Warning +BackOff +Pod\/crash/);
};

const editing = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const barge = (...args: readonly string[]): Promise<string> => cluster.barge(...args);
  const editor = (script: string): Readonly<Record<string, string>> => ({ KUBE_EDITOR: `sed -i -e ${script}` });
  t.is(await cluster.with(bargeBin, ['edit', 'deployment', 'web'], { env: editor("'s,barge/hello:1,barge/hello:2,'") }), 'deployment.apps/web edited\n');
  t.regex(await barge('rollout', 'status', 'deployment/web', '--timeout=60s'), /deployment "web" successfully rolled out\n$/);
  t.regex(await barge('rollout', 'history', 'deployment/web'), /^deployment\.apps\/web ?\nREVISION {2}CHANGE-CAUSE\n1 +<none>\n2 +<none>\n/);
  t.regex(await barge('rollout', 'history', 'deployment/web', '--revision=2'), /Image:\s+barge\/hello:2/);
  t.is(await barge('rollout', 'undo', 'deployment/web', '--to-revision=1'), 'deployment.apps/web rolled back\n');
  await barge('rollout', 'status', 'deployment/web', '--timeout=60s');
  t.regex(await barge('get', 'deployment', 'web', '-o', 'wide'), / web +barge\/hello:1 +app=web\n$/);
  t.is((await cluster.try(bargeBin, ['edit', 'deployment', 'web'], { env: { KUBE_EDITOR: 'true' } })).stderr, 'Edit cancelled, no changes made.\n');
};

/** A TLS proxy before the API server, with the server's own certificate, that counts what kind of watches pass. */
const countingProxy = async (cluster: E2eCluster): Promise<{ readonly url: string; readonly seen: { upgrades: number; plain: number }; close(): void }> => {
  const pki = (name: string): Promise<Buffer> => readFile(join(cluster.dataDir, 'pki', name));
  const { connection } = await connectionOf(await loadKubeconfig({ named: cluster.kubeconfig, env: {} }));
  const target = new URL(connection.server);
  const seen = { upgrades: 0, plain: 0 };
  const [cert, key] = await Promise.all([pki('apiserver.crt'), pki('apiserver.key')]);
  const upstream = (url: string, method: string, headers: NodeJS.Dict<string | string[]>) =>
    request({ host: target.hostname, port: target.port, path: url, method, headers, ca: connection.ca, cert: connection.cert, key: connection.key });
  const server = createServer({ cert, key }, (incoming, response) => {
    if (/[?&]watch=(1|true)/.test(incoming.url!)) seen.plain++;
    incoming.pipe(upstream(incoming.url!, incoming.method!, incoming.headers).on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    }).on('error', () => response.destroy()));
  }).on('upgrade', (incoming, socket) => {
    seen.upgrades++;
    upstream(incoming.url!, 'GET', incoming.headers).on('upgrade', (answer, far, head) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n`);
      socket.write(head);
      far.pipe(socket).pipe(far);
      for (const end of [far, socket]) end.on('error', () => end.destroy());
    }).on('error', () => socket.destroy()).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const watching = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const proxy = await countingProxy(cluster);
  const watch = new Follower(bargeBin, ['get', 'pods', '-w', '-l', 'app=watched', '--output-watch-events', '--server', proxy.url], cluster.env);
  await within(60, () => assert.equal(proxy.seen.upgrades, 1), 20);
  await cluster.with(bargeBin, ['create', '-f', '-'], { input: pod('watched', '\n  containers:\n  - {name: main, image: "barge/hello:1"}\n') });
  await watch.shows(/^EVENT +NAME +READY +STATUS +RESTARTS +AGE\nADDED +watched +0\/1 +Pending +0 +0s\n(MODIFIED +watched +0\/1 +.*\n)*MODIFIED +watched +1\/1 +Running +0 +\d+s$/m);
  await cluster.barge('delete', 'pod', 'watched');
  await watch.shows(/^DELETED +watched /m);
  t.is(await watch.stop(), 130);
  proxy.close();
  t.deepEqual(proxy.seen, { upgrades: 1, plain: 0 });
};

/** Read-only command lines whose output is kubectl's, but for ages. */
const sameWords = [
  'get pods', 'get pods -A -o wide --show-labels', 'get pods -L app --no-headers', 'get all', 'get deployments,services,replicasets -o wide', 'get nodes -o wide',
  'get endpointslices,endpoints', 'get pods -o name', 'get pod tools -o yaml', 'get pod tools -o json', 'get deployment web -o yaml --show-managed-fields',
  'get pods -o custom-columns=N:.metadata.name,IP:.status.podIP', 'get pods --sort-by=.status.startTime', 'get pods --field-selector=status.phase=Pending',
  'get pods nothing tools', 'get nothing', 'get pods -l app=nothing', 'get events --field-selector=involvedObject.name=pending',
  'describe pod tools', 'describe pod pending', 'describe deployment web', 'describe replicaset', 'describe service web', 'describe node', 'describe namespace default',
  'describe endpoints web', 'describe endpointslice', 'describe serviceaccount', 'describe lease -A', 'describe pod nothing',
  'logs crash --previous', 'logs pending', 'logs -l app=crash', 'exec pending -- true', 'exec tools -c side -- sh -c exit\\ 4',
  'rollout status deployment/web', 'rollout history deployment/web', 'rollout history deployment/web --revision=99', 'explain pod.spec.containers.ports', 'api-versions',
  'wait --for=condition=Ready pod/tools --timeout=5s', 'events --for pod/pending', 'scale deployment web --replicas=2 --current-replicas=7',
] as const;

const aged = (text: string): string => text.replace(/\b(\d+[dhms])+\b/g, 'AGE').replace(/\(x\d+ over AGE\)/g, '(xN)').replace(/ +/g, ' ').replaceAll('kubectl', 'barge');

const comparison = async (t: ExecutionContext, cluster: E2eCluster): Promise<void> => {
  const kubectl = (await kubectls()).get(32);
  if (kubectl === undefined) {
    t.log('no kubectl 1.32: its output is not compared');
    return;
  }
  const differences: unknown[] = [];
  for (const line of sameWords) {
    const words = line.replaceAll('\\ ', '\0').split(' ').map((word) => word.replaceAll('\0', ' '));
    // Between the two a status may change: only what differs twice is a difference.
    await within(20, async () => {
      const [theirs, ours] = await Promise.all([cluster.try(kubectl, words), cluster.try(bargeBin, words)]);
      assert.deepEqual([ours.code, aged(ours.stdout), aged(ours.stderr)], [theirs.code, aged(theirs.stdout), aged(theirs.stderr)], line);
    }).catch((error: unknown) => differences.push(error));
  }
  t.deepEqual(differences.map(String), []);
};

test('barge is kubectl\'s equal on real containers', async (t) => {
  await ensureImages('barge/hello:2');
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const file = join(cluster.dataDir, 'cli.yaml');
  await writeFile(file, manifests);
  await cluster.barge('apply', '-f', file);
  await cluster.barge('rollout', 'status', 'deployment/web', '--timeout=60s');
  await cluster.barge('wait', '--for=condition=Ready', 'pod/tools', '--timeout=60s');
  await terminals(t, cluster);
  await Promise.all([logs(t, cluster).then(() => editing(t, cluster)), troubles(t, cluster), watching(t, cluster)]);
  await comparison(t, cluster);
});

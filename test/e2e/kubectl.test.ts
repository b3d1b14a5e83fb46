/** The verbs of unmodified kubectls, and of barge with the same words, each by its effect. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bargeBin, E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: barge/hello:1
        command: [sh, -c, 'echo started as $0 $(GREETING); exec /bin/serve', tour]
        env: [{name: GREETING, value: hi}]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red}
`;

test('every program sees the same cluster and changes it in the same way', async (t) => {
  await ensureImages('barge/hello:2');
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const file = join(cluster.dataDir, 'tour.yaml');
  await writeFile(file, manifest);
  const programs = [...[...(await kubectls())].map(([minor, path]) => [`kubectl 1.${minor}`, path, minor] as const), ['barge', bargeBin, 99] as const];
  t.true(programs.length >= (process.env['CI'] === undefined ? 2 : 3), programs.map(([name]) => name).join(', '));

  for (const [name, program, minor] of programs) {
    const run = (...args: readonly string[]): Promise<string> => cluster.with(program, args);
    const is = async (args: readonly string[], expected: RegExp): Promise<void> => {
      t.regex(await run(...args), expected, `${name}: ${args.join(' ')}`);
    };

    await is(['apply', '-f', file], /deployment\.apps\/web created\nservice\/web created\nconfigmap\/settings created/);
    await is(['rollout', 'status', 'deployment/web', '--timeout=60s'], /deployment "web" successfully rolled out/);
    await is(['wait', '--for=condition=Available', 'deployment/web', '--timeout=60s'], /deployment\.apps\/web condition met/);
    await is(['get', 'deployment', 'web'], /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/);
    await is(['get', 'pods', '-l', 'app=web', '-o', 'wide'], /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
    await is(['get', 'pods', '--field-selector', 'status.phase=Running', '-A', '--no-headers'], /^default +web-\S+ +1\/1 +Running +0/m);
    await is(['get', 'all'], /pod\/web-[\s\S]*service\/web [\s\S]*deployment\.apps\/web [\s\S]*replicaset\.apps\/web-/);
    await is(['get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].targetPort}'], /^http$/);
    await is(['get', 'configmap', 'settings', '-o', 'custom-columns=N:.metadata.name,C:.data.colour'], /^N +C\nsettings +red\n$/);
    await is(['get', 'pods', '--sort-by=.metadata.name', '-o', 'name'], /^pod\/web-\S+\npod\/web-\S+\n$/);
    await is(['describe', 'deployment', 'web'], /Name: +web[\s\S]*Replicas: +2 desired \| 2 updated \| 2 total \| 2 available[\s\S]*ScalingReplicaSet/);
    const pod = (await run('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
    await is(['describe', 'pod', pod], /Node: +\S+[\s\S]*State: +Running[\s\S]*Scheduled[\s\S]*Started/);
    await is(['describe', 'service', 'web'], /Selector: +app=web[\s\S]*Endpoints: +10\.244\./);
    await is(['logs', pod], /^started as tour hi\n/);
    await is(['logs', 'deployment/web', '--tail=1', '--timestamps'], /^\d{4}-\d\d-\d\dT\S+ started as tour hi/);
    await is(['exec', pod, '--', 'sh', '-c', 'echo "$GREETING from exec"'], /^hi from exec\n$/);
    const failed = await cluster.try(program, ['exec', pod, '--', 'sh', '-c', 'exit 7']);
    t.is(failed.code, 7, `${name}: exit code of exec: ${failed.stderr}`);
    t.is(await cluster.with(program, ['exec', '-i', pod, '--', 'cat'], { input: 'through standard input\n' }), 'through standard input\n', name);

    await is(['scale', 'deployment/web', '--replicas=3'], /web scaled/);
    await within(60, async () => assert.equal((await run('get', 'deployment', 'web', '-o', 'jsonpath={.status.availableReplicas}')).trim(), '3'));
    await is(['label', 'deployment', 'web', 'tier=front'], /labeled/);
    await is(['annotate', 'deployment', 'web', 'note=hello'], /annotated/);
    await is(['patch', 'deployment', 'web', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"MORE","value":"1"}]}]}}}}'], /patched/);
    await is(['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env[*].name}'], /MORE/);
    await is(['patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":2}]'], /patched/);
    await is(['patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"colour":null,"size":"big"}}'], /patched/);
    await is(['get', 'configmap', 'settings', '-o', 'jsonpath={.data}'], /^\{"size":"big"\}$|^map\[size:big\]$/);
    await is(['rollout', 'status', 'deployment/web', '--timeout=60s'], /successfully rolled out/);
    await is(['rollout', 'history', 'deployment/web'], /REVISION +CHANGE-CAUSE\n1 .*\n2 /);
    await is(['rollout', 'undo', 'deployment/web'], /rolled back/);
    await is(['rollout', 'status', 'deployment/web', '--timeout=60s'], /successfully rolled out/);
    await is(['rollout', 'restart', 'deployment/web'], /restarted/);
    await is(['rollout', 'pause', 'deployment/web'], /paused/);
    await is(['rollout', 'resume', 'deployment/web'], /resumed/);
    await is(['rollout', 'status', 'deployment/web', '--timeout=60s'], /successfully rolled out/);

    await cluster.with(program, ['edit', 'configmap', 'settings'], { env: { EDITOR: "sed -i 's/size: big/size: small/'", KUBE_EDITOR: "sed -i 's/size: big/size: small/'" } });
    await is(['get', 'configmap', 'settings', '-o', 'jsonpath={.data.size}'], /^small$/);
    await writeFile(file, manifest.replace('colour: red', 'colour: blue'));
    await is(['apply', '-f', file], /configmap\/settings configured/);
    await is(['get', 'configmap', 'settings', '-o', 'jsonpath={.data.colour}'], /^blue$/);
    await is(['apply', '-f', file], /configmap\/settings unchanged/);
    await is(['apply', '-f', file, '--dry-run=server'], /configmap\/settings unchanged \(server dry run\)/);
    await writeFile(file, manifest);

    await is(['create', 'namespace', 'tour'], /namespace\/tour created/);
    await is(['create', 'configmap', 'made', '--from-literal=a=b', '-n', 'tour'], /configmap\/made created/);
    await is(['create', 'secret', 'generic', 'hidden', '--from-literal=a=b', '-n', 'tour'], /secret\/hidden created/);
    await is(['get', 'secret', 'hidden', '-n', 'tour', '-o', 'jsonpath={.data.a}'], /^Yg==$/);
    await is(['create', 'deployment', 'made', '--image=barge/hello:1', '-n', 'tour'], /deployment\.apps\/made created/);
    await is(['delete', 'namespace', 'tour', '--timeout=60s'], /namespace "tour" deleted/);

    await is(['api-resources'], /deployments +deploy +(apps\/v1|apps) +true +Deployment/);
    await is(['explain', 'deployment.spec.replicas'], /replicas/);
    await is(['explain', 'pod.spec.containers'], /image/);
    if (minor >= 27) await is(['events', '--for', 'deployment/web'], /ScalingReplicaSet/);
    await is(['get', 'events'], /Scheduled[\s\S]*pod\/web-/);
    await is(['version'], /Server Version/);
    await is(['get', '--raw', '/readyz'], /^ok$/);

    await is(['delete', '-f', file, '--timeout=60s'], /deployment\.apps "web" deleted/);
    await within(60, async () => assert.equal((await run('get', 'pods', '-o', 'name')).trim(), ''));
    const missing = await cluster.try(program, ['get', 'pod', 'nobody']);
    t.is(missing.code, 1);
    t.regex(missing.stderr, /Error from server \(NotFound\): pods "nobody" not found/);
  }
  t.false((await readFile(cluster.kubeconfig, 'utf8')).includes('insecure'));
});

test('a watch prints changes as they come', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls()).values(), bargeBin];
  for (const program of programs) {
    const watching = cluster.try('timeout', ['6', program, 'get', 'configmaps', '-w', '-n', 'default']);
    await within(60, async () => {
      await cluster.barge('create', 'configmap', 'seen', '--from-literal=a=b');
    }, 1_500);
    await cluster.barge('delete', 'configmap', 'seen');
    const { stdout } = await watching;
    t.regex(stdout, /^NAME +DATA +AGE/m, program);
    t.true((stdout.match(/^seen /gm) ?? []).length >= 2, `${program}: ${stdout}`);
  }
});

/** Updates under load, and what must survive: killed containers, deleted pods, a killed barge. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { containers, docker, E2eCluster, ensureImages, kubectlOf, within } from '../helpers/e2e.ts';
import { getOnce, startLoad } from '../helpers/load.ts';

const manifest = (replicas: number, image = 'barge/hello:1'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ${image}
        env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string };
    readonly status: { readonly containerStatuses?: readonly { readonly containerID: string; readonly restartCount: number; readonly ready: boolean }[] };
  }[];
}

const podsOf = async (cluster: E2eCluster, kubectl: string): Promise<PodList['items']> =>
  (JSON.parse(await cluster.with(kubectl, ['get', 'pods', '-l', 'app=web', '-o', 'json'])) as PodList).items;

/** What must not change over a restart of barge: container ids and restart counts. */
const fingerprint = async (cluster: E2eCluster, kubectl: string): Promise<readonly string[]> =>
  (await podsOf(cluster, kubectl)).flatMap((pod) => (pod.status.containerStatuses ?? []).map((status) => `${pod.metadata.name} ${status.containerID} ${status.restartCount}`)).sort();

const start = async (t: { teardown(fn: () => Promise<void>): void }): Promise<E2eCluster> => {
  await ensureImages('barge/hello:2');
  const cluster = await E2eCluster.start();
  let current = cluster;
  t.teardown(() => current.remove());
  return Object.assign(cluster, { again: async () => (current = await E2eCluster.start({ dataDir: cluster.dataDir })) });
};

test('a rolling update under load loses no request, and undo brings the earlier image back', async (t) => {
  const kubectl = await kubectlOf(32);
  const cluster = await start(t);
  await writeFile(join(cluster.dataDir, 'web.yaml'), manifest(4));
  await cluster.with(kubectl, ['apply', '-f', join(cluster.dataDir, 'web.yaml')]);
  await cluster.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const ip = await cluster.with(kubectl, ['get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  const url = `http://${ip}/`;
  await within(60, () => getOnce(url));

  // Round robin: every pod answers.
  await within(60, async () => {
    const names = new Set<string>();
    for (let call = 0; call < 8; call++) names.add(await getOnce(url));
    assert.equal(names.size, 4);
  });

  const image = (): Promise<string> => cluster.with(kubectl, ['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}']);
  for (const [step, args, expected] of [
    ['update', ['set', 'image', 'deployment/web', 'web=barge/hello:2'], 'barge/hello:2'],
    ['undo', ['rollout', 'undo', 'deployment/web'], 'barge/hello:1'],
  ] as const) {
    const load = startLoad(url);
    await delay(300);
    await cluster.with(kubectl, args);
    await cluster.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=90s']);
    await delay(1_500);
    const result = await load.stop();
    t.is(await image(), expected);
    t.true(result.requests > 200, `${step}: ${result.requests} requests`);
    t.deepEqual(result.failures, [], `${step}: ${result.failures.length} of ${result.requests} failed`);
    t.true(result.answers.size >= 5, `${step}: answers of ${result.answers.size} pods`);
    t.log(`${step}: ${result.requests} requests, none failed`);
  }
  const history = await cluster.with(kubectl, ['rollout', 'history', 'deployment/web']);
  t.regex(history, /\n2 .*\n3 /);
});

test('a killed container runs again, a deleted pod is replaced', async (t) => {
  const kubectl = await kubectlOf(32);
  const cluster = await start(t);
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest(2) });
  await cluster.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=60s']);

  const [victim, other] = await podsOf(cluster, kubectl);
  const id = victim!.status.containerStatuses![0]!.containerID.replace(/^docker:\/\//, '');
  await docker('kill', id);
  await within(60, async () => {
    const pod = (await podsOf(cluster, kubectl)).find((one) => one.metadata.uid === victim!.metadata.uid);
    const status = pod!.status.containerStatuses![0]!;
    assert.equal(status.restartCount, 1);
    assert.ok(status.ready);
    assert.notEqual(status.containerID, victim!.status.containerStatuses![0]!.containerID);
  });

  await cluster.with(kubectl, ['delete', 'pod', other!.metadata.name, '--timeout=60s']);
  await within(60, async () => {
    const pods = await podsOf(cluster, kubectl);
    assert.equal(pods.length, 2);
    assert.ok(pods.every((pod) => pod.metadata.uid !== other!.metadata.uid));
    assert.ok(pods.every((pod) => pod.status.containerStatuses?.[0]?.ready));
  });
  t.pass();
});

test('barge killed with -9 in the middle of a rollout finishes it when it is started again', async (t) => {
  const kubectl = await kubectlOf(32);
  const cluster = await start(t);
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest(4) });
  await cluster.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await cluster.with(kubectl, ['set', 'image', 'deployment/web', 'web=barge/hello:2']);
  await delay(700);
  await cluster.end('SIGKILL');
  const again = await cluster.again();
  await again.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=90s']);
  await within(60, async () => assert.equal((await podsOf(again, kubectl)).length, 4));
  const images = await again.with(kubectl, ['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[0].image}']);
  t.is(images.trim(), Array(4).fill('barge/hello:2').join(' '));
});

test('SIGTERM leaves pods running, and the next start adopts them as they are', async (t) => {
  const kubectl = await kubectlOf(32);
  const cluster = await start(t);
  await cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest(3) });
  await cluster.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const before = await fingerprint(cluster, kubectl);
  const running = await containers();
  const seconds = await cluster.end('SIGTERM');
  t.true(seconds < 30, `${seconds} s to end`);
  t.deepEqual(await containers(), running);
  const again = await cluster.again();
  await delay(3_000);
  t.deepEqual(await fingerprint(again, kubectl), before);
  t.deepEqual(await containers(), running);
});

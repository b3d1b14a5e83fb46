/** A Deployment under a real load, scaled by what its containers really use. */
import assert from 'node:assert/strict';
import test from 'ava';
import { E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

/** Works until there is a file, then rests. */
const program = 'while [ ! -e /tmp/rest ]; do :; done; sleep 3600';

const deployment = {
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' },
  spec: {
    replicas: 1, selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: 'barge/hello:1', command: ['sh', '-c', program], resources: { requests: { cpu: '50m' }, limits: { cpu: '200m' } } }] },
    },
  },
};

interface Condition { readonly type: string; readonly status: string; readonly reason: string }

test('kubectl autoscale makes pods for a load and takes them away after it', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  // A load takes minutes to show: the contract's tests try `autoscale` with each kubectl.
  for (const [minor, kubectl] of [...await kubectls()].sort(([a], [b]) => b - a).slice(0, 1)) {
    await cluster.with(kubectl, ['create', '-f', '-'], { input: JSON.stringify(deployment) });
    await cluster.with(kubectl, ['autoscale', 'deployment', 'web', '--cpu-percent=50', '--min=1', '--max=3']);
    const pods = async (): Promise<readonly string[]> => (await cluster.with(kubectl, ['get', 'pods', '-l', 'app=web', '-o', 'name'])).trim().split('\n').filter((name) => name !== '');
    const reasons = async (): Promise<readonly string[]> => (JSON.parse(await cluster.with(kubectl, ['get', 'hpa', 'web', '-o', 'jsonpath={.status.conditions}'])) as readonly Condition[]).map(({ type, status, reason }) => `${type} ${status} ${reason}`);
    // Samples count from a window after a pod is ready; then there is a look every 15 s.
    await within(180, async () => assert.equal((await pods()).length, 3));
    await within(120, async () => assert.ok((await reasons()).includes('ScalingLimited True TooManyReplicas'), String(await reasons())));
    await within(60, async () => {
      const described = await cluster.with(kubectl, ['describe', 'hpa', 'web']);
      assert.match(described, /SuccessfulRescale .*New size: 3; reason: cpu resource utilization \(percentage of request\) above target/);
      assert.match(described, /resource cpu on pods +\(as a percentage of request\): +\d+% \(\d+m\) \/ 50%/);
    });
    // The status tells of the three pods with the next look.
    await within(60, async () => assert.match(await cluster.with(kubectl, ['get', 'hpa', 'web', '--no-headers']), /^web +Deployment\/web +cpu: \d+%\/50% +1 +3 +3 /m));
    t.log(`kubectl 1.${minor} has seen three pods`);

    await cluster.with(kubectl, ['patch', 'hpa', 'web', '--type=merge', '-p', JSON.stringify({ spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } })]);
    for (const name of await pods()) await cluster.with(kubectl, ['exec', name, '--', 'touch', '/tmp/rest']);
    await within(180, async () => assert.equal((await pods()).length, 1));
    await within(60, async () => assert.ok((await reasons()).includes('ScalingLimited True TooFewReplicas'), String(await reasons())));
    await cluster.with(kubectl, ['delete', 'hpa/web', 'deployment/web']);
    await within(60, async () => assert.deepEqual(await pods(), []));
    t.pass();
  }
});

/** Eviction on a real engine: a node that counts as short of memory, whatever the machine has. */
import assert from 'node:assert/strict';
import test from 'ava';
import { containers, E2eCluster, ensureImages, kubectlOf, within } from '../../helpers/e2e.ts';

const pod = (name: string, spec: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {terminationGracePeriodSeconds: 60, ${spec}}
---`;
const main = (resources: string): string => `containers: [{name: main, image: "barge/hello:1", resources: ${resources}}]`;

test('a node that is short of memory ends pods by what they use above their requests, keeps critical ones, and takes no more', async (t) => {
  await ensureImages();
  let cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  const kubectl = await kubectlOf(32);
  const k = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
  const apply = (manifest: string): Promise<string> => cluster.with(kubectl, ['apply', '-f', '-'], { input: manifest });
  await apply(pod('modest', main('{requests: {memory: 512Mi}}')) + pod('eager', main('{}')) + pod('critical', `priorityClassName: system-node-critical, ${main('{}')}`));
  await k('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=180s');

  await cluster.end();
  cluster = await E2eCluster.start({ dataDir: cluster.dataDir, args: ['--eviction-hard', 'memory.available<64Ti'] });
  const phase = (name: string): Promise<string> => k('get', 'pod', name, '-o', 'jsonpath={.status.phase} {.status.reason}');
  await within(180, async () => assert.deepEqual(await Promise.all(['eager', 'modest'].map(phase)), ['Failed Evicted', 'Failed Evicted']));
  const evicted = [...cluster.log.matchAll(/a pod is evicted.*pod=default\/(\w+)/g)].map(([, name]) => name);
  t.deepEqual(evicted, ['eager', 'modest']);
  t.regex(await k('get', 'pod', 'eager', '-o', 'jsonpath={.status.message}'), /^The node was low on resource: memory\. Threshold quantity: 64Ti, available: \d+[KMG]i\. Container main was using \d+[KMG]i, request is 0, has larger consumption of memory\. $/);
  t.is(await k('get', 'pod', 'eager', '-o', 'jsonpath={.status.conditions[?(@.type=="DisruptionTarget")].reason}'), 'TerminationByKubelet');
  await within(60, async () => assert.deepEqual(await containers('-a', '--filter', 'name=_eager_', '--filter', 'name=_modest_'), []));
  t.regex(await k('get', 'events', '-o', 'jsonpath={.items[*].reason}'), /EvictionThresholdMet/);

  t.is(await phase('critical'), 'Running ');
  await within(60, async () => assert.match(await k('get', 'node', '-o', 'jsonpath={.items[0].status.conditions[?(@.type=="MemoryPressure")].status} {.items[0].spec.taints[*].key}'), /^True .*memory-pressure/));
  const node = await k('get', 'node', '-o', 'jsonpath={.items[0].metadata.name}');
  await apply(pod('late', `nodeName: ${node}, ${main('{}')}`));
  await within(60, async () => assert.match(await k('get', 'pod', 'late'), /late +0\/1 +Evicted/));
});

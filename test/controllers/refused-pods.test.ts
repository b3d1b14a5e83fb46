import test from 'ava';
import { planStatefulSet } from '../../controllers/stateful-set/plan.ts';
import type { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { at, pod, startMs, template } from '../helpers/workloads.ts';

const set = (podManagementPolicy: string): StatefulSet => ({
  apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'default', uid: 'uid-db' },
  spec: { serviceName: 'db', replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('v1'), podManagementPolicy },
} as unknown as StatefulSet);

const refused = (name: string): Pod => pod(name, { phase: 'Failed', status: { reason: 'NodePorts', conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at(100) }] } });

const steps = (podManagementPolicy: string, pods: readonly Pod[], seconds: number) => {
  const { steps: planned, afterMs } = planStatefulSet({ set: set(podManagementPolicy), pods, leaving: new Set(), current: '', update: '', nowMs: startMs + seconds * 1000 });
  return { planned: planned.map((step) => (step.do === 'create' ? `+${step.ordinal}` : `-${step.pod.metadata.name}`)), afterMs };
};

test('a pod of a StatefulSet that its node refused stays for 10 s before another takes its name', (t) => {
  t.deepEqual(steps('OrderedReady', [refused('db-0')], 103), { planned: [], afterMs: 7_000 });
  t.deepEqual(steps('Parallel', [refused('db-0')], 103), { planned: ['+1'], afterMs: 7_000 });
  t.deepEqual(steps('OrderedReady', [refused('db-0')], 110), { planned: ['-db-0'], afterMs: undefined });
});

test('one that ran and failed is made anew at once', (t) => {
  const ran = pod('db-0', { phase: 'Failed', status: { reason: 'Evicted', containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0 }] } });
  t.deepEqual(steps('OrderedReady', [ran], 100), { planned: ['-db-0'], afterMs: undefined });
});

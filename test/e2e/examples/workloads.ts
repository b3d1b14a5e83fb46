import assert from 'node:assert/strict';
import type { Example, Place } from '../../helpers/example.ts';

const page = 'wget -q -O - http://127.0.0.1:8080/cgi-bin/index.cgi';

/** What pods of a workload answer to a request. */
const greets = (at: Place, workload: string, words: string): Promise<void> => at.sees(`exec ${workload} -- ${page}`, new RegExp(`^${words} from `));

/** The lines of a Job's pods, in alphabetical order. */
const lines = (expected: readonly (string | RegExp)[]) => (text: string): void => {
  const found = text.trim().split('\n').sort();
  assert.equal(found.length, expected.length, text);
  for (const [index, line] of expected.entries()) {
    if (typeof line === 'string') assert.equal(found[index], line);
    else assert.match(found[index]!, line);
  }
};

/** Names of pods that a selector finds. */
const podNames = async (at: Place, selector: string): Promise<readonly string[]> => [...(await at.placement(selector)).keys()].filter((name) => name !== '');

const conditionReason = (job: string): string => `get job ${job} -o jsonpath='{.status.conditions[?(@.type=="Failed")].reason}'`;

/** examples/workloads: what makes pods. */
export const workloads: readonly Example[] = [
  {
    file: 'workloads/cron-job',
    shows: async (at) => {
      await at.sees('get cronjob bell', /^bell +\* \* \* \* \* +Etc\/UTC +False /m);
      await at.kubectl('create job --from=cronjob/bell at-once');
      await at.waits('Complete', 'job/at-once');
      await at.sees('logs job/at-once', /^ding at \d\d:\d\d\n$/);
      let scheduled = '';
      await at.sees('get jobs -o name', (text) => { scheduled = /^job\.batch\/(bell-\d+)$/m.exec(text)?.[1] ?? assert.fail(text); });
      await at.waits('Complete', `job/${scheduled}`);
      const due = new Date(Number(scheduled.slice('bell-'.length)) * 60_000).toISOString();
      await at.sees(`get job ${scheduled} -o jsonpath='{.metadata.annotations.batch\\.kubernetes\\.io/cronjob-scheduled-timestamp}'`, new RegExp(`^${due.slice(0, 19)}Z$`));
      await at.sees(`logs job/${scheduled}`, /^ding at \d\d:\d\d\n$/);
    },
  },
  {
    file: 'workloads/deployment',
    shows: async (at) => {
      await at.rollsOut('deployment/orchestra');
      await at.sees('get deployment orchestra', /^orchestra +3\/3 +3 +3 /m);
      await greets(at, 'deployment/orchestra', 'Overture');
      await at.kubectl('set env deployment/orchestra GREETING=Encore');
      await at.rollsOut('deployment/orchestra');
      await greets(at, 'deployment/orchestra', 'Encore');
      await at.sees('rollout history deployment/orchestra', /^1 [^]*^2 /m);
      await at.kubectl('rollout undo deployment/orchestra');
      await at.rollsOut('deployment/orchestra');
      await greets(at, 'deployment/orchestra', 'Overture');
      await at.sees('rollout history deployment/orchestra', /^2 [^]*^3 /m);
      await at.kubectl('scale deployment/orchestra --replicas=5');
      await at.sees('get deployment orchestra', /^orchestra +5\/5 +5 +5 /m);
    },
  },
  {
    file: 'workloads/deployment-recreate',
    shows: async (at) => {
      await at.rollsOut('deployment/soloist');
      await at.kubectl('set env deployment/soloist GREETING=Encore');
      await at.rollsOut('deployment/soloist');
      await greets(at, 'deployment/soloist', 'Encore');
      // A reason has one order with the others by the revision of its event; times are of whole seconds.
      await at.sees(`get events --field-selector=reason=ScalingReplicaSet -o jsonpath='{range .items[*]}{.metadata.resourceVersion} {.message}{"\\n"}{end}'`, (text) => {
        const steps = text.trim().split('\n').sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).map((line) => /Scaled (up|down) replica set \S+ from \d to (\d)/.exec(line)?.slice(1).join(' '));
        assert.deepEqual(steps, ['up 2', 'down 0', 'up 2'], text);
      });
    },
  },
  {
    file: 'workloads/replica-set',
    shows: async (at) => {
      await at.sees('get replicaset flock', /^flock +2 +2 +2 /m);
      const before = await podNames(at, 'flock=sheep');
      assert.equal(before.length, 2);
      assert.ok(before.includes('stray'));
      await at.kubectl('label pod stray flock=lost --overwrite');
      await at.sees('get pods -l flock=sheep -o name', (text) => assert.deepEqual([text.includes('stray'), text.trim().split('\n').length], [false, 2]));
      await at.sees("get pod stray -o jsonpath='{.metadata.ownerReferences}'", /^$/);
      await at.kubectl('scale replicaset/flock --replicas=1');
      await at.sees('get replicaset flock', /^flock +1 +1 +1 /m);
    },
  },
  {
    file: 'workloads/replication-controller',
    shows: async (at) => {
      await at.sees('get replicationcontroller rowers', /^rowers +2 +2 +2 /m);
      const before = await podNames(at, 'team=rowers');
      await at.kubectl('delete pod -l team=rowers');
      await at.sees('get replicationcontroller rowers', /^rowers +2 +2 +2 /m);
      const now = await podNames(at, 'team=rowers');
      assert.deepEqual(now.filter((name) => before.includes(name)), []);
      await at.kubectl('scale replicationcontroller/rowers --replicas=0');
      await at.sees('get pods -o name', /^$/);
    },
  },
  {
    file: 'workloads/daemon-set',
    shows: async (at) => {
      const nodes = at.nodes.length;
      await at.rollsOut('daemonset/guard');
      await at.sees('get daemonset guard', new RegExp(`^guard +${nodes} +${nodes} +${nodes} +${nodes} +${nodes} `, 'm'));
      await at.sees('get daemonset cellar-guard', /^cellar-guard +0 +0 +0 +0 +0 +cellar=deep /m);
      await at.kubectl('label nodes --all cellar=deep');
      await at.sees('get daemonset cellar-guard', new RegExp(`^cellar-guard +${nodes} +${nodes} +${nodes} `, 'm'));
      await at.sees(`exec daemonset/guard -- ${page}`, new RegExp(`^Welcome from ${at.nodes[0]!}\n$`));
      await at.kubectl('set env daemonset/guard GREETING=Halt');
      await at.rollsOut('daemonset/guard');
      await greets(at, 'daemonset/guard', 'Halt');
      await at.kubectl('rollout undo daemonset/guard');
      await at.rollsOut('daemonset/guard');
      await greets(at, 'daemonset/guard', 'Welcome');
      await at.kubectl('label nodes --all cellar-');
      await at.sees('get pods -l app=cellar-guard -o name', /^$/);
    },
  },
  {
    file: 'workloads/job',
    shows: async (at) => {
      await at.waits('Complete', 'job/letters');
      await at.sees('get job letters', /^letters +Complete +3\/3 /m);
      await at.sees('logs --selector=job-name=letters', lines([/^a letter from letters-/, /^a letter from letters-/, /^a letter from letters-/]));
    },
  },
  {
    file: 'workloads/job-indexed',
    shows: async (at) => {
      await at.waits('Complete', 'job/chapters');
      await at.sees('logs --selector=job-name=chapters', lines(['chapter 0: the mountain', 'chapter 1: the river', 'chapter 2: the sea']));
      await at.sees("get job chapters -o jsonpath='{.status.completedIndexes}'", /^0-2$/);
    },
  },
  {
    file: 'workloads/job-backoff-limit',
    shows: async (at) => {
      await at.sees(conditionReason('stubborn'), /^BackoffLimitExceeded$/);
      await at.sees(conditionReason('prudent'), /^PodFailurePolicy$/);
      await at.sees(conditionReason('impatient'), /^DeadlineExceeded$/);
      await at.sees('get jobs', /^impatient +Failed +0\/1 [^]*^prudent +Failed +0\/1 [^]*^stubborn +Failed +0\/1 /m);
      await at.sees('logs --selector=job-name=stubborn', lines(['it broke again', 'it broke again']));
      await at.sees('logs --selector=job-name=prudent', lines(['wrong metal']));
      await at.seesByKubectl('describe job stubborn', /BackoffLimitExceeded/);
      await at.sees('get pods -l job-name=impatient -o name', /^$/);
    },
  },
  {
    file: 'workloads/job-ttl',
    shows: async (at) => {
      await at.sees('get events --field-selector=involvedObject.name=firefly', /Completed +job\/firefly/);
      await at.sees('get jobs,pods -o name', /^$/);
    },
  },
  {
    file: 'workloads/job-suspended',
    shows: async (at) => {
      await at.sees('get job curtain', /^curtain +Suspended +0\/1 /m);
      await at.sees('get pods -o name', /^$/);
      await at.kubectl(`patch job curtain --patch='{"spec":{"suspend":false}}'`);
      await at.waits('Complete', 'job/curtain');
      await at.sees('logs job/curtain', /^up it goes\n$/);
    },
  },
  {
    file: 'workloads/cron-job-suspended',
    shows: async (at) => {
      await at.sees('get cronjob gong', /^gong +0 6 \* \* 1-5 +Europe\/Berlin +True +0 +<none> /m);
      await at.kubectl('create job --from=cronjob/gong by-hand');
      await at.waits('Complete', 'job/by-hand');
      await at.sees('logs job/by-hand', /^dong\n$/);
      await at.sees('get jobs -o name', /^job\.batch\/by-hand\n$/);
    },
  },
];

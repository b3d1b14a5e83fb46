// Jobs and CronJobs on simulated nodes, against a real API server in this process.
import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import { trackingFinalizer } from '../../controllers/job/pod-outcome.ts';
import { indexesText, indexOf, parseIndexes } from '../../controllers/job/indexes.ts';
import { isActive } from '../../controllers/pod-state.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import { Job } from '../../schemas/kinds/batch/job.ts';
import { rest, until } from '../helpers/control-plane.ts';
import { controlledCluster } from '../helpers/controlled-cluster.ts';
import type { SimulatedNodesOptions } from '../helpers/simulated-node.ts';

const key = { namespace: 'default', name: 'work' };
const template = (restartPolicy: 'Never' | 'OnFailure' = 'Never') => ({ spec: { restartPolicy, containers: [{ name: 'c', image: 'v1' }] } });
const succeeds = (endsAfterMs = 1_000) => () => ({ endsAfterMs, exitCode: 0 });
const fails = (exitCode = 1) => () => ({ endsAfterMs: 1_000, exitCode });

const cluster = async (t: ExecutionContext, outcome: NonNullable<SimulatedNodesOptions['outcome']>, spec: Partial<Job['spec']>, through?: (own: Transport) => Transport) => {
  const all = await controlledCluster(t, { outcome }, through);
  const { client, clock, pods } = all;
  let most = 0;
  await all.watchPods((present) => void (most = Math.max(most, present.filter(isActive).length)));
  await client.of(Job).create({ metadata: key, spec: { template: template(), ...spec } });
  const job = () => client.of(Job).get(key);
  const condition = (of: Job, type: string) => of.status?.conditions?.find((one) => one.type === type && one.status === 'True');
  return {
    ...all, job, condition, most: () => most,
    ended: (type: 'Complete' | 'Failed', reason: string, forMs = 120_000) => until(clock, async () => {
      const found = condition(await job(), type);
      assert.equal(found?.reason, reason);
      assert.deepEqual((await pods()).filter((pod) => isActive(pod) || pod.metadata.finalizers?.includes(trackingFinalizer)), []);
      assert.deepEqual((await job()).status?.uncountedTerminatedPods, {});
    }, forMs),
  };
};

test('a Job runs until so many pods have succeeded, a few at a time', async (t) => {
  const { ended, job, most, reasons, pods } = await cluster(t, succeeds(), { completions: 7, parallelism: 3 });
  await ended('Complete', 'CompletionsReached');
  const { status } = await job();
  t.like(status, { succeeded: 7, ready: 0, terminating: 0 });
  t.is(status?.failed, undefined);
  t.truthy(status?.completionTime);
  t.is(most(), 3);
  t.is((await pods()).length, 7);
  t.true((await reasons('work')).includes('Completed Job completed'));
});

test('failed pods are made anew after a while, and too many of them end the Job', async (t) => {
  const { ended, job, pods, reasons } = await cluster(t, fails(), { backoffLimit: 2 });
  await ended('Failed', 'BackoffLimitExceeded');
  t.is((await job()).status?.failed, 3);
  const times = (await pods()).map(({ metadata }) => Date.parse(metadata.creationTimestamp!)).sort((a, b) => a - b);
  t.true(times[1]! - times[0]! >= 10_000 && times[2]! - times[1]! >= 20_000, String(times));
  t.true((await reasons('work')).some((line) => line.startsWith('BackoffLimitExceeded')));
});

test('an indexed Job does each index once, tells the pods, and shows what is done', async (t) => {
  let failed = false;
  const { ended, job, pods } = await cluster(t, (pod) => {
    const isFirst = indexOf(pod) === 2 && !failed;
    if (isFirst && pod.status?.phase === 'Failed') failed = true;
    return { endsAfterMs: 1_000, exitCode: isFirst ? 1 : 0 };
  }, { completions: 5, parallelism: 2, completionMode: 'Indexed' });
  await ended('Complete', 'CompletionsReached');
  t.like((await job()).status, { succeeded: 5, failed: 1, completedIndexes: '0-4' });
  const all = await pods();
  t.deepEqual(all.map(indexOf).sort(), [0, 1, 2, 2, 3, 4]);
  t.is(all[0]!.spec.hostname, 'work-0');
  t.is(all[0]!.spec.containers[0]!.env?.[0]?.name, 'JOB_COMPLETION_INDEX');
});

test('failures by index: one index is given up, the others are done', async (t) => {
  const { ended, job } = await cluster(t, (pod) => ({ endsAfterMs: 1_000, exitCode: indexOf(pod) === 1 ? 3 : 0 }), { completions: 4, parallelism: 4, completionMode: 'Indexed', backoffLimitPerIndex: 1 });
  await ended('Failed', 'FailedIndexes');
  t.like((await job()).status, { succeeded: 3, failed: 2, completedIndexes: '0,2,3', failedIndexes: '1' });
});

test('maxFailedIndexes gives up early', async (t) => {
  const { ended, job } = await cluster(t, fails(), { completions: 10, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 0, maxFailedIndexes: 1 });
  await ended('Failed', 'MaxFailedIndexesExceeded');
  t.true((await job()).status!.failed! < 10);
});

test('the failure policy: some exit codes end the Job, some do not count', async (t) => {
  let left = 2;
  const { ended, job } = await cluster(t, (pod) => {
    if (pod.status?.phase !== 'Failed') return { endsAfterMs: 1_000, exitCode: left > 0 ? (left--, 42) : 7 };
    return { endsAfterMs: 1_000, exitCode: 42 };
  }, { backoffLimit: 0, podFailurePolicy: { rules: [
    { action: 'Ignore', onExitCodes: { operator: 'In', values: [42] } }, { action: 'FailJob', onExitCodes: { operator: 'In', values: [7] } },
  ] } });
  await ended('Failed', 'PodFailurePolicy');
  t.regex(String((await job()).status?.conditions?.find(({ type }) => type === 'Failed')?.message), /failed with exit code 7 matching FailJob rule at index 1/);
});

test('the success policy ends a Job before all of it is done', async (t) => {
  const { ended, job, pods } = await cluster(t, (pod) => ({ endsAfterMs: indexOf(pod) === 0 ? 1_000 : 1_000_000, exitCode: 0 }), {
    completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] },
  });
  await ended('Complete', 'SuccessPolicy');
  t.like((await job()).status, { succeeded: 1, completedIndexes: '0' });
  t.is((await job()).status?.failed, undefined);
  t.is((await pods()).length, 1);
});

test('a suspended Job stops its pods, counts none as failed, and goes on with a new start', async (t) => {
  const { client, clock, pods, job, ended, reasons, condition } = await cluster(t, succeeds(30_000), { completions: 2, parallelism: 2 });
  await until(clock, async () => assert.equal((await pods()).filter(isActive).length, 2));
  await client.of(Job).modify(key, (draft) => void (draft.spec.suspend = true));
  await until(clock, async () => assert.equal((await pods()).length, 0));
  await until(clock, async () => assert.ok(condition(await job(), 'Suspended')));
  t.is((await job()).status?.startTime, undefined);
  await client.of(Job).modify(key, (draft) => void (draft.spec.suspend = false));
  await ended('Complete', 'CompletionsReached');
  t.is((await job()).status?.failed, undefined);
  const lines = await reasons('work');
  t.true(lines.includes('Suspended Job suspended') && lines.includes('Resumed Job resumed'));
});

test('a deadline ends a Job, and its pods with it', async (t) => {
  const { ended, pods, reasons } = await cluster(t, succeeds(1_000_000), { activeDeadlineSeconds: 5 });
  await ended('Failed', 'DeadlineExceeded');
  t.is((await pods()).length, 0);
  t.true((await reasons('work')).some((line) => line.startsWith('DeadlineExceeded')));
});

test('a finished Job goes after its time, and its pods with it', async (t) => {
  const { client, clock, pods } = await cluster(t, succeeds(), { ttlSecondsAfterFinished: 30 });
  await until(clock, async () => {
    assert.equal(await client.of(Job).find(key), undefined);
    assert.equal((await pods()).length, 0);
  }, 90_000);
  t.pass();
});

test('pods of a work queue agree on the end among themselves', async (t) => {
  const { ended, job } = await cluster(t, succeeds(), { parallelism: 3 });
  await ended('Complete', 'CompletionsReached');
  t.true((await job()).status!.succeeded! >= 1);
});

test('a deleted Job lets its pods go', async (t) => {
  const { client, clock, pods } = await cluster(t, succeeds(1_000_000), { parallelism: 2, completions: 2 });
  await until(clock, async () => assert.equal((await pods()).filter(isActive).length, 2));
  await client.of(Job).delete(key, { propagationPolicy: 'Background' });
  await until(clock, async () => assert.equal((await pods()).length, 0), 60_000);
  t.pass();
});

test('killed after any write, the controllers go on and count each pod once', async (t) => {
  for (const at of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16]) {
    const process = { writes: 0, broken: false };
    const through = (own: Transport): Transport => ({
      watch: (request, signal) => own.watch(request, signal),
      send: async (request, signal) => {
        if (process.broken) throw new ApiError('ServiceUnavailable', 'the process was killed');
        if (request.verb === 'get' || request.verb === 'list' || request.resource === 'events' || (request.resource !== 'pods' && request.resource !== 'jobs')) return own.send(request, signal);
        if (++process.writes !== at) return own.send(request, signal);
        await own.send(request);
        process.broken = true;
        throw new ApiError('ServiceUnavailable', 'the process was killed');
      },
    });
    const { clock, restart, ended, job, most } = await cluster(t, succeeds(), { completions: 3, parallelism: 2 }, through);
    for (let turn = 0; turn < 200 && !process.broken; turn++) {
      await clock.advance(250);
      await rest(1);
    }
    Object.assign(process, { writes: 1_000, broken: false });
    await restart();
    await ended('Complete', 'CompletionsReached');
    t.is((await job()).status?.succeeded, 3, `killed after write ${at}`);
    t.true(most() <= 2, `killed after write ${at}: ${most()} pods at once`);
  }
});

test('a CronJob makes a Job each time it is due, keeps a few, and names them by the time', async (t) => {
  const { client, clock } = await controlledCluster(t, { outcome: succeeds() });
  await client.of(CronJob).create({ metadata: key, spec: { schedule: '*/2 * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec: { template: template() } } } });
  const jobs = async () => (await client.of(Job).list({ namespace: 'default' })).items;
  await until(clock, async () => assert.equal((await jobs()).length, 1), 130_000);
  const [first] = await jobs();
  t.is(first!.metadata.name, `work-${Date.UTC(2026, 0, 1, 0, 2) / 60_000}`);
  t.is(first!.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'], '2026-01-01T00:02:00Z');
  await until(clock, async () => {
    const { status } = await client.of(CronJob).get(key);
    assert.equal(status?.lastScheduleTime, '2026-01-01T00:08:00Z');
    assert.equal(status?.active, undefined);
    assert.equal((await jobs()).length, 2);
  }, 400_000);
});

for (const [policy, expected] of [['Forbid', 1], ['Replace', 1], ['Allow', 3]] as const) {
  test(`concurrency policy ${policy}`, async (t) => {
    const { client, clock, reasons } = await controlledCluster(t, { outcome: succeeds(10_000_000) });
    await client.of(CronJob).create({ metadata: key, spec: { schedule: '* * * * *', concurrencyPolicy: policy, jobTemplate: { spec: { template: template() } } } });
    for (let step = 0; step < 190; step++) {
      await clock.advance(1_000);
      await rest(1);
    }
    await until(clock, async () => assert.equal((await client.of(Job).list({ namespace: 'default' })).items.length, expected));
    const lines = await reasons('work');
    t.is(lines.some((line) => line.startsWith('JobAlreadyActive')), policy === 'Forbid');
    t.is(lines.some((line) => line.startsWith('SuccessfulDelete')), policy === 'Replace');
  });
}

test('a CronJob that was asleep starts the last time that it missed, unless that is too late; a suspended one starts none', async (t) => {
  const { client, clock } = await controlledCluster(t, { outcome: succeeds() });
  const make = (name: string, more: Partial<CronJob['spec']>) => client.of(CronJob).create({ metadata: { ...key, name }, spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: template() } }, suspend: true, ...more } });
  await make('late', {});
  await make('strict', { startingDeadlineSeconds: 60 });
  await make('asleep', {});
  await clock.advance(3 * 3600_000 + 600_000);
  for (const name of ['late', 'strict']) await client.of(CronJob).modify({ ...key, name }, (draft) => void (draft.spec.suspend = false));
  const names = async () => (await client.of(Job).list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name);
  await until(clock, async () => assert.deepEqual(await names(), [`late-${Date.UTC(2026, 0, 1, 3) / 60_000}`]));
  await rest();
  t.is((await names()).length, 1);
});

test('indexes are read and written as ranges', (t) => {
  for (const text of ['0', '0,1', '0-2', '1,3-5,7,8', '2-4,9']) t.is(indexesText(parseIndexes(text, 100)), text);
  t.is(indexesText(new Set()), undefined);
  t.deepEqual([...parseIndexes('1,3-5', 5)], [1, 3, 4]);
});

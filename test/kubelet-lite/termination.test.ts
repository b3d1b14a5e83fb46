import test from 'ava';
import { sleep } from '../../base/clock.ts';
import type { StopHooks } from '../../kubelet-lite/stop-hooks.ts';
import { terminatePod, terminationLimits } from '../../kubelet-lite/termination.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import { podOf, runOf } from './views.ts';

/** Ends a pod whose address no proxy ever gives up; gives what the engine was asked for, with the time. */
const stubborn = async (graceSeconds: number): Promise<readonly string[]> => {
  const clock = new FakeClock();
  const from = clock.now();
  const asked: string[] = [];
  const ended = terminatePod({
    pod: podOf(), runs: () => [runOf('a')], starting: Promise.resolve(), hooks: undefined as unknown as StopHooks, graceSeconds, podIp: '10.244.0.2', host: '10.244.0.2', report: () => undefined,
  }, {
    clock, withdrawal: { withdrawn: async (_, signal) => void await sleep(clock, 1e9, signal) },
    runtime: { stopContainer: async (_id: string, grace: number) => void asked.push(`after ${(clock.now() - from) / 1000} s with ${grace} s`) } as never,
  }, new AbortController().signal);
  await clock.advance(graceSeconds * 1000);
  await settle();
  await ended;
  return asked;
};

test('proxies that never withdraw a pod leave it half of a long grace, and hold it up no longer than a limit', async (t) => {
  t.deepEqual(await stubborn(30), ['after 15 s with 15 s']);
  t.deepEqual(await stubborn(5), ['after 5 s with 2 s']);
  t.deepEqual(await stubborn(8), ['after 5 s with 3 s']);
  t.deepEqual(await stubborn(600), [`after ${terminationLimits.withdrawalMs / 1000} s with ${600 - terminationLimits.withdrawalMs / 1000} s`]);
  t.deepEqual(await stubborn(0), ['after 0 s with 0 s']);
});

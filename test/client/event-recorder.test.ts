import test from 'ava';
import { createClient } from '../../client/client.ts';
import { createEventRecorder } from '../../client/event-recorder.ts';
import { silentLog } from '../../base/log.ts';
import type { ApiAnswer, ApiRequest, Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';

type Written = ApiObject & Readonly<Record<string, unknown>>;

/** Takes events as a server does, so that orders and failures can be chosen. */
const world = () => {
  const events = new Map<string, Written>();
  const requests: ApiRequest[] = [];
  const failures: ApiError[] = [];
  const transport: Transport = {
    send: async (request): Promise<ApiAnswer> => {
      requests.push(request);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const body = request.body as Written;
      const name = request.name ?? body.metadata.name ?? '';
      if (request.verb === 'patch' && !events.has(name)) throw new ApiError('NotFound', 'no such event');
      const object = { ...events.get(name), ...body } as Written;
      events.set(name, object);
      return { code: 201, body: object, warnings: [] };
    },
    watch: () => { throw new Error('not used'); },
  };
  const clock = new FakeClock();
  const stop = new AbortController();
  let chance = 0;
  const recorder = createEventRecorder({
    client: createClient(transport), clock, log: silentLog, random: () => (chance = (chance + 0.001) % 1), component: 'tester', host: 'n1', signal: stop.signal,
  });
  return { events, requests, failures, clock, recorder, stop, all: () => [...events.values()] };
};

const pod = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '7' } });

test('an event has what clients look for', async (t) => {
  const { recorder, all } = world();
  recorder.event({ ...pod('web'), fieldPath: 'spec.containers{web}' }, 'Warning', 'BackOff', 'Back-off restarting');
  await settle();
  t.like(all()[0], {
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-web', fieldPath: 'spec.containers{web}', resourceVersion: '7' },
    metadata: { namespace: 'shop' }, type: 'Warning', reason: 'BackOff', message: 'Back-off restarting', count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'tester', host: 'n1' }, reportingComponent: 'tester', reportingInstance: 'n1',
  });
  t.regex(all()[0]!.metadata.name ?? '', /^web\.[0-9a-f]+$/);
});

test('events about what has no namespace go to default; long names are cut', async (t) => {
  const { recorder, all } = world();
  recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: `${'n'.repeat(230)}.${'m'.repeat(22)}` } }, 'Normal', 'Starting', 'up');
  await settle();
  t.is(all()[0]?.metadata.namespace, 'default');
  t.true((all()[0]?.metadata.name ?? '').length <= 253);
});

test('the same event again raises the count', async (t) => {
  const { recorder, clock, all, requests } = world();
  for (let n = 0; n < 3; n++) {
    recorder.event(pod('web'), 'Normal', 'Pulled', 'image is there');
    await clock.advance(1_000);
  }
  recorder.event(pod('other'), 'Normal', 'Pulled', 'image is there');
  await settle();
  t.is(all().length, 2);
  t.like(all()[0], { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:02Z' });
  t.deepEqual(requests.map((request) => request.verb), ['create', 'patch', 'patch', 'create']);
});

test('an event whose first is gone is made anew', async (t) => {
  const { recorder, events, all } = world();
  recorder.event(pod('web'), 'Normal', 'Pulled', 'image is there');
  await settle();
  events.clear();
  recorder.event(pod('web'), 'Normal', 'Pulled', 'image is there');
  await settle();
  t.is(all().length, 1);
  t.is(all()[0]?.['count'], 1);
});

test('many messages for one reason become one combined event', async (t) => {
  const { recorder, all } = world();
  for (let n = 0; n < 15; n++) recorder.event(pod('web'), 'Warning', 'Failed', `try ${n}`);
  await settle(40);
  t.is(all().length, 11);
  t.like(all()[10], { message: '(combined from similar events): try 14', count: 5 });
});

test('one object cannot flood the server: 25 at once, then one each five minutes', async (t) => {
  const { recorder, clock, requests } = world();
  for (let n = 0; n < 60; n++) recorder.event(pod('web'), 'Warning', `Reason${n}`, 'x');
  await settle(80);
  t.is(requests.length, 25);
  recorder.event(pod('quiet'), 'Normal', 'Fine', 'x');
  await settle();
  t.is(requests.length, 26);
  await clock.advance(300_000);
  for (let n = 60; n < 65; n++) recorder.event(pod('web'), 'Warning', `Reason${n}`, 'x');
  await settle(40);
  t.is(requests.length, 27);
});

test('waits for a server that is away, gives up on a refusal, and goes on with the next', async (t) => {
  const { recorder, failures, clock, all } = world();
  failures.push(new ApiError('ServiceUnavailable', 'away'), new ApiError('ServiceUnavailable', 'away'));
  recorder.event(pod('a'), 'Normal', 'R', 'first');
  await clock.advance(5_000);
  t.deepEqual(all().map((event) => event['message']), ['first']);
  failures.push(new ApiError('Forbidden', 'namespace is going'));
  recorder.event(pod('b'), 'Normal', 'R', 'refused');
  recorder.event(pod('c'), 'Normal', 'R', 'next');
  await clock.advance(5_000);
  t.deepEqual(all().map((event) => event['message']), ['first', 'next']);
});

test('keeps no more than four thousand that wait', async (t) => {
  const { recorder, failures, clock, requests } = world();
  // The first of each of the eight lanes is on its way when the flood comes.
  for (let n = 0; n < 8; n++) failures.push(new ApiError('ServiceUnavailable', 'away'));
  for (let n = 0; n < 5_000; n++) recorder.event(pod(`p${n}`), 'Normal', 'R', 'x');
  await clock.advance(60_000);
  await settle(1_500);
  t.is(requests.length, 8 + 4_000 + 8);
});

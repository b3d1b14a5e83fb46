import test from 'ava';
import { clusterInfoAt } from '../../schemas/cluster-info.ts';
import type { ProxyBackend, ServiceTable } from '../../proxy/backend.ts';
import { settle } from '../helpers/fake-clock.ts';
import { lingerMs } from '../../proxy/withdrawal-board.ts';
import { createProxyComponent } from '../../proxy/component.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { silentLog } from '../../base/log.ts';
import { testApi } from '../helpers/api.ts';
import { eventually } from '../helpers/eventually.ts';

/** Remembers what it was given; an apply lasts until it is let go, and fails when it is told to. */
class SlowBackend implements ProxyBackend {
  readonly name = 'slow';
  readonly tables: ServiceTable[] = [];
  held = false;
  failures = 0;
  #release: (() => void)[] = [];

  async apply(table: ServiceTable): Promise<void> {
    this.tables.push(table);
    if (this.held) await new Promise<void>((resolve) => this.#release.push(resolve));
    if (this.failures > 0) {
      this.failures--;
      throw new Error('the kernel said no');
    }
  }

  async remove(): Promise<void> {
    this.tables.length = 0;
  }

  release(): void {
    this.held = false;
    for (const done of this.#release.splice(0)) done();
  }
}

const setup = async (t: import('ava').ExecutionContext) => {
  const api = await testApi();
  const backend = new SlowBackend();
  const component = createProxyComponent({ transport: api.transport, clock: api.clock, log: silentLog, random: () => 0.5 }, { nodeName: 'n1', backend });
  const abort = new AbortController();
  let readies = 0;
  const running = component.run(abort.signal, () => void readies++);
  t.teardown(async () => {
    abort.abort();
    backend.release();
    await running;
    await api.close();
  });
  await until(() => readies === 1);
  await api.client.of(Service).create({ metadata: { name: 'web', namespace: 'default' }, spec: { ports: [{ port: 80 }], selector: { app: 'web' } } });
  const slices = api.client.of(EndpointSlice);
  const endpoints = (...list: readonly (readonly [n: number, ready: boolean, terminating?: boolean])[]) => list.map(([n, ready, terminating = false]) => ({ addresses: [`10.244.0.${n}`], conditions: { ready, serving: true, terminating } }));
  await slices.create({ metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', ports: [{ name: '', port: 8080, protocol: 'TCP' }], endpoints: endpoints([2, true]) });
  const change = async (...list: readonly (readonly [n: number, ready: boolean, terminating?: boolean])[]): Promise<void> => {
    await slices.modify({ namespace: 'default', name: 'web-1' }, (draft) => {
      draft.endpoints = endpoints(...list);
    });
  };
  const applied = (): readonly string[] => backend.tables.at(-1)?.get('default/web:')?.endpoints.map(({ ip }) => ip) ?? [];
  await until(() => applied().join() === '10.244.0.2');
  return { api, backend, component, change, applied, readies: () => readies };
};

/** Assertions of the test runner count even when they are tried again, so this one is none. */
const until = (holds: () => boolean | Promise<boolean>): Promise<void> => eventually(async () => {
  if (!await holds()) throw new Error(`never: ${holds}`);
});

const pending = async (promise: Promise<void>): Promise<boolean> => Promise.race([promise.then(() => false), new Promise<boolean>((resolve) => setImmediate(() => resolve(true)))]);
const never = new AbortController().signal;

test('changes during an apply make one next apply, with the last state', async (t) => {
  const { backend, change, applied, readies } = await setup(t);
  backend.held = true;
  await change([2, true], [3, true]);
  await until(() => applied().length === 2);
  const count = backend.tables.length;
  for (let n = 4; n < 9; n++) await change([2, true], [n, true]);
  t.is(backend.tables.length, count);
  backend.release();
  await until(() => applied().join() === '10.244.0.2,10.244.0.8');
  t.true(backend.tables.length <= count + 2);
  t.is(readies(), 1);
});

test('a pod is withdrawn when the table without it is applied, and not before', async (t) => {
  const { api, backend, change, component, applied } = await setup(t);
  await change([2, true], [3, true]);
  await until(() => applied().length === 2);
  await component.withdrawal.withdrawn('10.244.0.99', never);
  const withdrawn = component.withdrawal.withdrawn('10.244.0.2', never);
  t.true(await pending(withdrawn));
  backend.held = true;
  await change([2, false, true], [3, true]);
  await until(() => applied().join() === '10.244.0.3');
  t.true(await pending(withdrawn));
  backend.release();
  // A request that came just before gets a moment to be answered.
  await settle();
  t.true(await pending(withdrawn));
  await api.clock.advance(lingerMs);
  await withdrawn;
  await component.withdrawal.withdrawn('10.244.0.2', never);
  const abort = new AbortController();
  const other = component.withdrawal.withdrawn('10.244.0.3', abort.signal);
  t.true(await pending(other));
  abort.abort();
  await other;
});

test('nobody waits for the last pod of a service that ends', async (t) => {
  const { api, change, component, applied } = await setup(t);
  const withdrawn = component.withdrawal.withdrawn('10.244.0.2', never);
  await change([2, false, true]);
  await until(() => applied().length === 1);
  await settle();
  await api.clock.advance(lingerMs);
  await withdrawn;
  t.deepEqual(applied(), ['10.244.0.2']);
});

test('an apply that fails is tried again, and all is applied again now and then', async (t) => {
  const { api, backend, change, applied } = await setup(t);
  backend.failures = 2;
  await change([5, true]);
  await until(async () => {
    await api.clock.advance(200);
    return backend.failures === 0 && applied().join() === '10.244.0.5';
  });
  await api.clock.advance(1_000);
  const count = backend.tables.length;
  await api.clock.advance(60_000);
  await until(() => backend.tables.length > count);
  t.pass();
});

test('external addresses are served when the cluster says so, and no longer when it does not', async (t) => {
  const { api, backend } = await setup(t);
  const open = (): string | undefined => backend.tables.at(-1)?.get('default/web:')?.outsideIps.join();
  await api.client.of(Service).modify({ namespace: 'default', name: 'web' }, (draft) => {
    draft.spec.externalIPs = ['203.0.113.1'];
  });
  await settle();
  t.is(open(), '');
  const infos = api.client.of(ConfigMap);
  await infos.create({ metadata: { name: 'other', namespace: clusterInfoAt.namespace }, data: { externalIPs: 'true' } });
  await infos.create({ metadata: clusterInfoAt, data: { externalIPs: 'true' } });
  await until(() => open() === '203.0.113.1');
  await infos.modify(clusterInfoAt, (draft) => {
    draft.data = { externalIPs: 'false' };
  });
  await until(() => open() === '');
});

test('a change that makes no other table costs the kernel nothing, and a later one counts', async (t) => {
  const { backend, change, component, applied } = await setup(t);
  const count = backend.tables.length;
  for (let n = 3; n < 9; n++) {
    await change([2, true], [n, false]);
    await settle();
  }
  await change([2, true], [8, true]);
  await until(() => applied().join() === '10.244.0.2,10.244.0.8');
  t.is(backend.tables.length, count + 1, 'endpoints that are not ready are in no table');
  await component.withdrawal.withdrawn('10.244.0.7', never);
});

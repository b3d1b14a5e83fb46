import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { silentLog } from '../../base/log.ts';
import { HealthCheckServer } from '../../proxy/health-check-server.ts';
import { healthChecks } from '../../proxy/health-checks.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';

const service = (spec: Partial<Service['spec']>): Service => ({
  kind: 'Service', apiVersion: 'v1', metadata: { name: 'web', namespace: 'ns' }, spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100, clusterIP: '10.96.0.1', ports: [{ port: 80 }, { name: 'b', port: 81 }], ...spec },
});
const slice = (endpoints: EndpointSlice['endpoints'], name = 'web'): EndpointSlice => ({
  kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', addressType: 'IPv4', ports: [], endpoints, metadata: { name: `${name}-1`, namespace: 'ns', labels: { 'kubernetes.io/service-name': name } },
});

test('a balancer learns of the pods of this node that are ready, each once', (t) => {
  const at = (n: number, nodeName: string, ready?: boolean) => ({ addresses: [`10.244.0.${n}`], nodeName, conditions: ready === undefined ? {} : { ready } });
  const slices = [slice([at(1, 'n1', true), at(2, 'n1'), at(3, 'n1', false), at(4, 'n2', true)]), slice([at(1, 'n1', true)]), slice([at(5, 'n1', true)], 'other')];
  const checks = (spec: Partial<Service['spec']>) => [...healthChecks({ services: [service(spec)], slices, nodeName: 'n1' })];
  t.deepEqual(checks({}), [[30_100, { namespace: 'ns', name: 'web', localEndpoints: 2 }]]);
  t.deepEqual(checks({ publishNotReadyAddresses: true }), [[30_100, { namespace: 'ns', name: 'web', localEndpoints: 3 }]]);
  for (const spec of [{ externalTrafficPolicy: 'Cluster' }, { type: 'NodePort' }, { healthCheckNodePort: 0 }] as const) t.deepEqual(checks(spec), []);
});

test('a port answers for its service as long as there is one', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const server = new HealthCheckServer({ host: '127.0.0.1', log: silentLog });
  t.teardown(() => server.apply(new Map()));
  const apply = (localEndpoints: number): Promise<void> => server.apply(new Map([[port, { namespace: 'ns', name: 'web', localEndpoints }]]));
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    return { code: response.status, weight: response.headers.get('x-load-balancing-endpoint-weight'), body: await response.json() as unknown };
  };
  await apply(1);
  // Somebody else has the port; it is tried again with the next apply.
  other.close();
  await once(other, 'close');
  await apply(2);
  t.deepEqual(await ask(), { code: 200, weight: '2', body: { service: { namespace: 'ns', name: 'web' }, localEndpoints: 2, serviceProxyHealthy: true } });
  await apply(0);
  t.like(await ask(), { code: 503, weight: '0' });
  await server.apply(new Map());
  await t.throwsAsync(ask());
});

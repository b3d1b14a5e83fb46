/**
 * What client-go's reflectors send, as Prometheus' discovery does for its roles: a list from the cache, then watches with
 * bookmarks, asking for protobuf first and gzip, over connections that are kept.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { load } from 'js-yaml';
import test from 'ava';
import { bargeBin, E2eCluster, within } from '../helpers/e2e.ts';

interface Meta { readonly name: string; readonly resourceVersion: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: object }
interface Seen { readonly kind?: string; readonly metadata: Meta; readonly [field: string]: unknown }
interface Event { readonly type: string; readonly object: Seen }
interface List { readonly kind: string; readonly apiVersion: string; readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Seen[] }

/** The roles of the discovery, and what each lists. */
const roles = {
  pod: '/api/v1/pods', service: '/api/v1/services', endpoints: '/api/v1/endpoints',
  endpointslice: '/apis/discovery.k8s.io/v1/endpointslices', node: '/api/v1/nodes',
} as const;
type Role = keyof typeof roles;

const headers = { accept: 'application/vnd.kubernetes.protobuf, */*', 'accept-encoding': 'gzip', 'user-agent': 'Prometheus/2.53.3' };

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: barge/hello:1, ports: [{name: metrics, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: metrics}]
`;

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((part, key) => (part as Record<string | number, unknown> | undefined)?.[key], value);

class Reflector {
  readonly #agent: Agent;
  readonly #server: string;
  /** Local ports of the connections used, to see that they are kept. */
  readonly connections = new Set<number>();

  constructor(server: string, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
  }

  #get(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request(new URL(path, this.#server), { agent: this.#agent, headers }, (response) => {
        this.connections.add(response.socket.localPort!);
        resolve(response);
      }).on('error', reject).end();
    });
  }

  async list(path: string): Promise<List> {
    const response = await this.#get(`${path}?limit=500&resourceVersion=0`);
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-type'], 'application/json');
    const bytes = await buffer(response);
    const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    return JSON.parse(body.toString()) as List;
  }

  /** Follows a watch to its end; events come as they are read. */
  async watch(path: string, resourceVersion: string, timeoutSeconds: number, onEvent: (event: Event) => void): Promise<void> {
    const response = await this.#get(`${path}?allowWatchBookmarks=true&resourceVersion=${resourceVersion}&timeout=8m4s&timeoutSeconds=${timeoutSeconds}&watch=true`);
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['content-encoding'], undefined, 'a stream is never compressed');
    for await (const line of createInterface({ input: response })) onEvent(JSON.parse(line) as Event);
    assert.ok(response.complete, 'the stream was cut off');
  }
}

test('the roles of a discovery see what is there, what changes, and where to go on', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--runtime', 'simulated'] });
  t.teardown(() => cluster.remove());
  await cluster.with(bargeBin, ['apply', '-f', '-'], { input: manifest });
  await cluster.barge('rollout', 'status', 'deployment/web', '--timeout=60s');

  const config = load(await readFile(cluster.kubeconfig, 'utf8')) as { readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]; readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }] };
  const pem = (data: string | undefined): Buffer => Buffer.from(data ?? '', 'base64');
  const { cluster: { server, 'certificate-authority-data': ca } } = config.clusters[0];
  const { user } = config.users[0];
  const agent = new Agent({ keepAlive: true, ca: pem(ca), cert: pem(user['client-certificate-data']), key: pem(user['client-key-data']) });
  t.teardown(() => agent.destroy());
  const reflector = new Reflector(server!, agent);

  const lists = {} as Record<Role, List>;
  for (const [role, path] of Object.entries(roles) as [Role, string][]) {
    await within(60, async () => {
      const list = await reflector.list(path);
      lists[role] = list;
      assert.match(list.kind, /List$/);
      assert.ok(Number(list.metadata.resourceVersion) > 0);
      assert.ok(list.items.length > 0, role);
      if (role === 'endpoints') assert.equal((at(list.items.find((one) => one.metadata.name === 'web'), 'subsets', 0, 'addresses') as unknown[] | undefined)?.length, 2);
    });
  }
  t.is(reflector.connections.size, 1, 'one connection carries one list after the other');
  const own = (role: Role, match: (one: Seen) => boolean): Seen => lists[role].items.find(match)!;

  // What the discovery makes targets of.
  const pod = own('pod', (one) => one.metadata.labels?.['app'] === 'web');
  t.regex(String(at(pod, 'status', 'podIP')), /^10\.244\./);
  t.truthy(at(pod, 'spec', 'nodeName'));
  t.true((at(pod, 'status', 'conditions') as { type: string; status: string }[]).some(({ type, status }) => type === 'Ready' && status === 'True'));
  t.like(at(pod, 'status', 'containerStatuses', 0), { name: 'web', ready: true });
  t.like(at(pod, 'spec', 'containers', 0, 'ports', 0), { name: 'metrics', containerPort: 8080, protocol: 'TCP' });
  const endpoints = own('endpoints', (one) => one.metadata.name === 'web');
  t.like(at(endpoints, 'subsets', 0, 'ports', 0), { name: 'http', port: 8080 });
  t.like(at(endpoints, 'subsets', 0, 'addresses', 0, 'targetRef'), { kind: 'Pod', namespace: 'default' });
  t.truthy(at(endpoints, 'subsets', 0, 'addresses', 0, 'nodeName'));
  const slice = own('endpointslice', (one) => one.metadata.labels?.['kubernetes.io/service-name'] === 'web');
  t.like(at(slice, 'ports', 0), { name: 'http', port: 8080, protocol: 'TCP' });
  t.like(at(slice, 'endpoints', 0), { conditions: { ready: true }, targetRef: { kind: 'Pod' } });
  t.is(at(slice, 'addressType'), 'IPv4');
  t.truthy(at(own('service', (one) => one.metadata.name === 'web'), 'spec', 'clusterIP'));
  const node = own('node', () => true);
  t.true((at(node, 'status', 'addresses') as { type: string }[]).some(({ type }) => type === 'InternalIP'));
  t.truthy(at(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port'));

  // All roles watch at once, as they do; each sees the changes of its own.
  const events = Object.fromEntries(Object.keys(roles).map((role) => [role, [] as Event[]])) as Record<Role, Event[]>;
  const seenAll = new AbortController();
  const watching = Promise.all((Object.entries(roles) as [Role, string][]).map(async ([role, path]) => {
    for (let from = lists[role].metadata.resourceVersion; !seenAll.signal.aborted; from = events[role].at(-1)!.object.metadata.resourceVersion) {
      const started = Date.now();
      await reflector.watch(path, from, 5, (event) => void events[role].push(event));
      t.true(Date.now() - started > 3_000, 'timeoutSeconds=5 ends a watch no sooner');
    }
  }));
  await cluster.barge('scale', 'deployment/web', '--replicas=3');
  await cluster.barge('label', 'node', node.metadata.name, 'seen=yes');
  await cluster.barge('create', 'service', 'clusterip', 'second', '--tcp=80:80');
  const changes = (role: Role): readonly Event[] => events[role].filter(({ type }) => type !== 'BOOKMARK');
  await within(60, () => {
    assert.ok(changes('pod').some(({ type }) => type === 'ADDED'));
    assert.ok(changes('endpoints').some(({ object }) => object.metadata.name === 'web' && (at(object, 'subsets', 0, 'addresses') as unknown[]).length === 3));
    assert.ok(changes('endpointslice').some(({ object }) => (at(object, 'endpoints') as unknown[] | undefined)?.length === 3));
    assert.ok(changes('node').some(({ object }) => object.metadata.labels?.['seen'] === 'yes'));
    assert.ok(changes('service').some(({ type, object }) => type === 'ADDED' && object.metadata.name === 'second'));
  }, 20);
  seenAll.abort();
  await watching;

  await Promise.all((Object.entries(roles) as [Role, string][]).map(async ([role, path]) => {
    const versions = events[role].map(({ object }) => Number(object.metadata.resourceVersion));
    t.deepEqual(versions, [...versions].sort((a, b) => a - b), role);
    t.true(versions[0]! > Number(lists[role].metadata.resourceVersion), role);
    const bookmark = events[role].findLast(({ type }) => type === 'BOOKMARK');
    t.truthy(bookmark, `${role}: a watch says where to go on before it ends`);
    const { metadata, ...rest } = bookmark!.object;
    t.deepEqual(Object.keys(rest).sort(), ['apiVersion', 'kind'], role);
    t.deepEqual(Object.keys(metadata), ['resourceVersion'], role);
    const more: Event[] = [];
    await reflector.watch(path, metadata.resourceVersion, 1, (event) => void more.push(event));
    t.deepEqual(more.filter((event) => Number(event.object.metadata.resourceVersion) < Number(metadata.resourceVersion)), [], role);
  }));
  t.true(reflector.connections.size <= Object.keys(roles).length + 1, `${reflector.connections.size} connections were needed`);
});

import test, { type ExecutionContext } from 'ava';
import { createRulesAuthorizer } from '../../apiserver/authorization/rules.ts';
import type { ProxyRequest, ProxyTarget } from '../../apiserver/core.ts';
import { splitPlace } from '../../apiserver/subresources/proxy.ts';
import type { NewObject } from '../../client/client.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ApiObject, Kind } from '../../schemas/kind.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { admin, testApi, type TestApi, type TestApiOptions } from '../helpers/api.ts';

test('names with schemes and ports', (t) => {
  t.deepEqual(splitPlace('web'), { scheme: 'http', name: 'web', port: '' });
  t.deepEqual(splitPlace('web:80'), { scheme: 'http', name: 'web', port: '80' });
  t.deepEqual(splitPlace('https:web:'), { scheme: 'https', name: 'web', port: '' });
  t.deepEqual(splitPlace(':web:http'), { scheme: 'http', name: 'web', port: 'http' });
  for (const odd of ['', ':80', 'ftp:web:80', 'a:b:c:d', 'http::80']) t.is(splitPlace(odd), undefined, odd);
});

interface Cluster extends TestApi {
  /** Creates an object in the namespace default and writes its status. */
  object<T extends ApiObject>(kind: Kind<T>, name: string, body: object, status?: object): Promise<void>;
  /** Where a request goes, or the code and words of its refusal. */
  target(request: Pick<ProxyRequest, 'resource' | 'name'> & Partial<ProxyRequest>, user?: string): Promise<ProxyTarget | { readonly code: number; readonly message: string }>;
}

const cluster = async (t: ExecutionContext, options: TestApiOptions = {}): Promise<Cluster> => {
  const api = await testApi(options);
  t.teardown(api.close);
  const object: Cluster['object'] = async (kind, name, body, status) => {
    const key = kind.scope === 'Namespaced' ? { namespace: 'default', name } : { name };
    await api.client.of(kind).create({ metadata: key, ...body } as unknown as NewObject<never>);
    if (status !== undefined) await api.client.of(kind).modifyStatus(key, (draft) => { Object.assign(draft, { status }); });
  };
  await object(Node, 'n1', { spec: { podCIDR: '10.244.0.0/24' } }, { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] });
  return {
    ...api, object,
    target: async (request, user) => {
      const namespace = request.resource === 'nodes' ? undefined : 'default';
      try {
        return await api.core.proxy({ method: 'GET', path: '/', isUpgrade: false, namespace, ...request }, user === undefined ? admin : { name: user, groups: [] });
      } catch (error) {
        if (error instanceof ApiError) return { code: error.code, message: error.message };
        throw error;
      }
    },
  };
};

const podStatus = (ip: string, phase = 'Running'): object => ({ phase, podIP: ip, podIPs: [{ ip }] });
const podSpec = (more: object = {}, ports: readonly object[] = [{ name: 'web', containerPort: 8080 }]): object => ({ spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports }], ...more } });
const endpointsOf = (ip: string, pod: string, ports: readonly object[] = [{ port: 8080 }]): object => ({ subsets: [{ addresses: [{ ip, targetRef: { kind: 'Pod', name: pod, namespace: 'default' } }], ports }] });

test('pods, services and their ports are found, or it is said why not', async (t) => {
  const api = await cluster(t);
  await api.object(Pod, 'web', podSpec(), podStatus('10.244.0.5'));
  await api.object(Pod, 'bare', podSpec({}, []), podStatus('10.244.0.6'));
  await api.object(Pod, 'done', podSpec(), podStatus('10.244.0.5', 'Succeeded'));
  await api.object(Pod, 'waiting', podSpec());
  await api.object(Service, 'web', { spec: { ports: [{ port: 80 }] } });
  await api.object(Endpoints, 'web', endpointsOf('10.244.0.5', 'web'));
  await api.object(Service, 'two', { spec: { ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81 }] } });
  await api.object(Endpoints, 'two', endpointsOf('10.244.0.5', 'web', [{ name: 'a', port: 8080 }, { name: 'b', port: 8081 }]));
  await api.object(Service, 'empty', { spec: { ports: [{ port: 80 }] } });
  await api.object(Service, 'ended', { spec: { ports: [{ port: 80 }] } });
  await api.object(Endpoints, 'ended', endpointsOf('10.244.0.5', 'done'));
  const to = (port: number, host = '10.244.0.5', scheme = 'http') => ({ scheme, host, port });
  const none = (name: string) => ({ code: 503, message: `no endpoints available for service "${name}"` });
  const cases: readonly (readonly ['pods' | 'services' | 'nodes', string, object])[] = [
    ['pods', 'web', to(8080)], ['pods', 'web:9', to(9)], ['pods', 'web:web', to(8080)], ['pods', 'https:web:8443', to(8443, '10.244.0.5', 'https')], ['pods', 'bare', to(80, '10.244.0.6')], ['pods', 'https:bare:', to(443, '10.244.0.6', 'https')],
    ['services', 'web', to(8080)], ['services', 'web:80', to(8080)], ['services', 'https:web:', to(8080, '10.244.0.5', 'https')], ['services', 'two:b', to(8081)], ['services', 'two:81', to(8081)],
    ['services', 'two', none('two')], ['services', 'two:c', none('two')], ['services', 'empty', none('empty')], ['services', 'ended', none('ended')], ['services', 'web:81', { code: 503, message: 'no service port 81 found for service "web"' }],
    ['services', 'none', { code: 404, message: 'services "none" not found' }], ['pods', 'none:80', { code: 404, message: 'pods "none" not found' }], ['nodes', 'none', { code: 404, message: 'nodes "none" not found' }],
    ['pods', 'done', { code: 503, message: 'pod "done" has no address: it is not running' }], ['pods', 'waiting', { code: 503, message: 'pod "waiting" has no address: it is not running' }],
    ['pods', 'web:99999', { code: 400, message: 'pod "web" has no port "99999": name one of its ports, or a number from 1 to 65535' }],
    ['pods', 'ftp:web:80', { code: 400, message: 'invalid pod request "ftp:web:80": write name, name:port or scheme:name:port, where the scheme is http or https' }],
    ['nodes', 'n1:0', { code: 400, message: 'invalid port "0" of node "n1": a number from 1 to 65535 is needed' }],
  ];
  for (const [resource, name, expected] of cases) t.deepEqual(await api.target({ resource, name }), expected as never, `${resource} ${name}`);
});

const refused = [
  '127.0.0.1', '127.8.8.8', '::1', '0.0.0.0', '169.254.169.254', '169.254.0.1', '100.100.100.200', '192.0.0.192', '224.0.0.1', '239.255.255.250', '255.255.255.255',
  'fe80::1', 'ff02::1', 'fd00:ec2::254', '::', '::7f00:1', '::ffff:169.254.169.254', '::ffff:127.0.0.1', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1',
  // Nobody gave these to a pod of the node: another node's range, a service, the node, the internet.
  '10.244.1.5', '10.96.0.1', '192.0.2.7', '203.0.113.9', '2001:db8::1',
];

test('no pod and no service leads the server to an address that is not its own', async (t) => {
  const api = await cluster(t);
  await api.object(Node, 'n2', { spec: {} }, { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }, { type: 'InternalIP', address: '169.254.169.254' }] });
  for (const [index, ip] of refused.entries()) {
    for (const [kind, more] of [['pod', {}], ['host', { hostNetwork: true }], ['local', { hostNetwork: true, nodeName: 'n2' }], ['homeless', { nodeName: 'n2' }]] as const) {
      const name = `${kind}${index}`;
      await api.object(Pod, name, podSpec(more), podStatus(ip));
      await api.object(Service, name, { spec: { ports: [{ port: 80 }] } });
      // The endpoints of the worst addresses cannot even be written.
      await api.object(Endpoints, name, endpointsOf(ip, name)).catch((error: unknown) => t.true(error instanceof ApiError && error.code === 422));
      // Only a pod on the network of its node has the node's address, and there the ports that it declares.
      const own = kind === 'host' && ip === '192.0.2.7';
      if (own) t.deepEqual(await api.target({ resource: 'pods', name }), { scheme: 'http', host: ip, port: 8080 });
      else t.like(await api.target({ resource: 'pods', name }), { code: 400 }, `${name} ${ip}`);
      t.like(await api.target({ resource: 'pods', name: `${name}:22` }), { code: 400 }, `${name} ${ip}`);
      t.like(await api.target({ resource: 'services', name }), own ? { host: ip } : { code: 503 }, `${name} ${ip}`);
    }
  }
  await api.object(Endpoints, 'ssh', endpointsOf('192.0.2.7', `host${refused.indexOf('192.0.2.7')}`, [{ port: 22 }]));
  await api.object(Service, 'ssh', { spec: { ports: [{ port: 22 }] } });
  t.like(await api.target({ resource: 'services', name: 'ssh' }), { code: 503 });
});

test('endpoints that somebody wrote by hand lead nowhere', async (t) => {
  const api = await cluster(t);
  await api.object(Pod, 'real', podSpec(), podStatus('10.244.0.20'));
  for (const [name, targetRef] of [['no-pod', undefined], ['not-its', { kind: 'Pod', name: 'real', namespace: 'default' }], ['absent', { kind: 'Pod', name: 'absent' }], ['node', { kind: 'Node', name: 'n1' }]] as const) {
    await api.object(Service, name, { spec: { ports: [{ port: 80 }] } });
    await api.object(Endpoints, name, { subsets: [{ addresses: [{ ip: '10.244.0.21', ...(targetRef === undefined ? {} : { targetRef }) }], ports: [{ port: 80 }] }] });
    t.deepEqual(await api.target({ resource: 'services', name }), { code: 503, message: `no endpoints available for service "${name}"` });
  }
  await api.object(Service, 'external', { spec: { type: 'ExternalName', externalName: 'metadata.google.internal' } });
  t.like(await api.target({ resource: 'services', name: 'external:80' }), { code: 503 });
});

test('a node leads to its own address and nowhere else, and to its agent for what can be read there', async (t) => {
  const api = await cluster(t);
  const agentAt = (address: string): object => ({ addresses: [{ type: 'InternalIP', address }], daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } });
  const nowhere = refused.filter((one) => !['10.244.1.5', '10.96.0.1', '192.0.2.7', '203.0.113.9', '2001:db8::1'].includes(one));
  for (const [index, address] of [...nowhere, 'metadata.internal', '127.1', '0x7f.1'].entries()) {
    const name = `bad${index}`;
    await api.object(Node, name, {}, agentAt(address));
    t.like(await api.target({ resource: 'nodes', name: `${name}:80` }), { code: 400 }, address);
    // On one machine the agent may be on loopback: nothing is there that has its certificate.
    const loopback = address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
    t.like(await api.target({ resource: 'nodes', name, path: '/metrics' }), loopback ? { scheme: 'agent', host: address, port: 10_250 } : { code: 503 }, address);
  }
  t.like(await api.target({ resource: 'nodes', name: 'n1', path: '/metrics' }), { code: 503 });
  await api.object(Node, 'n3', {}, agentAt('192.0.2.8'));
  t.deepEqual(await api.target({ resource: 'nodes', name: 'n3:9100' }), { scheme: 'http', host: '192.0.2.8', port: 9100 });
  t.deepEqual(await api.target({ resource: 'nodes', name: 'https:n3:9100' }), { scheme: 'https', host: '192.0.2.8', port: 9100 });
  for (const name of ['n3', 'n3:10250', 'https:n3:10250']) {
    for (const path of ['/healthz', '/metrics', '/metrics/resource', '/stats/summary', '/stats/summary/', '/pods', '/configz']) t.deepEqual(await api.target({ resource: 'nodes', name, path }), { scheme: 'agent', host: '192.0.2.8', port: 10_250 });
    for (const path of ['/exec/default/web/c', '/run/x', '/attach/default/web/c', '/portForward/default/web', '/containerLogs/default/web/c', '/metrics/../exec/default/web/c', '//metrics', '/metrics%2f..', '/', '']) {
      t.like(await api.target({ resource: 'nodes', name, path }), { code: 403 }, path);
    }
    t.like(await api.target({ resource: 'nodes', name, path: '/metrics', method: 'POST' }), { code: 405 });
    t.like(await api.target({ resource: 'nodes', name, path: '/metrics', isUpgrade: true }), { code: 403 });
  }
});

test('who may: by verb, resource and the name as it stands in the URL', async (t) => {
  const api = await cluster(t, { authorizer: createRulesAuthorizer([
    { groups: ['system:masters', 'system:apiserver'], rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] },
    { users: ['bob'], rules: [{ apiGroups: [''], resources: ['services/proxy'], verbs: ['get'], resourceNames: ['http:web:'] }, { apiGroups: [''], resources: ['pods', 'services', 'nodes'], verbs: ['*'] }] },
  ]) });
  await api.object(Service, 'web', { spec: { ports: [{ port: 80 }] } });
  t.like(await api.target({ resource: 'services', name: 'http:web:' }, 'bob'), { code: 503 });
  for (const [resource, name, method, verb] of [['services', 'web', 'GET', 'get'], ['services', 'http:web:', 'POST', 'create'], ['services', 'http:web:', 'DELETE', 'delete'], ['services', 'http:web:', 'PUT', 'update'], ['pods', 'none', 'PATCH', 'patch'], ['pods', 'none', 'HEAD', 'get'], ['pods', 'none', 'OPTIONS', 'options'], ['nodes', 'n1', 'GET', 'get']] as const) {
    const where = resource === 'nodes' ? 'at the cluster scope' : 'in the namespace "default"';
    t.deepEqual(await api.target({ resource, name, method }, 'bob'), { code: 403, message: `${resource} "${name}" is forbidden: User "bob" cannot ${verb} resource "${resource}/proxy" in API group "" ${where}` });
  }
});

import test from 'ava';
import { describeFailure } from '../../cli/errors.ts';
import { parseThresholds } from '../../kubelet-lite/pressure/thresholds.ts';
import { ConfigError, readConfig, settings, type Given } from '../../cli/config.ts';

const read = (flags: Given, text?: string, root = true, env: Record<string, string> = { HOME: '/home/ann' }) =>
  readConfig({ flags, file: text === undefined ? undefined : { name: 'barge.yaml', text }, env, root });

test('defaults as root', (t) => {
  const { given, ...config } = read({ 'node-name': 'n1' });
  t.deepEqual(given, { 'node-name': 'n1' });
  t.deepEqual(config, {
    dataDir: '/var/lib/barge', listen: { host: '127.0.0.1', port: 6443 }, kubeconfig: '/var/lib/barge/admin.kubeconfig', nodeName: 'n1', nodeIp: undefined,
    dockerHost: undefined, runtime: 'docker', controllers: true, scheduler: true, agent: true, warmSandboxes: 8, imageGc: { highPercent: 85, lowPercent: 80, youngestMs: 120_000 },
    eviction: { thresholds: parseThresholds('memory.available<100Mi,nodefs.available<5%,imagefs.available<5%,nodefs.inodesFree<5%'), transitionMs: 300_000 }, reserved: [], clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', overlay: 'auto', logLevel: 'info', logFormat: 'text',
    nodes: { leaseSeconds: 20, monitorGraceMs: 15_000, patience: { notReadySeconds: 300, unreachableSeconds: 5 }, evictionRates: { perSecond: 0.1, secondaryPerSecond: 0.01, largeZone: 50, unhealthyShare: 0.55 } },
    requestsInFlight: { reading: 400, mutating: 200 }, watchesPerUser: 1_000, requestTimeoutMs: 60_000, audit: undefined, schedulerConfigFile: undefined, schedulerStrategy: undefined, certificateLifetimeMs: 365 * 86_400_000,
    loadBalancerPool: undefined, externalIps: false, podManifestPath: undefined, etcd: undefined,
  });
});

test('everybody else keeps state in the XDG data folder', (t) => {
  t.is(read({}, undefined, false).dataDir, '/home/ann/.local/share/barge');
  t.is(read({}, undefined, false, { XDG_DATA_HOME: '/data' }).dataDir, '/data/barge');
});

test('a config file says the same as flags, and flags win', (t) => {
  const text = 'listen: "0.0.0.0:7000"\nno-agent: true\nlog-format: json\nnode-name: from-file\n';
  const config = read({ 'node-name': 'from-flag' }, text);
  t.like(config, { listen: { host: '0.0.0.0', port: 7000 }, agent: false, logFormat: 'json', nodeName: 'from-flag' });
});

test('every setting can stand in the file', (t) => {
  const values: Record<string, string> = {
    'data-dir': '/d', listen: '[::1]:0', kubeconfig: '/k', 'node-name': 'n', 'node-ip': '192.0.2.1', 'docker-host': 'tcp://h:1', runtime: 'simulated', 'warm-sandboxes': '3', 'image-gc-high-threshold': '70', 'image-gc-low-threshold': '0', 'minimum-image-ttl-duration': '0s', 'eviction-hard': 'memory.available<1Gi', 'eviction-pressure-transition-period': '30s', 'system-reserved': 'cpu=500m,memory=1Gi', 'kube-reserved': 'ephemeral-storage=2Gi', 'no-agent': 'true', components: 'scheduler, agent',
    'cluster-cidr': '10.1.0.0/16', 'service-cidr': '10.2.0.0/24', overlay: 'vxlan', 'log-level': 'debug', 'log-format': 'json',
    'max-requests-inflight': '10', 'max-mutating-requests-inflight': '6', 'max-watches-per-user': '7', 'request-timeout': '1m30s', 'audit-log': '/a/b', 'audit-policy': '/p', 'audit-log-max-size': '2', 'audit-log-max-backups': '0', 'scheduler-config': '/s',
    'node-lease-duration': '40s', 'node-monitor-grace-period': '50s', 'default-unreachable-toleration-seconds': '300', 'default-not-ready-toleration-seconds': '200',
    'node-eviction-rate': '1', 'secondary-node-eviction-rate': '0', 'unhealthy-zone-threshold': '0.5', 'large-cluster-size-threshold': '9', 'cluster-signing-duration': '90m',
    'load-balancer-pool': '10.3.0.0/24, 10.4.0.1-10.4.0.9', 'external-ips': 'true', 'pod-manifest-path': '/m',
    'etcd-servers': 'https://a:2379, https://[::1]:2379/', 'etcd-prefix': 'one/', 'etcd-cafile': '/e/ca', 'etcd-certfile': '/e/cert', 'etcd-keyfile': '/e/key',
  };
  t.deepEqual([...Object.keys(values), 'scheduler-strategy'].sort(), settings.map((setting) => setting.name).sort());
  const text = Object.entries(values).map(([key, value]) => `${key}: ${value === 'true' ? value : JSON.stringify(value)}`).join('\n');
  const { given, ...config } = read({}, text);
  t.deepEqual(Object.keys(given), Object.keys(values));
  t.deepEqual(config, {
    dataDir: '/d', listen: { host: '::1', port: 0 }, kubeconfig: '/k', nodeName: 'n', nodeIp: '192.0.2.1', dockerHost: 'tcp://h:1', runtime: 'simulated', warmSandboxes: 3, imageGc: { highPercent: 70, lowPercent: 0, youngestMs: 0 }, eviction: { thresholds: [{ signal: 'memory.available', least: { amount: 2 ** 30 } }], transitionMs: 30_000 }, reserved: [{ cpu: '500m', memory: '1Gi' }, { 'ephemeral-storage': '2Gi' }], controllers: false, scheduler: true, agent: false,
    clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/24', overlay: 'vxlan', logLevel: 'debug', logFormat: 'json',
    nodes: { leaseSeconds: 40, monitorGraceMs: 50_000, patience: { notReadySeconds: 200, unreachableSeconds: 300 }, evictionRates: { perSecond: 1, secondaryPerSecond: 0, largeZone: 9, unhealthyShare: 0.5 } },
    requestsInFlight: { reading: 10, mutating: 6 }, watchesPerUser: 7, requestTimeoutMs: 90_000, audit: { file: '/a/b', policyFile: '/p', maxBytes: 2 * 1024 * 1024, maxBackups: 0 }, schedulerConfigFile: '/s', schedulerStrategy: undefined, certificateLifetimeMs: 5_400_000,
    loadBalancerPool: '10.3.0.0/24, 10.4.0.1-10.4.0.9', externalIps: true, podManifestPath: '/m',
    etcd: { endpoints: ['https://a:2379', 'https://[::1]:2379'], prefix: '/one', caFile: '/e/ca', certFile: '/e/cert', keyFile: '/e/key' },
  });
});

for (const [flags, text, message] of [
  [{ components: 'apiserver' }, undefined, /--components: "apiserver" is not one of controllers, scheduler, agent/],
  [{ listen: '6443' }, undefined, /--listen: "6443" must be HOST:PORT/],
  [{ listen: 'localhost:70000' }, undefined, /--listen/],
  [{ runtime: 'podman' }, undefined, /--runtime: "podman" is not one of docker, simulated/],
  [{ overlay: 'wireguard' }, undefined, /--overlay: "wireguard" is not one of auto, vxlan/],
  [{ 'log-level': 'loud' }, undefined, /--log-level/],
  [{ 'etcd-servers': 'a:2379' }, undefined, /--etcd-servers: "a:2379" must be a URL such as https/],
  [{ 'etcd-prefix': '/x' }, undefined, /--etcd-prefix: needs --etcd-servers/],
  [{ 'etcd-servers': 'https://a:1', 'etcd-prefix': '/' }, undefined, /--etcd-prefix: must be a path/],
  [{ 'etcd-servers': 'https://a:1', 'etcd-certfile': 'x' }, undefined, /--etcd-certfile: needs --etcd-keyfile/],
  [{ 'etcd-servers': 'https://a:1,http://b:1', 'etcd-cafile': 'x' }, undefined, /--etcd-servers: http:\/\/b:1 must begin with https/],
  [{ 'cluster-cidr': '10.244.0.1/16' }, undefined, /--cluster-cidr: .* first address/],
  [{ 'service-cidr': '10.244.8.0/24' }, undefined, /overlaps the pods' 10\.244\.0\.0\/16/],
  [{ 'load-balancer-pool': '192.0.2.0/24,many' }, undefined, /--load-balancer-pool: "many" is neither an IPv4 network .* nor a range/],
  [{ 'load-balancer-pool': '10.96.0.0-10.97.0.0' }, undefined, /--load-balancer-pool: 10\.96\.0\.0-10\.97\.0\.0 overlaps the services' 10\.96\.0\.0\/16/],
  [{ 'node-name': 'Bad_Name' }, undefined, /--node-name/],
  [{ 'node-ip': 'fe80::1' }, undefined, /--node-ip: "fe80::1" must be an IPv4 address of this machine/],
  [{ 'docker-host': 'ssh://x' }, undefined, /--docker-host/],
  [{ 'data-dir': '' }, undefined, /--data-dir: must not be empty/],
  [{ 'max-requests-inflight': '1' }, undefined, /--max-requests-inflight: "1" must be a whole number from 2 to 100000/],
  [{ 'max-watches-per-user': 'many' }, undefined, /--max-watches-per-user/],
  [{ 'request-timeout': '10ms' }, undefined, /--request-timeout: "10ms" must be from 1s to 1h/],
  [{ 'cluster-signing-duration': '9s' }, undefined, /--cluster-signing-duration: "9s" must be from 10s to 87600h/],
  [{ 'request-timeout': 'soon' }, undefined, /--request-timeout: "soon" is no duration/],
  [{ 'scheduler-strategy': 'best' }, undefined, /--scheduler-strategy: "best" is not one of spread, binpack, random/],
  [{ 'scheduler-strategy': 'spread', 'scheduler-config': '/s' }, undefined, /--scheduler-strategy: not beside --scheduler-config/],
  [{ 'audit-policy': '/p' }, undefined, /--audit-policy: needs --audit-log/],
  [{ 'image-gc-high-threshold': '80' }, undefined, /--image-gc-low-threshold: 80 must be less than --image-gc-high-threshold, which is 80/],
  [{ 'image-gc-high-threshold': '85%' }, undefined, /--image-gc-high-threshold: "85%" must be a whole number from 1 to 100/],
  [{ 'kube-reserved': 'pid=5' }, undefined, /--kube-reserved: "pid" is no resource that can be kept; there are: cpu, memory, ephemeral-storage/],
  [{ 'eviction-hard': 'memory.available' }, undefined, /--eviction-hard: "memory.available" must be a signal, "<" and an amount, such as memory.available<100Mi/],
  [{}, 'lisen: x\n', /barge\.yaml: unknown setting "lisen"; there are: data-dir/],
  [{}, 'listen: [1]\n', /barge\.yaml: listen: must be HOST:PORT/],
  [{}, 'no-agent: "yes"\n', /no-agent: must be true or false/],
  [{}, 'a: [1\nb: 2\n', /barge\.yaml.*\(2:1\)|barge\.yaml: .*2:/s],
  [{}, '- a\n', /must be a map of settings/],
] as const) {
  test(`refused: ${JSON.stringify(flags)} ${JSON.stringify(text ?? '')}`, (t) => {
    t.throws(() => read(flags, text), { instanceOf: ConfigError, message });
  });
}

test('what a failed start says: our own words without a stack, with the causes; faults of the program with one', (t) => {
  const full = new Error('cannot write store.db: database or disk is full');
  t.deepEqual(describeFailure(new Error('the store cannot be written any more', { cause: full }), 'barge up'),
    { text: 'error: the store cannot be written any more: cannot write store.db: database or disk is full', exitCode: 1 });
  t.is(describeFailure(new Error('cannot write: full', { cause: new Error('full') }), 'barge up').text, 'error: cannot write: full');
  t.regex(describeFailure(new TypeError('x is not a function'), 'barge up').text, /^error: TypeError: x is not a function\n {4}at /);
});

test('times and rates of nodes: the defaults, Kubernetes\' own, and what is refused', (t) => {
  const nodes = (flags: Readonly<Record<string, string>>) => readConfig({ flags, env: {}, root: true }).nodes;
  t.deepEqual(nodes({}), {
    leaseSeconds: 20, monitorGraceMs: 15_000, patience: { notReadySeconds: 300, unreachableSeconds: 5 },
    evictionRates: { perSecond: 0.1, secondaryPerSecond: 0.01, largeZone: 50, unhealthyShare: 0.55 },
  });
  t.like(nodes({ 'node-lease-duration': '40s', 'node-monitor-grace-period': '40s', 'default-unreachable-toleration-seconds': '300' }), { leaseSeconds: 40, monitorGraceMs: 40_000, patience: { unreachableSeconds: 300 } });
  for (const [name, value, message] of [
    ['node-eviction-rate', '-1', /^--node-eviction-rate: "-1" must be a number from 0 to 1000, such as 0\.1$/], ['unhealthy-zone-threshold', '2', /must be a number from 0 to 1/],
    ['default-not-ready-toleration-seconds', '1.5', /must be a whole number from 0 to 86400/], ['node-monitor-grace-period', '9s', /must be at least half of --node-lease-duration/],
  ] as const) t.throws(() => nodes({ [name]: value }), { message });
});

test('a file of settings that is kept counts least', (t) => {
  const kept = { name: 'settings.json', text: JSON.stringify({ 'cluster-cidr': '10.1.0.0/16', 'node-name': 'kept', listen: '0.0.0.0:1' }) };
  const config = readConfig({ flags: { listen: '0.0.0.0:3' }, file: { name: 'barge.yaml', text: 'node-name: n\nlisten: 0.0.0.0:2' }, kept, env: {}, root: true });
  t.like(config, { clusterCidr: '10.1.0.0/16', nodeName: 'n', listen: { port: 3 } });
});

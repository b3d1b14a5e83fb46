/** A cluster of three machines, two on one link and one behind a router: one flat network, services everywhere, nodes lost and back. */
import assert from 'node:assert/strict';
import test from 'ava';
import { isRoot, kubectls, within } from '../helpers/e2e.ts';
import { startLoadAt } from '../helpers/net-load.ts';
import { NodeLab } from '../helpers/node-lab.ts';

const nodes = ['n1', 'n2', 'n3'] as const;
/** Rolling updates under load: as many as come about in some time, or at least so many. */
const leastUpdates = Number(process.env['BARGE_TEST_UPDATES'] ?? 1);
type NodeName = (typeof nodes)[number];

/** On each node a pod that says its node and who asked. busybox answers `/` by the program. */
const who = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: who}
spec:
  selector: {matchLabels: {app: who}}
  template:
    metadata: {labels: {app: who}}
    spec:
      terminationGracePeriodSeconds: 90
      containers:
      - name: who
        image: barge/hello:1
        command: [sh, -c]
        args:
        - |
          mkdir -p /tmp/www/cgi-bin
          printf '%s\\n' '#!/bin/sh' 'printf "Content-Type: text/plain\\r\\n\\r\\n%s %s\\n" "$NODE" "$REMOTE_ADDR"' > /tmp/www/cgi-bin/index.cgi
          chmod 755 /tmp/www/cgi-bin/index.cgi
          trap 'exit 0' TERM
          echo "here is $NODE"
          httpd -f -p 0.0.0.0:8080 -h /tmp/www & wait
        env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 10}
---
apiVersion: v1
kind: Service
metadata: {name: who}
spec:
  type: NodePort
  selector: {app: who}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: who-open}
spec:
  type: LoadBalancer
  selector: {app: who}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: who-here}
spec:
  selector: {app: who}
  internalTrafficPolicy: Local
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: who-all}
spec:
  clusterIP: None
  selector: {app: who}
`;

/** Pods that go where they can. */
const mover = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: mover}
spec:
  replicas: 2
  selector: {matchLabels: {app: mover}}
  template:
    metadata: {labels: {app: mover}}
    spec:
      terminationGracePeriodSeconds: 5
      containers: [{name: mover, image: barge/hello:1}]
`;

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: web
        image: barge/hello:1
        # It answers what it has begun to answer before it ends.
        command: [sh, -c, "trap 'sleep 2; exit 0' TERM; httpd -f -p 8080 -h /www & wait"]
        env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 10}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`;

/** A pod on each node that says its release; it answers for some seconds after it is told to end. */
const news = (release: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: news}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: news}}
  template:
    metadata: {labels: {app: news}}
    spec:
      terminationGracePeriodSeconds: 90
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: news}}}
      containers:
      - name: news
        image: barge/hello:1
        command: [sh, -c, "mkdir /tmp/news; echo release $RELEASE > /tmp/news/index.html; trap 'sleep 2; exit 0' TERM; httpd -f -p 8080 -h /tmp/news & wait"]
        env: [{name: RELEASE, value: "${release}"}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 10}
---
apiVersion: v1
kind: Service
metadata: {name: news}
spec:
  type: NodePort
  selector: {app: news}
  ports: [{port: 80, targetPort: 8080}]
`;

interface ServiceJson { readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly nodePort: number }[] } }

interface PodJson {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[]; readonly containerStatuses?: readonly { readonly containerID?: string }[] };
}

if (!isRoot) test.skip('nodes: needs root', (t) => t.pass());
else {
  let lab: NodeLab;
  let kubectl: string;
  let all: readonly string[];
  let clusterIp: string;
  let hereIp: string;
  let nodePort: number;
  /** What each machine had before barge came. */
  let before: readonly string[];

  const json = async <T>(...args: readonly string[]): Promise<T> => JSON.parse(await lab.with(kubectl, [...args, '-o', 'json'])) as T;
  const podsOf = async (app: string): Promise<readonly PodJson[]> => (await json<{ readonly items: readonly PodJson[] }>('get', 'pods', '-l', `app=${app}`)).items;
  const isReady = ({ metadata, status }: PodJson): boolean => metadata.deletionTimestamp === undefined && status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  const podOn = async (node: NodeName): Promise<{ readonly name: string; readonly ip: string }> => {
    const pod = (await podsOf('who')).find(({ spec }) => spec.nodeName === node);
    assert.ok(pod?.status.podIP !== undefined, `no pod on ${node}`);
    return { name: pod.metadata.name, ip: pod.status.podIP };
  };

  /** Shell words that ask an address `times` times and print the answers, each on a line. `failed` where there is none. */
  const asking = (address: string, port: number, times = 1): string =>
    `n=0; while [ $n -lt ${times} ]; do n=$((n+1)); (printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.2) | busybox nc -w 5 ${address} ${port} 2> /dev/null | tail -n 1 | grep . || echo failed; done`;
  const fromMachine = async (machine: string, script: string): Promise<readonly string[]> => (await lab.net.sh(machine, script)).trim().split('\n');
  const fromPod = async (pod: string, script: string): Promise<readonly string[]> => (await lab.with(kubectl, ['exec', pod, '--', 'sh', '-c', script])).trim().split('\n');
  const counts = (answers: readonly string[]): Readonly<Record<string, number>> =>
    Object.fromEntries([...Map.groupBy(answers, (answer) => answer.split(' ')[0]!)].map(([node, group]): [string, number] => [node, group.length]).toSorted());
  const inTurn = { n1: 3, n2: 3, n3: 3 };

  /** What barge could have made on a machine. */
  const traces = (machine: string): Promise<string> => lab.net.sh(machine, `ip -o link show | grep -o 'barge[^ ]*' || true; ip route show; ip neigh show nud permanent; nft list tables | grep barge || true; iptables -S | grep -i barge || true; iptables -t nat -S | grep -i barge || true`);
  /** Containers of pods; sandboxes that wait for one are none. */
  const containersOf = async (machine: string): Promise<readonly string[]> => (await lab.docker(machine, 'ps', '--no-trunc', '--format', '{{.ID}} {{.Names}}')).split('\n')
    .flatMap((line) => (/ barge_(warm|spent)-/.test(line) || line === '' ? [] : [line.split(' ')[0]!])).toSorted();

  test.before(async () => {
    all = [...(await kubectls()).values()];
    kubectl = all.at(-1)!;
    lab = await NodeLab.open({
      label: 'nodes', nodes: [{ name: 'n1', link: 'a' }, { name: 'n2', link: 'a' }, { name: 'n3', link: 'b' }], strangers: [{ name: 'out', link: 'b' }, { name: 'far', link: 'a' }],
      upArgs: ['--load-balancer-pool', '203.0.113.0/24', '--external-ips', '--node-lease-duration', '10s', '--node-monitor-grace-period', '20s', '--default-unreachable-toleration-seconds', '1', '--node-eviction-rate', '10', '--warm-sandboxes', '1'],
      agentArgs: ['--warm-sandboxes', '1'],
    });
    before = await Promise.all(nodes.map(traces));
    await lab.up();
    await Promise.all([lab.join('n2'), lab.join('n3')]);
    await lab.with(kubectl, ['apply', '-f', '-'], { input: `${who}---${web}` });
    await lab.with(kubectl, ['rollout', 'status', 'daemonset/who', '--timeout=120s']);
    await lab.with(kubectl, ['rollout', 'status', 'deployment/web', '--timeout=120s']);
    const service = await json<ServiceJson>('get', 'service', 'who');
    clusterIp = service.spec.clusterIP;
    nodePort = service.spec.ports[0]!.nodePort;
    hereIp = (await json<ServiceJson>('get', 'service', 'who-here')).spec.clusterIP;
  });
  test.after.always(async (t) => {
    if (lab === undefined) return;
    if (!t.passed) for (const node of nodes) t.log(`${node}:\n${lab.log(node).slice(-4_000)}`);
    await lab.close();
  });

  test.serial('pods of different nodes reach each other with their own addresses', async (t) => {
    const pods = await Promise.all(nodes.map(podOn));
    for (const [index, from] of pods.entries()) {
      const answers = await within(60, async () => {
        const said = await fromPod(from.name, pods.map(({ ip }) => asking(ip, 8_080)).join('\n'));
        assert.ok(!said.includes('failed'), said.join());
        return said;
      });
      t.deepEqual(answers, nodes.map((node) => `${node} ${from.ip}`), `from ${nodes[index]}`);
    }
    // Straight on a link, through VXLAN over a router.
    t.regex(await lab.net.sh('n1', `ip route get ${pods[1]!.ip}`), /via \S+ dev eth0/);
    t.regex(await lab.net.sh('n1', `ip route get ${pods[2]!.ip}`), /dev barge-vxlan/);
    t.is((await fromPod(pods[0]!.name, 'cat /sys/class/net/eth0/mtu'))[0], '1450');
  });

  test.serial('a cluster address and a node port on each node reach the pods of all nodes in turn', async (t) => {
    // Each proxy hears of the last pod in its own time.
    const come = (what: string, ask: () => Promise<readonly string[]>, expected: Readonly<Record<string, number>>): Promise<void> =>
      within(60, async () => assert.deepEqual(counts(await ask()), expected, what));
    for (const node of nodes) {
      const { name } = await podOn(node);
      await come(`${node}: cluster address`, () => fromMachine(node, asking(clusterIp, 80, 9)), inTurn);
      await come(`${node}: cluster address from a pod`, () => fromPod(name, asking(clusterIp, 80, 9)), inTurn);
      await come(`${node}: node port, from a stranger`, () => fromMachine('out', asking(lab.net.ip(node), nodePort, 9)), inTurn);
      await come(`${node}: pods of the node only`, () => fromMachine(node, asking(hereIp, 80, 3)), { [node]: 3 });
    }
    t.pass();
  });

  test.serial('an address of the pool reaches the pods of all nodes, from wherever it is asked', async (t) => {
    const open = '203.0.113.1';
    const settled = (what: string, ask: () => Promise<readonly string[]>, expected: readonly string[]): Promise<void> =>
      within(60, async () => assert.deepEqual((await ask()).toSorted(), expected, what));
    const change = (spec: object): Promise<string> => lab.with(kubectl, ['patch', 'service', 'who-open', '--type=merge', '-p', JSON.stringify({ spec })]);
    const [out, far] = [lab.net.ip('out'), lab.net.ip('far')];
    t.regex(await lab.with(kubectl, ['get', 'service', 'who-open']), new RegExp(`LoadBalancer \\s*\\S+ \\s*${open.replaceAll('.', '\\.')} `));
    await lab.net.sh('net', `ip route add 203.0.113.0/24 via ${lab.net.ip('n1')}`);
    // The node that takes them in sends connections on to others as its own; those that it keeps have the client's address.
    const kept = async (): Promise<readonly string[]> => (await fromMachine('out', asking(open, 80, 9))).map((answer) => (answer.startsWith('n1') ? answer : answer.split(' ')[0]!));
    await settled('from outside', kept, [...Array<string>(3).fill(`n1 ${out}`), 'n2', 'n2', 'n2', 'n3', 'n3', 'n3']);
    const { name } = await podOn('n2');
    const inside = async (what: string): Promise<void> => {
      await within(60, async () => assert.deepEqual(counts(await fromMachine('n2', asking(open, 80, 9))), inTurn, `${what}: from a node`));
      await within(60, async () => assert.deepEqual(counts(await fromPod(name, asking(open, 80, 9))), inTurn, `${what}: from a pod`));
    };
    await inside('Cluster');

    await change({ externalTrafficPolicy: 'Local' });
    await settled('Local', () => fromMachine('out', asking(open, 80, 3)), Array<string>(3).fill(`n1 ${out}`));
    await lab.net.sh('net', `ip route replace 203.0.113.0/24 via ${lab.net.ip('n3')}`);
    await settled('Local, by another node', () => fromMachine('far', asking(open, 80, 3)), Array<string>(3).fill(`n3 ${far}`));
    await inside('Local');

    await change({ loadBalancerSourceRanges: [`${far}/32`] });
    await settled('a client that may not', () => fromMachine('out', asking(open, 80)), ['failed']);
    await settled('one that may', () => fromMachine('far', asking(open, 80)), [`n3 ${far}`]);
    await change({ externalIPs: ['203.0.114.1'] });
    await lab.net.sh('net', `ip route add 203.0.114.1 via ${lab.net.ip('n3')}`);
    await settled('an external address', () => fromMachine('out', asking('203.0.114.1', 80)), [`n3 ${out}`]);
    await lab.net.sh('net', 'ip route del 203.0.113.0/24; ip route del 203.0.114.1');
  });

  test.serial('names of the cluster are known on each node', async (t) => {
    const ips = (await Promise.all(nodes.map(podOn))).map(({ ip }) => ip).toSorted();
    for (const node of nodes) {
      const { name } = await podOn(node);
      const addresses = (text: readonly string[]): readonly string[] => text.slice(2).flatMap((line) => /^Address(?: \d+)?: (\d+\.\d+\.\d+\.\d+)\s*$/.exec(line)?.[1] ?? []).toSorted();
      t.deepEqual(addresses(await fromPod(name, 'nslookup who.default.svc.cluster.local')), [clusterIp], node);
      t.deepEqual(addresses(await fromPod(name, 'nslookup who-all.default.svc.cluster.local')), ips, node);
      t.deepEqual(await fromPod(name, 'nslookup kubernetes.default.svc.cluster.local | grep -c 10.96.0.1'), ['1'], node);
    }
  });

  test.serial('every kubectl has logs of pods on all nodes and runs programs in them', async (t) => {
    t.true(all.length > 0);
    for (const program of all) {
      for (const node of nodes) {
        const { name } = await podOn(node);
        t.is((await lab.with(program, ['logs', name])).trim(), `here is ${node}`);
        t.is((await lab.with(program, ['exec', name, '--', 'sh', '-c', 'echo $NODE'])).trim(), node);
      }
    }
  });

  test.serial('a network policy says on every node which pods reach a pod of another one, by label, namespace and address', async (t) => {
    const [near, held, far] = await Promise.all([podOn('n1'), podOn('n2'), podOn('n3')]);
    await lab.with(kubectl, ['label', 'pod', near.name, 'part=friend']);
    await lab.with(kubectl, ['label', 'pod', held.name, 'part=held']);
    await lab.with(kubectl, ['create', 'namespace', 'team']);
    await lab.with(kubectl, ['label', 'namespace', 'team', 'colour=blue']);
    await lab.with(kubectl, ['run', 'guest', '-n', 'team', '--image=barge/hello:1', '--overrides={"spec":{"nodeName":"n3","terminationGracePeriodSeconds":5}}']);
    await lab.with(kubectl, ['wait', 'pod/guest', '-n', 'team', '--for=condition=Ready', '--timeout=120s']);
    /** Who of a friend on n1, another on n3 and a guest of another namespace on n3 has an answer of the pod on n2. */
    const reached = async (): Promise<readonly string[]> => {
      const callers = { friend: ['default', near.name], other: ['default', far.name], guest: ['team', 'guest'] } as const;
      const found: string[] = [];
      for (const [who, [namespace, pod]] of Object.entries(callers)) {
        const said = await lab.with(kubectl, ['exec', '-n', namespace, pod, '--', 'sh', '-c', asking(held.ip, 8_080)]);
        if (said.startsWith('n2 ')) found.push(who);
      }
      return found;
    };
    const policy = async (spec: object): Promise<void> => {
      await lab.with(kubectl, ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'here' }, spec }) });
    };
    const from = (peer: object): Promise<void> => policy({ podSelector: { matchLabels: { part: 'held' } }, policyTypes: ['Ingress'], ingress: [{ from: [peer] }] });
    const comes = (expected: readonly string[], what: string): Promise<void> => within(60, async () => assert.deepEqual(await reached(), expected, what));

    await comes(['friend', 'other', 'guest'], 'without a policy');
    await from({ podSelector: { matchLabels: { part: 'friend' } } });
    await comes(['friend'], 'by label');
    t.deepEqual(await fromMachine('n2', `${asking(held.ip, 8_080)} | cut -d ' ' -f 1`), ['n2'], 'its own node');
    await from({ namespaceSelector: { matchLabels: { colour: 'blue' } } });
    await comes(['guest'], 'by namespace');
    await from({ ipBlock: { cidr: `${far.ip}/32` } });
    await comes(['other'], 'by address');
    await policy({ podSelector: { matchLabels: { part: 'friend' } }, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: { matchLabels: { app: 'none' } } }] }] });
    await comes(['other', 'guest'], 'on the way out, and the pod that was held is free');
    await lab.with(kubectl, ['apply', '-f', '-'], { input: JSON.stringify({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'early', labels: { part: 'friend' } },
      spec: { nodeName: 'n1', restartPolicy: 'Never', containers: [{ name: 'early', image: 'barge/hello:1', command: ['sh', '-c', asking(held.ip, 8_080)] }] },
    }) });
    await lab.with(kubectl, ['wait', 'pod/early', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s']);
    t.is((await lab.with(kubectl, ['logs', 'early'])).trim(), 'failed', 'a pod is held from its first moment');
    await lab.with(kubectl, ['delete', 'pod', 'early', '--wait=false']);
    await lab.with(kubectl, ['delete', 'networkpolicy', 'here']);
    await comes(['friend', 'other', 'guest'], 'without the policy again');
    for (const { name } of [near, held]) await lab.with(kubectl, ['label', 'pod', name, 'part-']);
    await lab.with(kubectl, ['delete', 'namespace', 'team']);
  });

  test.serial('a pod is told to end only when the proxies of all nodes have withdrawn it', async (t) => {
    const pod = await podOn('n2');
    const isRunning = async (): Promise<boolean> => (await lab.docker('n2', 'ps', '--format', '{{.Names}}')).includes(`barge_who_${pod.name}`);
    lab.signal('n3', 'SIGSTOP');
    try {
      await lab.with(kubectl, ['delete', 'pod', pod.name, '--wait=false']);
      // Its own node's proxy and that of n1 are without it at once; n3's cannot be.
      await within(60, async () => assert.ok(!counts(await fromMachine('n1', asking(clusterIp, 80, 3)))['n2']));
      t.true(await isRunning());
    } finally {
      lab.signal('n3', 'SIGCONT');
    }
    await within(60, async () => assert.ok(!await isRunning()));
    await lab.with(kubectl, ['rollout', 'status', 'daemonset/who', '--timeout=120s']);
  });

  test.serial('a rolling update under load from all nodes and from outside loses no request', async (t) => {
    const release = async (n: number): Promise<void> => {
      await lab.with(kubectl, ['apply', '-f', '-'], { input: news(n) });
      await lab.with(kubectl, ['rollout', 'status', 'deployment/news', '--timeout=240s']);
    };
    await release(1);
    const { spec } = await json<ServiceJson>('get', 'service', 'news');
    const inside = `http://${spec.clusterIP}/`;
    const outside = (node: NodeName): string => `http://${lab.net.ip(node)}:${spec.ports[0]!.nodePort}/`;
    const callers: Readonly<Record<string, readonly string[]>> = {
      ...Object.fromEntries(nodes.map((node) => [node, [inside, outside(node)]])),
      out: nodes.map(outside),
    };
    // Each proxy hears of the first pods in its own time.
    for (const [machine, urls] of Object.entries(callers)) {
      for (const { hostname, port } of urls.map((url) => new URL(url))) await within(60, async () => assert.deepEqual(await fromMachine(machine, asking(hostname, Number(port || 80))), ['release 1']));
    }
    const endMs = Date.now() + 75_000;
    const loads = Object.entries(callers).map(([machine, urls]) => ({ machine, urls, load: startLoadAt((command, args) => lab.net.at(machine, command, args), urls) }));
    let last = 1;
    try {
      do await release(++last); while (last <= leastUpdates || (Date.now() < endMs && last < 9));
    } finally {
      for (const { machine, urls, load } of loads) {
        for (const [index, { requests, failures, answers }] of (await load.stop()).entries()) {
          const what = `${machine} to ${urls[index]} (${requests} requests, up to release ${last})`;
          t.deepEqual(failures, [], what);
          t.true(requests > 0, what);
          t.deepEqual([...answers.keys()].filter((answer) => !/^release \d+$/.test(answer)), [], what);
        }
      }
    }
    await within(60, async () => {
      for (const node of nodes) assert.deepEqual(await fromMachine(node, asking(spec.clusterIP, 80, 6)), Array.from({ length: 6 }, () => `release ${last}`), node);
    });
    await lab.with(kubectl, ['delete', 'deployment,service', 'news']);
    await within(120, async () => assert.deepEqual(await podsOf('news'), []));
  });

  test.serial('a node that is cut off loses no pod of its own, is replaced, and comes back as it was', async (t) => {
    await lab.with(kubectl, ['cordon', 'n1', 'n2']);
    await lab.with(kubectl, ['apply', '-f', '-'], { input: mover });
    await lab.with(kubectl, ['rollout', 'status', 'deployment/mover', '--timeout=120s']);
    await lab.with(kubectl, ['uncordon', 'n1', 'n2']);
    t.true((await podsOf('mover')).every(({ spec }) => spec.nodeName === 'n3'));
    const running = await containersOf('n3');
    await lab.net.cut('n3');
    await within(120, async () => {
      const ready = (await podsOf('mover')).filter(isReady);
      assert.equal(ready.length, 2);
      assert.ok(ready.every(({ spec }) => spec.nodeName !== 'n3'));
    });
    t.is(await lab.with(kubectl, ['get', 'node', 'n3', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']), 'Unknown');
    t.deepEqual(await containersOf('n3'), running, 'what ran goes on');
    t.deepEqual(counts(await fromMachine('n3', asking(hereIp, 80, 3))), { n3: 3 }, 'its proxy serves');
    await within(60, async () => {
      for (const node of ['n1', 'n2']) assert.deepEqual(counts(await fromMachine(node, asking(clusterIp, 80, 4))), { n1: 2, n2: 2 }, node);
    });

    await lab.net.mend('n3');
    await lab.with(kubectl, ['wait', '--for=condition=Ready', 'node/n3', '--timeout=120s']);
    await within(120, async () => {
      for (const [app, count] of [['web', 3], ['mover', 2]] as const) {
        const pods = await podsOf(app);
        assert.equal(pods.filter(isReady).length, count, app);
        assert.equal(pods.length, count, `${app}: none is left over`);
      }
      const here = (await json<{ readonly items: readonly PodJson[] }>('get', 'pods', '--field-selector', 'spec.nodeName=n3')).items;
      const wanted = here.flatMap(({ status }) => (status.containerStatuses ?? []).map(({ containerID }) => containerID?.replace('docker://', '')));
      const found = await containersOf('n3');
      assert.ok(wanted.every((id) => found.includes(id ?? '')), 'each pod of the node runs');
      assert.equal(found.length, wanted.length * 2, 'and nothing else, beside a sandbox for each');
    });
    await within(60, async () => {
      for (const node of nodes) assert.deepEqual(counts(await fromMachine(node, asking(clusterIp, 80, 9))), inTurn, node);
    });
    for (const from of nodes) {
      const { name, ip } = await podOn(from);
      const answers = await fromPod(name, (await Promise.all(nodes.map(podOn))).map((pod) => asking(pod.ip, 8_080)).join('\n'));
      t.deepEqual(answers, nodes.map((node) => `${node} ${ip}`), `from ${from}`);
    }
  });

  test.serial('an agent that starts again takes over its pods, and reset leaves nothing on any machine', async (t) => {
    const { name } = await podOn('n2');
    const container = (): Promise<string> => lab.docker('n2', 'ps', '-q', '--no-trunc', '--filter', `name=${name}`);
    const running = await container();
    await lab.end('n2');
    t.is(await container(), running, 'pods go on without their agent');
    await lab.join('n2');
    t.is(await container(), running);
    for (const node of nodes.toReversed()) {
      t.regex(await lab.reset(node), /stopped barge .*\n(.*\n)*removed the pod network\n/);
      t.deepEqual(await lab.docker(node, 'ps', '-aq'), '', node);
      t.deepEqual((await lab.docker(node, 'network', 'ls', '--format', '{{.Name}}')).split('\n').toSorted(), ['bridge', 'host', 'none'], node);
    }
    t.deepEqual(await Promise.all(nodes.map(traces)), before);
  });
}

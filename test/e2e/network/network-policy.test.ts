// NetworkPolicies in the kernel, next to the service proxy's rules, on real bridges and connections. Needs root.
import test from 'ava';
import { silentLog } from '../../../base/log.ts';
import { NftablesPolicies } from '../../../proxy/network-policy/policy-enforcer.ts';
import { noPolicies, policyTable, type PolicyTable } from '../../../proxy/network-policy/policy-table.ts';
import { NftablesBackend } from '../../../proxy/nftables.ts';
import type { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import type { Pod } from '../../../schemas/kinds/core/pod.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../../../schemas/kinds/networking/network-policy.ts';
import { must, openPodBridge, podBridgeName, podIp, podServerPort, type PodBridge } from '../../helpers/pod-bridge.ts';
import { servicePort } from '../../helpers/service-port.ts';

const pods = (['a', 'b', 'c'] as const).map((name): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: podServerPort, protocol: 'TCP' }] }] },
  status: { podIP: podIp(name), phase: 'Running' },
} as unknown as Pod));

const namespaces: readonly Namespace[] = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }];

const held = (...specs: readonly NetworkPolicySpec[]): PolicyTable => policyTable({
  pods, namespaces, nodeName: 'n1',
  policies: specs.map((spec, n) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: `p${n}`, uid: `p${n}`, namespace: 'shop' }, spec } as NetworkPolicy)),
});

const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });

if (process.getuid?.() !== 0) test.skip('network policies: needs root', (t) => t.pass());
else {
  let net: PodBridge;
  let policies: NftablesPolicies;
  test.before(async () => {
    net = await openPodBridge('np');
    await must('ip', '-n', net.outsideName, 'route', 'add', 'default', 'via', '198.51.100.1');
    const services = new NftablesBackend({ run: net.run, serviceCidr: '10.96.0.0/16', podInterface: podBridgeName, log: silentLog });
    const endpoints = (['b', 'c'] as const).map((name) => ({ ip: podIp(name), port: podServerPort }));
    await services.apply(new Map([['shop/web:', servicePort({ name: 'shop/web:', clusterIps: ['10.96.0.1'], nodePort: 30_001, endpoints: endpoints.slice(0, 1) })]]));
    policies = new NftablesPolicies({ run: net.run, log: silentLog, podInterface: podBridgeName });
  });
  test.afterEach.always(() => policies.apply(noPolicies));
  test.after.always(() => net.close());

  /** What the one hears from the other: its name, or `no` where it is told that it may not. */
  const asks = async (from: 'a' | 'b' | 'c', to: 'a' | 'b' | 'c', protocol: 'TCP' | 'UDP' = 'TCP'): Promise<string> => {
    const answer = await net.pods[from].ask({ protocol, host: podIp(to), port: podServerPort });
    return answer.startsWith(to) ? to : /EHOSTUNREACH|refused/.test(answer) ? 'no' : answer;
  };

  test.serial('without a policy all pods reach each other, and nothing is in the kernel', async (t) => {
    await policies.apply(noPolicies);
    t.is(await asks('a', 'b'), 'b');
    t.is(await asks('c', 'b', 'UDP'), 'b');
    t.notRegex(await net.sh('nft list tables'), /barge-policy/);
  });

  test.serial('only those whom a policy names reach a pod, at once refused or let in, also through its service', async (t) => {
    await policies.apply(held({ ...app('b'), policyTypes: ['Ingress'], ingress: [{ from: [app('a')], ports: [{ port: 'web', protocol: 'TCP' }] }] }));
    t.is(await asks('a', 'b'), 'b');
    t.is(await asks('c', 'b'), 'no');
    t.is(await asks('a', 'b', 'UDP'), 'no', 'a port that is not named');
    t.is(await asks('b', 'a'), 'a', 'the pod itself is free to call');
    t.is(await asks('c', 'a'), 'a', 'others are not concerned');
    t.regex(await net.pods.a.ask({ host: '10.96.0.1', port: 80 }), /^b /);
    t.regex(await net.pods.c.ask({ host: '10.96.0.1', port: 80 }), /EHOSTUNREACH/);
    t.regex(await net.outside.ask({ host: '198.51.100.1', port: 30_001 }), /EHOSTUNREACH/, 'strangers by node port');
    t.regex(await net.client.ask({ host: podIp('b'), port: podServerPort }), /^b /, 'the own node, which probes');
    await policies.apply(held({ ...app('b'), policyTypes: ['Ingress'], ingress: [{ from: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }] }));
    t.regex(await net.outside.ask({ host: '198.51.100.1', port: 30_001 }), /^b /);
    t.is(await asks('a', 'b'), 'no');
  });

  test.serial('no policy keeps a pod from itself, also through its service', async (t) => {
    await policies.apply(held({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
    t.is(await asks('b', 'b'), 'b');
    t.regex(await net.pods.b.ask({ host: '10.96.0.1', port: 80 }), /^b /);
    t.regex(await net.pods.a.ask({ host: '10.96.0.1', port: 80 }), /EHOSTUNREACH/);
  });

  test.serial('a pod calls only where a policy lets it', async (t) => {
    await net.outside.serve({ host: '0.0.0.0', port: 7_000, name: 'outside' });
    await net.sh('ip route replace default via 198.51.100.2');
    await policies.apply(held({ ...app('a'), policyTypes: ['Egress'], egress: [{ to: [app('b')], ports: [{ port: 'web', protocol: 'TCP' }] }] }));
    t.is(await asks('a', 'b'), 'b');
    t.is(await asks('a', 'c'), 'no');
    t.is(await asks('c', 'a'), 'a', 'answers are no calls');
    t.regex(await net.pods.a.ask({ host: '198.51.100.2', port: 7_000 }), /EHOSTUNREACH/);
    t.regex(await net.pods.b.ask({ host: '198.51.100.2', port: 7_000 }), /^outside /);
    await policies.apply(held({ ...app('a'), policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }] }));
    t.regex(await net.pods.a.ask({ host: '198.51.100.2', port: 7_000 }), /^outside /);
    t.is(await asks('a', 'b'), 'no');
  });

  test.serial('both ends must allow, and what stands goes on when a policy comes', async (t) => {
    const handle = await net.pods.a.open({ host: podIp('b'), port: podServerPort });
    t.regex(await net.pods.a.say(handle), /^b /);
    await policies.apply(held({ ...app('a'), policyTypes: ['Egress'], egress: [{ to: [app('b')] }] }, { ...app('b'), policyTypes: ['Ingress'], ingress: [{ from: [app('c')] }] }));
    t.is(await asks('a', 'b'), 'no', 'b does not take it');
    t.regex(await net.pods.a.say(handle), /^b /);
    await policies.apply(held({ ...app('a'), policyTypes: ['Egress'], egress: [{ to: [app('b')] }] }, { ...app('b'), policyTypes: ['Ingress'], ingress: [{ from: [app('a')] }] }));
    t.is(await asks('a', 'b'), 'b');
  });

  test.serial('rules that somebody flushed come back, and a new agent takes over', async (t) => {
    const table = held({ podSelector: {}, policyTypes: ['Ingress'] });
    await policies.apply(table);
    await net.sh('nft delete table ip barge-policy');
    t.is(await asks('a', 'b'), 'b');
    await policies.apply(table);
    t.is(await asks('a', 'b'), 'no');
    await net.sh('nft flush chain ip barge-policy forward; nft delete table ip barge-policy');
    await policies.apply(held({ podSelector: {}, policyTypes: ['Ingress'] }, { ...app('b'), policyTypes: ['Ingress'], ingress: [{}] }));
    t.is(await asks('a', 'b'), 'b');
    t.is(await asks('a', 'c'), 'no');
    await new NftablesPolicies({ run: net.run, log: silentLog, podInterface: podBridgeName }).apply(table);
    t.is(await asks('a', 'b'), 'no');
    await policies.remove();
    t.is(await asks('a', 'b'), 'b');
    t.notRegex(await net.sh('nft list tables'), /barge-policy/);
  });
}

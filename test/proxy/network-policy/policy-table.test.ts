import test from 'ava';
import * as fc from 'fast-check';
import type { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import type { Pod } from '../../../schemas/kinds/core/pod.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../../../schemas/kinds/networking/network-policy.ts';
import { policyScript } from '../../../proxy/network-policy/policy-rules.ts';
import { noPolicies, policyTable, type PolicyTable } from '../../../proxy/network-policy/policy-table.ts';

const pod = (name: string, more: { readonly ip?: string; readonly node?: string; readonly app?: string; readonly namespace?: string; readonly spec?: object; readonly phase?: string; readonly deleted?: boolean } = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod',
  metadata: { name, uid: name, namespace: more.namespace ?? 'shop', labels: { app: more.app ?? name }, ...(more.deleted === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { nodeName: more.node ?? 'n1', containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' }] }], ...more.spec },
  status: { podIP: more.ip ?? `10.0.0.${name.charCodeAt(0)}`, phase: more.phase ?? 'Running' },
} as unknown as Pod);

const namespace = (name: string, labels: Record<string, string> = {}): Namespace => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } } });

const policy = (name: string, spec: Omit<NetworkPolicySpec, 'podSelector'> & { readonly podSelector?: object }): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, uid: name, namespace: 'shop' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
} as NetworkPolicy);

const pods = [pod('a'), pod('b'), pod('c', { node: 'n2' }), pod('x', { namespace: 'bank' })];
const namespaces = [namespace('shop'), namespace('bank', { team: 'money' })];
const tableOf = (policies: readonly NetworkPolicy[], more: readonly Pod[] = []): PolicyTable => policyTable({ policies, pods: [...pods, ...more], namespaces, nodeName: 'n1' });

/** The rules of a pod; undefined where it is not isolated. */
const rulesOf = ({ chains, pods: isolated }: PolicyTable, direction: 'ingress' | 'egress', ip: string): readonly string[] | undefined => {
  const chain = isolated[direction].get(ip);
  return chain === undefined ? undefined : chains.get(chain);
};

/** Addresses that the only set of a rule holds. */
const setIn = ({ sets }: PolicyTable, rule: string | undefined): readonly string[] => [...(sets.get(/@(\S+)/.exec(rule ?? '')?.[1] ?? '')?.elements ?? [])].toSorted();

const [a, b, c, x] = ['10.0.0.97', '10.0.0.98', '10.0.0.99', '10.0.0.120'] as const;

test('a policy isolates the pods that it selects, those of this node, in the directions that it names', (t) => {
  const table = tableOf([policy('deny', { podSelector: { matchLabels: { app: 'a' } } })]);
  t.deepEqual([...table.pods.ingress.keys()], [a]);
  t.is(table.pods.egress.size, 0);
  t.deepEqual(rulesOf(table, 'ingress', a), [], 'nothing is allowed');
  const all = tableOf([policy('deny', { policyTypes: ['Ingress', 'Egress'] })]);
  t.deepEqual([...all.pods.ingress.keys()], [a, b]);
  t.deepEqual([...all.pods.egress.keys()], [a, b]);
  t.is(new Set(all.pods.ingress.values()).size, 1, 'pods under the same rules share a chain');
});

test('an empty rule allows everything, and policies add up', (t) => {
  t.deepEqual(rulesOf(tableOf([policy('deny', {}), policy('open', { podSelector: { matchLabels: { app: 'a' } }, ingress: [{}] })]), 'ingress', a), ['']);
  t.deepEqual(rulesOf(tableOf([policy('deny', {}), policy('open', { podSelector: { matchLabels: { app: 'a' } }, ingress: [{}] })]), 'ingress', b), []);
});

test('peers are pods of the own namespace, of namespaces, or blocks of addresses', (t) => {
  const rules = (from: NonNullable<NonNullable<NetworkPolicySpec['ingress']>[number]['from']>) => {
    const table = tableOf([policy('p', { ingress: [{ from }] })]);
    return { table, list: rulesOf(table, 'ingress', a) ?? [] };
  };
  const own = rules([{ podSelector: { matchLabels: { app: 'c' } } }]);
  t.regex(own.list[0]!, /^ip saddr @pods-\w+$/);
  t.deepEqual(setIn(own.table, own.list[0]), [c], 'on another node too');
  const all = rules([{ podSelector: {} }]);
  t.deepEqual(setIn(all.table, all.list[0]), [a, b, c].toSorted());
  const money = rules([{ namespaceSelector: { matchLabels: { team: 'money' } } }]);
  t.deepEqual(setIn(money.table, money.list[0]), [x]);
  const both = rules([{ namespaceSelector: { matchLabels: { team: 'money' } }, podSelector: { matchLabels: { app: 'a' } } }]);
  t.deepEqual(setIn(both.table, both.list[0]), [], 'both must hold');
  const every = rules([{ namespaceSelector: {} }]);
  t.deepEqual(setIn(every.table, every.list[0]), [a, b, c, x].toSorted());
  t.deepEqual(rules([{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.8/29', '192.0.2.64/26'] } }, { ipBlock: { cidr: '2001:db8::/64' } }]).list, ['ip saddr 192.0.2.0/24 ip saddr != 192.0.2.8/29 ip saddr != 192.0.2.64/26']);
});

test('ports by number, range and name', (t) => {
  const ingress = (ports: NonNullable<NonNullable<NetworkPolicySpec['ingress']>[number]['ports']>) => rulesOf(tableOf([policy('p', { ingress: [{ ports }] })]), 'ingress', a);
  t.deepEqual(ingress([{ port: 80, protocol: 'TCP' }, { port: 70, endPort: 90, protocol: 'TCP' }, { port: 91, protocol: 'TCP' }, { port: 53, protocol: 'UDP' }]), ['tcp dport { 70-91 }', 'udp dport { 53 }']);
  t.deepEqual(ingress([{ port: 'web', protocol: 'TCP' }]), ['tcp dport { 8080 }']);
  t.deepEqual(ingress([{ port: 'web', protocol: 'UDP' }]), [], 'a name that the pod does not have');
  t.deepEqual(ingress([{ protocol: 'SCTP' }]), ['meta l4proto sctp']);
  const named = tableOf([policy('p', { policyTypes: ['Egress'], egress: [{ to: [{ podSelector: { matchLabels: { app: 'c' } } }, { ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 'web', protocol: 'TCP' }] }] })]);
  const rules = rulesOf(named, 'egress', a)!;
  t.is(rules.length, 1);
  t.regex(rules[0]!, /^ip daddr \. meta l4proto \. th dport @ports-\w+$/);
  t.deepEqual(setIn(named, rules[0]), [`${c} . tcp . 8080`]);
});

test('pods of the node\'s network, ended ones and those without an address are nobody', (t) => {
  const table = tableOf([policy('p', { ingress: [{ from: [{ podSelector: {} }] }] })], [
    pod('h', { spec: { hostNetwork: true } }), pod('e', { phase: 'Succeeded' }), pod('n', { ip: '' }), pod('6', { ip: '2001:db8::1' }),
  ]);
  t.deepEqual([...table.pods.ingress.keys()], [a, b]);
  t.deepEqual(setIn(table, rulesOf(table, 'ingress', a)![0]), [a, b, c].toSorted());
});

test('an address that a leaving pod and a new one share is the new one\'s', (t) => {
  const table = tableOf([policy('p', { podSelector: { matchLabels: { app: 'old' } } }), policy('q', { podSelector: { matchLabels: { app: 'new' } }, ingress: [{}] })], [
    pod('y', { app: 'new', ip: '10.0.0.9' }), pod('z', { app: 'old', ip: '10.0.0.9', deleted: true }),
  ]);
  t.deepEqual(rulesOf(table, 'ingress', '10.0.0.9'), ['']);
});

test('a pod more is an element more, and no rule of others is written again', (t) => {
  const policies = [policy('p', { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80, protocol: 'TCP' }] }] })];
  const script = policyScript(tableOf(policies), tableOf(policies, [pod('d')]));
  t.regex(script, /^add element ip barge-policy pods-\w+ \{ 10\.0\.0\.100 \}\nadd element ip barge-policy isolated_ingress \{ 10\.0\.0\.100 : jump ingress-\w+ \}\nadd element ip barge-policy oneself \{ 10\.0\.0\.100 \. 10\.0\.0\.100 \}\n$/);
  t.is(policyScript(tableOf(policies), tableOf(policies)), '');
});

// A model of the kernel's table: what a script refers to must be there, and what goes must not be in use.
interface State { readonly sets: Map<string, Set<string>>; readonly chains: Map<string, string[]>; readonly maps: Readonly<Record<string, Map<string, string>>> }

const carriedOut = (script: string, state: State): State => {
  for (const line of script.split('\n').filter((one) => /^(add|delete|flush) (set|chain|rule|element) /.test(one))) {
    const [, verb, what, rest] = /^(\w+) (\w+) ip barge-policy (.*)$/.exec(line)!;
    const name = rest!.split(' ')[0]!;
    const inside = (/\{ (.*) \}$/.exec(rest!)?.[1] ?? '').split(', ');
    const isUsed = (text: string): boolean => [...state.chains.values()].flat().some((rule) => rule.includes(text)) || Object.values(state.maps).some((map) => [...map.values()].includes(text));
    if (what === 'set' && verb === 'add') state.sets.set(name, new Set());
    else if (what === 'set') {
      if (isUsed(`@${name}`)) throw new Error(`${line}: in use`);
      state.sets.delete(name);
    } else if (what === 'chain' && verb === 'add') state.chains.set(name, []);
    else if (what === 'chain' && verb === 'flush') state.chains.get(name)!.length = 0;
    else if (what === 'chain') {
      if (isUsed(name)) throw new Error(`${line}: in use`);
      state.chains.delete(name);
    } else if (what === 'rule') {
      const set = /@(\S+)/.exec(rest!)?.[1];
      if (set !== undefined && !state.sets.has(set)) throw new Error(`${line}: no such set`);
      state.chains.get(name)!.push(rest!.slice(name.length + 1));
    } else {
      for (const element of inside) {
        const map = state.maps[name];
        const [key, chain] = element.split(' : jump ');
        if (verb === 'delete' && !(map ?? state.sets.get(name)!).has(key!)) throw new Error(`${line}: ${key} is not there`);
        if (verb === 'delete') (map ?? state.sets.get(name)!).delete(key!);
        else if (map === undefined) state.sets.get(name)!.add(element);
        else {
          if (map.has(key!)) throw new Error(`${line}: ${key} is there`);
          if (!state.chains.has(chain!)) throw new Error(`${line}: no such chain`);
          map.set(key!, chain!);
        }
      }
    }
  }
  return state;
};

/** The state in one order, for sets and maps have none. */
const sorted = ({ sets, chains, maps }: State) => ({
  sets: [...sets].map(([name, elements]) => [name, ...[...elements].toSorted()].join(' ')).toSorted(),
  chains: [...chains].map(([name, rules]) => [name, ...rules].join('\n')).toSorted(),
  maps: Object.values(maps).map((map) => [...map].map(String).toSorted()),
});

const freshState = (): State => ({ sets: new Map([['oneself', new Set<string>()]]), chains: new Map<string, string[]>(), maps: { isolated_ingress: new Map<string, string>(), isolated_egress: new Map<string, string>() } });

test('any change of tables is one script that the kernel takes, and leads to what the whole would be', (t) => {
  const apps = fc.constantFrom('a', 'b', 'c');
  const peer = fc.oneof(fc.record({ podSelector: fc.record({ matchLabels: fc.record({ app: apps }) }) }), fc.constant({ namespaceSelector: {} }), fc.constant({ ipBlock: { cidr: '192.0.2.0/24' } }));
  const rule = fc.record({ peers: fc.array(peer, { maxLength: 2 }), ports: fc.subarray([{ port: 80, protocol: 'TCP' as const }, { port: 'web', protocol: 'TCP' as const }]) });
  const spec = fc.record({ app: fc.option(apps, { nil: undefined }), types: fc.subarray(['Ingress', 'Egress'], { minLength: 1 }), rules: fc.array(rule, { maxLength: 2 }) });
  const world = fc.record({ specs: fc.array(spec, { maxLength: 4 }), pods: fc.uniqueArray(fc.record({ n: fc.integer({ min: 1, max: 9 }), app: apps, node: fc.constantFrom('n1', 'n2') }), { selector: ({ n }) => n }) });
  const of = ({ specs, pods: list }: (typeof world extends fc.Arbitrary<infer W> ? W : never)): PolicyTable => policyTable({
    namespaces, nodeName: 'n1', pods: list.map(({ n, app, node }) => pod(`p${n}`, { ip: `10.0.0.${n}`, app, node })),
    policies: specs.map(({ app, types, rules }, index) => policy(`p${index}`, {
      podSelector: app === undefined ? {} : { matchLabels: { app } }, policyTypes: types,
      ingress: rules.map(({ peers, ports }) => ({ from: peers, ports })), egress: rules.map(({ peers, ports }) => ({ to: peers, ports })),
    })),
  });
  fc.assert(fc.property(fc.array(world, { minLength: 2, maxLength: 4 }), (worlds) => {
    const tables = worlds.map(of);
    const state = carriedOut(policyScript(undefined, tables[0]!), freshState());
    for (const [index, table] of tables.entries()) if (index > 0) carriedOut(policyScript(tables[index - 1]!, table), state);
    t.deepEqual(sorted(state), sorted(carriedOut(policyScript(undefined, tables.at(-1)!), freshState())));
  }), { numRuns: 200 });
  t.is(policyScript(noPolicies, noPolicies), '');
});

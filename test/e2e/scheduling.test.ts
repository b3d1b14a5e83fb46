/** Devices, priorities, profiles and other schedulers, as users of unmodified kubectls meet them. No node has an agent here. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bargeBin, E2eCluster, kubectls, within } from '../helpers/e2e.ts';

const profiles = `
profiles:
- {schedulerName: default-scheduler, strategy: spread}
- schedulerName: packer
  scorers: [{name: mostAllocated, weight: 3, resources: {example.com/gpu: 1}}, {name: nodeAffinity}]
`;

const node = (name: string): object => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } });

/** A pod that asks for so many devices. Nodes without an agent are tainted sooner or later. */
const pod = (name: string, gpus: number, spec: object = {}, annotations: object = {}): object => {
  const amounts = { 'example.com/gpu': String(gpus) };
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations },
    spec: { containers: [{ name: 'c', image: 'a', resources: { requests: amounts, limits: amounts } }], tolerations: [{ operator: 'Exists' }], ...spec },
  };
};

test('devices, preemption, profiles and an external scheduler, from every kubectl', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-scheduling-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'profiles.yaml');
  await writeFile(file, profiles);
  const cluster = await E2eCluster.start({ args: ['--no-agent', '--scheduler-config', file] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls())];
  t.true(programs.length >= (process.env['CI'] === undefined ? 1 : 3), programs.map(([minor]) => minor).join(', '));
  for (const [minor, kubectl] of programs) {
    const namespace = `team-${minor}`;
    const inside = ['-n', namespace];
    const run = (args: readonly string[], input?: object): Promise<string> => cluster.with(kubectl, [...args, ...inside], input === undefined ? {} : { input: JSON.stringify(input) });
    // kubectl knows --subresource from 1.24 on.
    const patchStatus = (name: string, args: readonly string[]): Promise<string> => cluster.with(minor < 24 ? bargeBin : kubectl, ['patch', 'node', name, '--subresource=status', ...args]);
    const create = (object: object): Promise<string> => run(['create', '--validate=false', '-f', '-'], object);
    const says = (args: readonly string[], expected: RegExp): Promise<void> => within(60, async () => {
      const output = await run(args);
      if (!expected.test(output)) throw new Error(`1.${minor}: ${args.join(' ')} said ${output}`);
    });
    const nodeOf = (name: string, expected: string): Promise<void> => says(['get', 'pod', name, '-o', 'jsonpath={.spec.nodeName}'], new RegExp(`^${expected}$`));
    const [a, b] = [`a-${minor}`, `b-${minor}`];
    await cluster.with(kubectl, ['create', 'namespace', namespace]);
    for (const name of [a, b]) {
      await create(node(name));
      const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
      await patchStatus(name, ['-p', JSON.stringify({ status: { capacity: amounts, allocatable: amounts } })]);
    }

    // A device that is told by hand, as the documentation of extended resources does it.
    const devices = (name: string, count: number): Promise<string> => patchStatus(name, ['--type=json', '-p',
      JSON.stringify(['capacity', 'allocatable'].map((list) => ({ op: 'add', path: `/status/${list}/example.com~1gpu`, value: String(count) })))]);
    await create(pod('first', 2));
    await says(['get', 'pod', 'first', '-o', 'jsonpath={.status.conditions[0].message}'], /\d+ Insufficient example\.com\/gpu\. preemption: 0\/\d+ nodes are available: \d+ Preemption is not helpful for scheduling\.$/);
    await devices(a, 2);
    await nodeOf('first', a);
    await create(pod('second', 1));
    await says(['describe', 'pod', 'second'], /Warning +FailedScheduling .*Insufficient example\.com\/gpu/);
    await devices(a, 3);
    await nodeOf('second', a);

    // A pod of a class takes the room of one that is below it.
    await run(['create', 'priorityclass', `vip-${minor}`, '--value=1000']);
    await run(['create', 'priorityclass', `polite-${minor}`, '--value=2000', '--preemption-policy=Never']);
    await create(pod('polite', 1, { priorityClassName: `polite-${minor}` }));
    await says(['get', 'events', '--field-selector=involvedObject.name=polite', '-o', 'jsonpath={.items[*].message}'], /preemption: not eligible due to preemptionPolicy=Never\./);
    await run(['delete', 'pod', 'polite', '--grace-period=0', '--force']);
    await create(pod('vip', 1, { priorityClassName: `vip-${minor}` }));
    await says(['get', 'pod', 'vip', '-o', 'wide'], new RegExp(`<none> +${a} +<none>`));
    await says(['get', 'events', '--field-selector=involvedObject.name=second,reason=Preempted', '-o', 'jsonpath={.items[*].message}'], new RegExp(`^Preempted by pod [0-9a-f-]{36} on node ${a}$`));
    await says(['get', 'pod', 'second', '-o', 'jsonpath={.status.conditions[?(@.type=="DisruptionTarget")].reason}'], /^PreemptionByScheduler$/);
    await run(['delete', 'pod', 'second', '--grace-period=0', '--force']);
    await nodeOf('vip', a);

    // Each profile ranks its own way, a pod may ask for a strategy, and one that there is not is told to it.
    await devices(b, 2);
    await devices(a, 5);
    await create(pod('packed', 1, { schedulerName: 'packer' }));
    await nodeOf('packed', a);
    await says(['get', 'events', '--field-selector=involvedObject.name=packed', '-o', 'jsonpath={.items[0].reportingComponent}'], /^packer$/);
    await create(pod('odd', 0, {}, { 'scheduler.barge.dev/strategy': 'best' }));
    await says(['get', 'pod', 'odd', '-o', 'jsonpath={.status.conditions[0].reason}: {.status.conditions[0].message}'], /^InvalidRequest: metadata\.annotations\[scheduler\.barge\.dev\/strategy\]: Unsupported value: "best"/);
    await run(['annotate', 'pod', 'odd', '--overwrite', 'scheduler.barge.dev/strategy=random']);
    await says(['get', 'pod', 'odd', '-o', 'jsonpath={.spec.nodeName}'], /./);

    // A scheduler that barge knows nothing of binds its pods itself.
    await create(pod('external', 1, { schedulerName: 'my-scheduler' }));
    await run(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/external/binding`, '-f', '-'],
      { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'external' }, target: { apiVersion: 'v1', kind: 'Node', name: b } });
    await nodeOf('external', b);
    t.is(await run(['get', 'events', '--field-selector=involvedObject.name=external', '-o', 'name']), '');
    await cluster.with(kubectl, ['delete', 'node', a, b]);
    await run(['delete', 'pods', '--all', '--grace-period=0', '--force']);
  }
});

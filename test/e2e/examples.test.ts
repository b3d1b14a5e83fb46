/** Every manifest below examples/, applied and looked at as its first lines say. Side by side, for that is a matter of waiting. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bargeBin, E2eCluster, ensureImages, kubectls, root, within } from '../helpers/e2e.ts';
import { carryOutAll, manifestOf, Place, type Example } from '../helpers/example.ts';
import { access } from './examples/access.ts';
import { annotations } from './examples/barge.ts';
import { pods } from './examples/pods.ts';
import { policy } from './examples/policy.ts';
import { scheduling } from './examples/scheduling.ts';
import { services } from './examples/services.ts';
import { stored } from './examples/stored.ts';
import { workloads } from './examples/workloads.ts';

const examples = [...workloads, ...pods, ...services, ...policy, ...scheduling, ...access, ...stored, ...annotations];

/** Applied by the example that it goes on from. */
const continued = ['policy/preemption'];

const removals: (() => Promise<unknown>)[] = [];
let ends: ReadonlyMap<string, Promise<void>> = new Map();

/** A cluster of three nodes that only pretend to run containers. */
const severalNodes = async (): Promise<{ readonly cluster: E2eCluster; readonly nodes: readonly string[] }> => {
  // Nodes that share two cores with all else may be late to say that they live.
  const cluster = await E2eCluster.start({ args: ['--no-agent', '--node-monitor-grace-period', '120s'] });
  const agents: ChildProcess[] = [];
  removals.push(async () => {
    for (const agent of agents) {
      agent.kill('SIGTERM');
      if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'close');
    }
    await cluster.remove();
  });
  const nodes = ['attic-1', 'cellar-1', 'cellar-2'];
  for (const node of nodes) {
    const kubeconfig = join(cluster.dataDir, `${node}.kubeconfig`);
    await cluster.barge('issue', 'agent', '--data-dir', cluster.dataDir, '--node-name', node, '--out', kubeconfig);
    agents.push(spawn(bargeBin, ['agent', '--runtime', 'simulated', '--no-proxy', '--data-dir', join(cluster.dataDir, node), '--kubeconfig', kubeconfig], { stdio: ['ignore', 'ignore', 'inherit'] }));
  }
  await within(120, () => cluster.barge('wait', '--for=condition=Ready', ...nodes.map((node) => `node/${node}`), '--timeout=60s'));
  return { cluster, nodes };
};

test.before(async (t) => {
  t.timeout(300_000);
  const newest = [...await kubectls()].sort(([a], [b]) => b - a)[0];
  if (newest === undefined) throw new Error('there is no kubectl: name one in BARGE_TEST_KUBECTLS');
  await ensureImages();
  const cluster = await E2eCluster.start();
  removals.push(() => cluster.remove());
  const several = await severalNodes();
  const nodes = (await cluster.barge('get', 'nodes', '-o', 'name')).trim().split('\n').map((name) => name.replace('node/', ''));
  const place = (one: { readonly cluster: E2eCluster; readonly nodes: readonly string[] }) => ({ file, namespace }: Example): Place =>
    new Place(one.cluster, { kubectl: newest[1], namespace: namespace ?? file.replace('/', '-'), nodes: one.nodes });
  // Those about nodes change nodes, and would be in each other's way.
  ends = new Map([
    ...carryOutAll(examples.filter((example) => example.nodes === undefined), { atOnce: 6, place: place({ cluster, nodes }) }),
    ...carryOutAll(examples.filter((example) => example.nodes === 'several'), { atOnce: 1, place: place(several) }),
  ]);
});

test.after.always(async () => {
  for (const removal of removals) await removal();
});

for (const { file } of examples) {
  test(`examples/${file}.yaml`, async (t) => {
    t.timeout(900_000);
    await ends.get(file);
    t.pass();
  });
}

test('each manifest says how to try it, is tried, and stands in the list', async (t) => {
  const list = await readFile(join(root, 'examples/README.md'), 'utf8');
  const folders = new Set(examples.map(({ file }) => file.split('/')[0]!));
  for (const folder of folders) {
    const files = (await readdir(join(root, 'examples', folder))).map((name) => `${folder}/${name.replace(/\.yaml$/, '')}`).sort();
    t.deepEqual(files, [...examples.map(({ file }) => file), ...continued].filter((file) => file.startsWith(`${folder}/`)).sort());
    for (const file of files) {
      const comment = /^(?:#.*\n)+/.exec(await readFile(manifestOf(file), 'utf8'))?.[0] ?? '';
      t.true(comment.includes(`\n#   kubectl apply -f examples/${file}.yaml\n`), file);
      t.true(list.includes(`(${file}.yaml)`), `examples/README.md: ${file}`);
    }
  }
});

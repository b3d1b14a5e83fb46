import test from 'ava';
import type { NewObject } from '../../client/client.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { testCli } from '../helpers/cli.ts';

const time = '2026-01-01T00:00:00Z';
const use = (nanoCores: number, mebibytes: number): object => ({ cpu: { time, usageNanoCores: nanoCores, windowSeconds: 15 }, memory: { time, workingSetBytes: mebibytes * 2 ** 20 } });

test('top shows what nodes, pods and containers use', async (t) => {
  let summary = '{}';
  const cli = await testCli({ agents: async () => summary });
  t.teardown(cli.close);
  const { client } = cli.api;
  await client.of(Node).create({ metadata: { name: 'n1' } });
  await client.of(Node).modifyStatus({ name: 'n1' }, (draft) => {
    draft.status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } }, capacity: { cpu: '4', memory: '4Gi' }, allocatable: { cpu: '2', memory: '2Gi' } };
  });
  const pod = async (name: string, namespace: string, containers: readonly object[]): Promise<object> => {
    const { metadata } = await client.of(Pod).create({ metadata: { name, namespace, labels: { app: name } }, spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'i' }] } } as NewObject<Pod>);
    await client.of(Pod).modifyStatus({ namespace, name }, (draft) => { draft.status = { ...draft.status, phase: 'Running' }; });
    return { podRef: { name, namespace, uid: metadata.uid }, containers };
  };
  summary = JSON.stringify({ node: use(500_000_000, 1_024), pods: [
    await pod('web', 'default', [{ name: 'a', ...use(100_000_000, 10) }, { name: 'b', ...use(1_500_000, 30) }]), await pod('db', 'default', [{ name: 'a', ...use(50_000_000, 300) }]), await pod('dns', 'kube-system', [{ name: 'a', ...use(0, 1) }]),
  ] });
  const out = async (line: string): Promise<string> => {
    const ran = await cli.barge(line);
    t.is(ran.code, 0, ran.err);
    return ran.out;
  };
  t.is(await out('top node'), 'NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)\nn1     500m         25%      1024Mi          50%\n');
  t.is(await out('top nodes n1 --show-capacity --no-headers'), 'n1    500m   12%   1024Mi   25%\n');
  t.is(await out('top pod'), 'NAME   CPU(cores)   MEMORY(bytes)\ndb     50m          300Mi\nweb    102m         40Mi\n');
  t.is(await out('top pods --sort-by cpu'), 'NAME   CPU(cores)   MEMORY(bytes)\nweb    102m         40Mi\ndb     50m          300Mi\n');
  t.is(await out('top po -l app=web --containers --sort-by=memory'), 'POD   NAME   CPU(cores)   MEMORY(bytes)\nweb   b      2m           30Mi\nweb   a      100m         10Mi\n');
  t.is(await out('top pod -A --sum'), [
    'NAMESPACE     NAME   CPU(cores)   MEMORY(bytes)', 'default       db     50m          300Mi', 'default       web    102m         40Mi', 'kube-system   dns    0m           1Mi',
    '                     ________     ________', '                     152m         341Mi', '',
  ].join('\n'));
  t.is(await out('top pod db'), 'NAME   CPU(cores)   MEMORY(bytes)\ndb     50m          300Mi\n');
  t.like(await cli.barge('top pod none'), { code: 1, err: 'Error from server (NotFound): pods.metrics.k8s.io "none" not found\n' });
  t.like(await cli.barge('top pod -l app=none'), { code: 0, out: '', err: 'No resources found in default namespace.\n' });
  t.is((await cli.barge('top pod --sort-by disk')).code, 1);
});

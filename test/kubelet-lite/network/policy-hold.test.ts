import test from 'ava';
import { settle } from '../../helpers/fake-clock.ts';
import { agentFixture, agentPki, becomes } from '../agent-fixture.ts';

test('no container of a pod starts before the pod is held to its policies, and one that goes meanwhile does not hang', async (t) => {
  const agent = await agentFixture(agentPki());
  t.teardown(agent.close);
  const asked: string[] = [];
  const rules = Promise.withResolvers<void>();
  await agent.start({
    policies: {
      held: (pod, podIp, signal) => {
        asked.push(`${pod.metadata.name} ${podIp}`);
        return Promise.race([rules.promise, new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))]);
      },
    },
  });
  const spec = { containers: [{ name: 'web', image: 'web:1' }] };
  for (const name of ['waits', 'goes']) await agent.createPod({ name, spec });
  await agent.createPod({ name: 'host', spec: { ...spec, hostNetwork: true } });
  await becomes(() => asked.length, 2);
  await agent.phase('host', 'Running');
  await settle();
  const sandboxes = await agent.runtime.list();
  const ipOf = (name: string): string | undefined => sandboxes.find(({ podName }) => podName === name)!.ip;
  t.deepEqual(asked.toSorted(), [`goes ${ipOf('goes')}`, `waits ${ipOf('waits')}`]);
  t.deepEqual(sandboxes.filter(({ containers }) => containers.length > 0).map(({ podName }) => podName), ['host'], 'whoever has an address of its own waits');

  await agent.api.transport.send({ verb: 'delete', group: '', version: 'v1', resource: 'pods', namespace: 'default', name: 'goes', body: { gracePeriodSeconds: 1 } });
  await agent.gone('goes');
  rules.resolve();
  await agent.phase('waits', 'Running');
});

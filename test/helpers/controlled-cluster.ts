import type { ExecutionContext } from 'ava';
import { createBuiltinAuthorizer } from '../../apiserver/authorization/builtin-grants.ts';
import type { AgentReader } from '../../apiserver/metrics/node-summaries.ts';
import type { Transport } from '../../schemas/api.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { testApi } from './api.ts';
import { controllersUser, startControllers, type RunningControllers } from './control-plane.ts';
import { SimulatedNodes, type SimulatedNodesOptions } from './simulated-node.ts';

/** An API server, all controllers under their own name and grant, and simulated nodes n1 to n3; all end with the test. */
export const controlledCluster = async (t: ExecutionContext, { agents, ...options }: Partial<SimulatedNodesOptions> & { readonly agents?: AgentReader } = {}, through: (own: Transport) => Transport = (own) => own) => {
  const api = await testApi({ authorizer: createBuiltinAuthorizer(), agents });
  const over = new AbortController();
  const nodes = new SimulatedNodes({ transport: api.transport, clock: api.clock, names: ['n1', 'n2', 'n3'], ...options });
  const running = nodes.run(over.signal);
  const transport = through(api.core.as(controllersUser));
  let controllers: RunningControllers = await startControllers(api, { transport });
  t.teardown(async () => {
    await controllers.stop();
    over.abort();
    await running;
    await api.close();
  });
  const { client, clock } = api;
  return {
    api, client, clock, nodes,
    /** Pods of the namespace default, by name. */
    pods: async () => (await client.of(Pod).list({ namespace: 'default' })).items,
    /** Ends the controllers and starts others. */
    restart: async () => {
      await controllers.stop();
      controllers = await startControllers(api, { transport });
    },
    /** `Reason message` of each event about an object. */
    reasons: async (name: string) => (await client.of(Event).list({ namespace: 'default' })).items.filter((event) => event.involvedObject.name === name).map(({ reason, message }) => `${reason} ${message}`),
    /** Follows the pods of the namespace until the test ends: called after each change with all that there are. */
    watchPods: async (look: (pods: readonly Pod[]) => void) => {
      const present = new Map<string, Pod>();
      const { items, metadata } = await client.of(Pod).list({ namespace: 'default' });
      for (const pod of items) present.set(pod.metadata.uid!, pod);
      void (async () => {
        for await (const events of client.of(Pod).watch({ namespace: 'default', resourceVersion: metadata.resourceVersion }, over.signal)) {
          for (const { type, object } of events) {
            if (type === 'BOOKMARK') continue;
            if (type === 'DELETED') present.delete(object.metadata.uid!);
            else present.set(object.metadata.uid!, object);
            look([...present.values()]);
          }
        }
      })();
    },
  };
};

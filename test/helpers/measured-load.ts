import assert from 'node:assert/strict';
import type { AgentReader } from '../../apiserver/metrics/node-summaries.ts';
import type { Client } from '../../client/client.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';

/** What a container of a pod uses; undefined where its agent cannot measure it. */
export type UsageOf = (pod: Pod, container: string) => { readonly cpuMilli: number; readonly memoryBytes: number } | undefined;

/**
 * Agents of simulated nodes that measure what they are told. The server is given `agents` when it is made; `begin` says
 * who the nodes are, each at a port of its own.
 */
export class MeasuredLoad {
  #client: Client | undefined;
  #nowMs: () => number = () => 0;
  #names: readonly string[] = [];
  usage: UsageOf = () => ({ cpuMilli: 0, memoryBytes: 0 });

  readonly agents: AgentReader = async ({ port }) => {
    const name = this.#names[port - 1];
    assert.ok(this.#client !== undefined && name !== undefined, `no agent at ${port}`);
    const { items } = await this.#client.of(Pod).list({ fieldSelector: `spec.nodeName=${name}` });
    const time = new Date(this.#nowMs()).toISOString();
    return JSON.stringify({
      pods: items.map((pod) => ({
        podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
        containers: pod.spec.containers.map((container) => {
          const usage = this.usage(pod, container.name);
          return usage === undefined ? { name: container.name }
            : { name: container.name, cpu: { time, usageNanoCores: usage.cpuMilli * 1e6, windowSeconds: 15 }, memory: { time, workingSetBytes: usage.memoryBytes } };
        }),
      })),
    });
  };

  async begin(client: Client, names: readonly string[], nowMs: () => number): Promise<void> {
    this.#client = client;
    this.#names = names;
    this.#nowMs = nowMs;
    for (const [index, name] of names.entries()) {
      await client.of(Node).modifyStatus({ name }, (draft) => {
        draft.status = { ...draft.status, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: index + 1 } } };
      });
    }
  }
}

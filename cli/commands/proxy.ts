import { defineCommand } from '../command.ts';
import { remoteFlags, runRemote } from '../cluster/run-remote.ts';

const part = { name: 'proxy', settings: ['node-name', 'runtime', 'service-cidr'] };

export const command = defineCommand({
  name: 'proxy', group: 'Cluster', summary: "Run a node's service proxy and network policies alone, against an API server elsewhere",
  usage: 'proxy --kubeconfig FILE [flags]',
  description: "As root the kernel's rules, otherwise relays in user space. An agent beside it is started with --no-proxy.",
  flags: remoteFlags(part),
  serves: true,
  run: (context) => runRemote(context, part, async ({ config, surroundings }) => {
    const { createNetworkPolicies, createProxy } = await import('../cluster/node.ts');
    return [await createProxy(config, surroundings('proxy')), await createNetworkPolicies(config, surroundings('proxy'))];
  }),
});

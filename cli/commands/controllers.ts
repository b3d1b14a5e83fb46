import { defineCommand } from '../command.ts';
import { remoteFlags, runRemote } from '../cluster/run-remote.ts';

const part = { name: 'controllers', elects: true, settings: ['cluster-cidr', 'service-cidr', 'load-balancer-pool', 'node-lease-duration', 'node-monitor-grace-period', 'node-eviction-rate', 'secondary-node-eviction-rate', 'unhealthy-zone-threshold', 'large-cluster-size-threshold'] } as const;

export const command = defineCommand({
  name: 'controllers', group: 'Cluster', summary: 'Run the controllers alone, against an API server elsewhere',
  usage: 'controllers --kubeconfig FILE [flags]',
  description: "What 'barge up' runs of them, in a process of its own. Of several that run, one works; another goes on when it ends.",
  flags: remoteFlags(part),
  serves: true,
  run: (context) => runRemote(context, part, async ({ config, ca, elected }) => {
    const { createControllersComponent } = await import('../../controllers/component.ts');
    return [elected('controllers', (around) => createControllersComponent(around, { clusterCidr: config.clusterCidr, loadBalancerPool: config.loadBalancerPool, rootCa: ca, nodeMonitorGraceMs: config.nodes.monitorGraceMs, evictionRates: config.nodes.evictionRates }))];
  }),
});

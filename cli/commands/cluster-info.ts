import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand } from '../command.ts';
import { at } from '../selection.ts';
import { withSession } from '../session.ts';

export const command = defineCommand({
  name: 'cluster-info', group: 'Other', summary: 'Show where the cluster is.', usage: 'cluster-info', flags: clusterFlags,
  run: (context) => withSession(context.flags, context, async (session) => {
    const services = (await session.discovery()).named('services');
    const { items } = await session.api.list(at(services, 'kube-system'), { labelSelector: 'kubernetes.io/cluster-service=true' }, context.signal);
    const server = session.api.connection.options.server.replace(/\/$/, '');
    context.stdout.write(`Kubernetes control plane is running at ${server}\n`);
    for (const { metadata } of items) {
      const name = metadata.labels?.['kubernetes.io/name'] ?? metadata.name;
      context.stdout.write(`${name} is running at ${server}/api/v1/namespaces/kube-system/services/${metadata.name}/proxy\n`);
    }
    return 0;
  }),
});

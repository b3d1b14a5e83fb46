import { defineCommand } from '../command.ts';
import { remoteFlags, runRemote } from '../cluster/run-remote.ts';

const part = { name: 'scheduler', settings: [] };

export const command = defineCommand({
  name: 'scheduler', group: 'Cluster', summary: 'Run the scheduler alone, against an API server elsewhere',
  usage: 'scheduler --kubeconfig FILE [flags]',
  flags: remoteFlags(part),
  serves: true,
  run: (context) => runRemote(context, part, async ({ surroundings }) => {
    const { createSchedulerComponent } = await import('../../scheduler/component.ts');
    return [createSchedulerComponent(surroundings('scheduler'), {})];
  }),
});

import { defineCommand } from '../command.ts';
import { remoteFlags, runRemote } from '../cluster/run-remote.ts';

const part = { name: 'scheduler', settings: ['scheduler-strategy', 'scheduler-config'] };

export const command = defineCommand({
  name: 'scheduler', group: 'Cluster', summary: 'Run the scheduler alone, against an API server elsewhere',
  usage: 'scheduler --kubeconfig FILE [flags]',
  flags: remoteFlags(part),
  serves: true,
  run: (context) => runRemote(context, part, async ({ config, surroundings }) => {
    const { createSchedulerComponent } = await import('../../scheduler/component.ts');
    const { schedulerProfiles } = await import('../cluster/scheduler-profiles.ts');
    return [createSchedulerComponent(surroundings('scheduler'), { profiles: await schedulerProfiles(config) })];
  }),
});

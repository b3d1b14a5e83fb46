import { defineCommand } from '../command.ts';
import { remoteFlags, runRemote } from '../cluster/run-remote.ts';

const part = { name: 'scheduler', elects: true, settings: ['scheduler-strategy', 'scheduler-config'] } as const;

export const command = defineCommand({
  name: 'scheduler', group: 'Cluster', summary: 'Run the scheduler alone, against an API server elsewhere',
  usage: 'scheduler --kubeconfig FILE [flags]',
  description: 'Of several that run, one works; another goes on when it ends.',
  flags: remoteFlags(part),
  serves: true,
  run: (context) => runRemote(context, part, async ({ config, elected }) => {
    const { createSchedulerComponent } = await import('../../scheduler/component.ts');
    const { schedulerProfiles } = await import('../cluster/scheduler-profiles.ts');
    const profiles = await schedulerProfiles(config);
    return [elected('scheduler', (around) => createSchedulerComponent(around, { profiles }))];
  }),
});

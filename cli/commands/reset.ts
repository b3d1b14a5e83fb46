import { createInterface } from 'node:readline/promises';
import { configOf, settingFlags } from '../cluster/setting-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag } from '../flags.ts';

const used = ['data-dir', 'kubeconfig', 'docker-host', 'runtime'] as const;

const confirmed = async ({ stdin, stdout }: CommandContext, dataDir: string): Promise<boolean> => {
  if (stdin.isTTY !== true) throw new CommandError('standard input is no terminal to ask on; say --yes');
  const lines = createInterface({ input: stdin, output: stdout });
  const answer = await lines.question(`Remove the cluster in ${dataDir} with all its pods and data? [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
};

export const command = defineCommand({
  name: 'reset',
  group: 'Cluster',
  summary: 'Remove every container, network, rule and file that barge made',
  usage: 'reset [--yes] [--data-dir DIR]',
  description: 'Ends the cluster of a data folder and removes everything that it made: containers, the pod network, the proxy\'s rules, volumes, certificates and all stored objects. Nothing else is touched.',
  examples: [{ note: 'Remove the cluster that ./quickstart started', line: 'barge reset' }],
  flags: { ...settingFlags(used), yes: flag.on('Do not ask.') },
  run: async (context) => {
    const config = configOf(context, used);
    if (!context.flags.yes && !await confirmed(context, config.dataDir)) {
      context.stdout.write('nothing was removed\n');
      return 1;
    }
    const { resetCluster } = await import('../cluster/reset-cluster.ts');
    const failures = await resetCluster({ config, say: (line) => void context.stdout.write(`${line}\n`) });
    for (const failure of failures) context.stderr.write(`error: ${failure}\n`);
    if (failures.length > 0) context.stderr.write('run it again when the cause is mended\n');
    return failures.length === 0 ? 0 : 1;
  },
});

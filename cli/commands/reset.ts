import { createInterface } from 'node:readline/promises';
import { readStoreNote } from '../cluster/store-note.ts';
import { configOf, settingFlags } from '../cluster/setting-flags.ts';
import { etcdSettings } from '../etcd-config.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag } from '../flags.ts';

const used = ['data-dir', 'kubeconfig', 'docker-host', 'runtime', ...etcdSettings.map(({ name }) => name)];

const confirmed = async ({ stdin, stdout }: CommandContext, what: string): Promise<boolean> => {
  if (stdin.isTTY !== true) throw new CommandError('standard input is no terminal to ask on; say --yes');
  const lines = createInterface({ input: stdin, output: stdout });
  const answer = await lines.question(`Remove ${what}? [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
};

export const command = defineCommand({
  name: 'reset',
  group: 'Cluster',
  summary: 'Remove every container, network, rule and file that barge made',
  usage: 'reset [--yes] [--store] [--data-dir DIR]',
  description: 'Ends the cluster of a data folder and removes everything that it made: containers, the pod network, the proxy\'s rules, volumes, certificates and all stored objects. Nothing else is touched. A server on an etcd leaves the cluster, whose objects stay there for the other servers; --store removes them with the last one.',
  examples: [{ note: 'Remove the cluster that ./quickstart started', line: 'barge reset' }],
  flags: { ...settingFlags(used), yes: flag.on('Do not ask.'), store: flag.on('Also remove the objects in etcd. Refused while other servers run on them.') },
  run: async (context) => {
    const config = configOf(context, used);
    const { store, yes } = context.flags;
    const etcd = (await readStoreNote(config.dataDir))?.etcd ?? config.etcd;
    const what = store && etcd !== undefined ? `the cluster in ${etcd.endpoints.join(',')} under ${etcd.prefix} for good, and all of it in ${config.dataDir}`
      : etcd !== undefined ? `the server in ${config.dataDir} with the pods of its node, and leave the cluster in etcd` : `the cluster in ${config.dataDir} with all its pods and data`;
    if (!yes && !await confirmed(context, what)) {
      context.stdout.write('nothing was removed\n');
      return 1;
    }
    const { resetCluster } = await import('../cluster/reset-cluster.ts');
    const failures = await resetCluster({ config, store, say: (line) => void context.stdout.write(`${line}\n`) });
    for (const failure of failures) context.stderr.write(`error: ${failure}\n`);
    if (failures.length > 0) context.stderr.write('run it again when the cause is mended\n');
    return failures.length === 0 ? 0 : 1;
  },
});

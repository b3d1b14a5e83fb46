import { defaultDataDir } from '../config.ts';
import { runningPid, stopRunning } from '../cluster/pid-file.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';

const stopTimeoutMs = 15_000;

export const command = defineCommand({
  name: 'stop',
  group: 'Cluster',
  summary: 'End the cluster that runs in the background; its pods go on',
  usage: 'stop [--data-dir DIR]',
  description: 'Sends SIGTERM to the barge up of a data folder and waits until it has ended. Pods are left running; the next barge up takes them over as they are.',
  examples: [{ note: 'Stop the cluster that ./quickstart started', line: 'barge stop' }],
  flags: { 'data-dir': flag.text('Data folder of the cluster.', { value: 'DIR', shownDefault: '/var/lib/barge as root, else barge in the XDG data folder' }) },
  run: async ({ flags, env, stdout }) => {
    const dataDir = flags['data-dir'] ?? defaultDataDir(env, process.getuid?.() === 0);
    const pid = await runningPid(dataDir);
    if (pid === undefined) {
      stdout.write(`no barge is running with the data folder ${dataDir}\n`);
      return;
    }
    if (!await stopRunning(dataDir, pid, { timeoutMs: stopTimeoutMs })) throw new CommandError(`barge (process ${pid}) did not end within ${stopTimeoutMs / 1000} s; kill -9 ${pid} ends it and loses nothing`);
    stdout.write(`stopped barge (process ${pid}); its pods go on\n`);
  },
});

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { runServer } from '../cluster/run-server.ts';
import { finishDemotion } from '../cluster/servers/demotion.ts';
import { ServerFiles } from '../cluster/servers/server-files.ts';
import { configOf, settingFlags } from '../cluster/setting-flags.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../flags.ts';

export const command = defineCommand({
  name: 'up',
  group: 'Cluster',
  summary: 'Run a cluster in the foreground; other machines can join it',
  usage: 'up [flags]',
  description: [
    'Runs the API server, the controllers, the scheduler, the node agent, the service proxy and DNS in this process, until SIGINT or SIGTERM.',
    'Pods go on running when it ends, and are taken over as they are when it starts again. When the node is Ready, one line says where the API is.',
  ].join('\n'),
  examples: [
    { note: 'A cluster with its state in /var/lib/barge', line: 'barge up' },
    { note: "A cluster that other machines can join; it prints the line to run there", line: 'barge up --listen 0.0.0.0:6443' },
    { note: 'Try things out without root and without containers', line: 'barge up --runtime simulated --data-dir /tmp/try --listen 127.0.0.1:0' },
  ],
  flags: { ...settingFlags(), config: flag.text('YAML file with the same settings by the same names; flags win over it.', { value: 'FILE' }) },
  serves: true,
  run: async (context) => {
    const { flags, cwd } = context;
    const fileName = typeof flags['config'] === 'string' ? flags['config'] : undefined;
    const file = fileName === undefined ? undefined : { name: fileName, text: await readFile(resolve(cwd, fileName), 'utf8') };
    const { dataDir, kubeconfig } = configOf(context, undefined, { file });
    await finishDemotion({ dataDir, kubeconfig });
    // A machine that has joined as a server is one by what it keeps.
    const kept = await new ServerFiles(dataDir).settings();
    await runServer(configOf(context, undefined, { file, kept }), context);
  },
});

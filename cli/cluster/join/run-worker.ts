import { createLog } from '../../../base/log.ts';
import type { World } from '../../command.ts';
import { pressureSettings, readConfig, type ClusterConfig, type Given } from '../../config.ts';
import { removePid, writePid } from '../pid-file.ts';
import { runServer } from '../run-server.ts';
import { ServerFiles } from '../servers/server-files.ts';
import { MembershipFiles, type KeptMembership } from './membership.ts';
import { runJoined } from './run-joined.ts';

/** Settings that workers have. */
export const workerSettings: readonly string[] = ['data-dir', 'node-name', 'node-ip', 'docker-host', 'runtime', 'warm-sandboxes', ...pressureSettings, 'pod-manifest-path', 'log-level', 'log-format'];

/** What of a server's settings goes for it as a worker too. */
export const givenToWorkers = (given: Given): Given => Object.fromEntries(Object.entries(given).filter(([name]) => workerSettings.includes(name)));

/** Runs the worker that this machine is in the foreground, as `barge join` does. Where it becomes a server meanwhile, it goes on as that. */
export const runWorker = async ({ membership, config }: { readonly membership: KeptMembership; readonly config: ClusterConfig }, world: World): Promise<void> => {
  const { clock, random, signal, stdout, stderr, env } = world;
  const [files, serverFiles] = [new MembershipFiles(config.dataDir), new ServerFiles(config.dataDir)];
  let end: 'stopped' | 'promoted';
  await writePid(config.dataDir);
  try {
    const log = createLog({ level: config.logLevel, format: config.logFormat, write: (line) => void stderr.write(`${line}\n`), now: () => clock.now() });
    end = await runJoined({ membership, files, serverFiles, config, clock, random, log, onReady: () => void stdout.write(`node ${membership.nodeName} Ready: ${membership.server}\n`) }, signal);
  } finally {
    await removePid(config.dataDir);
  }
  if (end === 'promoted') await runServer(readConfig({ flags: config.given, kept: await serverFiles.settings(), env, root: process.getuid?.() === 0 }), world);
};

import { CommandError, type World } from '../command.ts';
import type { ClusterConfig } from '../config.ts';

/** Runs the worker that this machine, a server until now, has become. */
const runDemoted = async (config: ClusterConfig, world: World): Promise<void> => {
  const [{ finishDemotion }, { MembershipFiles }, { givenToWorkers, runWorker }] = await Promise.all([import('./servers/demotion.ts'), import('./join/membership.ts'), import('./join/run-worker.ts')]);
  await finishDemotion(config);
  await runWorker({ config: { ...config, given: givenToWorkers(config.given) }, membership: (await new MembershipFiles(config.dataDir).read())! }, world);
};

/**
 * Runs a server in the foreground as `barge up` does: what there is to say of it goes to standard output, log lines to standard error.
 * Where the machine becomes a worker meanwhile, it goes on as that.
 */
export const runServer = async (config: ClusterConfig, world: World): Promise<void> => {
  const { clock, random, signal, stdout, stderr } = world;
  const started = performance.now();
  const { runCluster } = await import('./run-cluster.ts');
  let end: 'stopped' | 'demoted';
  try {
    end = await runCluster({
      config, clock, random, signal,
      writeLog: (line) => void stderr.write(`${line}\n`),
      onReady: ({ url, nodeName, join }) => {
        const what = nodeName === undefined ? 'control plane' : `node ${nodeName}`;
        stdout.write(`${what} Ready: ${url}  kubeconfig ${config.kubeconfig}  (${((performance.now() - started) / 1000).toFixed(2)} s)\n`);
        if (join === undefined) return;
        stdout.write(`to add a machine, run there:  barge join ${join.url} --token ${join.token}\n`);
        // As Swarm's, that line is not shown unasked: its token gives the cluster's keys away.
        if (config.etcd !== undefined) stdout.write("to add a server, 'barge token create --role server' prints the line to run there\n");
      },
    });
  } catch (error) {
    const { syscall = '', message } = error as NodeJS.ErrnoException;
    if (['listen', 'bind', 'getaddrinfo'].includes(syscall)) throw new CommandError(`${message}: choose another address with --listen, or port 0 for a free one`, { cause: error });
    throw error;
  }
  if (end === 'demoted') await runDemoted(config, world);
};

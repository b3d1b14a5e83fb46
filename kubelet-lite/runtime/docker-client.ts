import { createRequire, registerHooks } from 'node:module';
import type Docker from 'dockerode';

/**
 * Files that dockerode loads at once, with all that is below them, for what is not done here: engines over SSH (`--docker-host`
 * takes a socket or an address) and sessions of BuildKit (nothing is built). Their 150 modules, of ssh2, grpc-js and protobufjs, would take
 * 10 MB of each node. test/cli/loaded-packages.test.ts holds that these are the files.
 */
const unused = ['/docker-modem/lib/ssh.js', '/dockerode/lib/session.js'];

const standIn = "module.exports = () => { throw new Error('dockerode is loaded without engines over SSH and sessions of BuildKit'); };";

const loadDockerode = (): typeof Docker => {
  const hooks = registerHooks({
    load: (url, context, next) => (unused.some((file) => url.endsWith(file)) ? { format: 'commonjs', source: standIn, shortCircuit: true } : next(url, context)),
  });
  try {
    return createRequire(import.meta.url)('dockerode') as typeof Docker;
  } finally {
    hooks.deregister();
  }
};

const Dockerode = loadDockerode();

/** A client of the engine at `unix:///path`, `tcp://host:port` or `http(s)://host:port`; the usual socket where absent. */
export const connectDocker = (host: string | undefined): Docker => {
  if (host === undefined) return new Dockerode({ socketPath: '/var/run/docker.sock' });
  if (host.startsWith('unix://')) return new Dockerode({ socketPath: host.slice('unix://'.length) });
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return new Dockerode({ protocol: url.protocol === 'https:' ? 'https' : 'http', host: url.hostname, port: url.port || '2375' });
};

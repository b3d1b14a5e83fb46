import Docker from 'dockerode';

/** A client of the engine at `unix:///path`, `tcp://host:port` or `http(s)://host:port`; the usual socket where absent. */
export const connectDocker = (host: string | undefined): Docker => {
  if (host === undefined) return new Docker({ socketPath: '/var/run/docker.sock' });
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length) });
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return new Docker({ protocol: url.protocol === 'https:' ? 'https' : 'http', host: url.hostname, port: url.port || '2375' });
};

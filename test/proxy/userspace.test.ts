import { createServer } from 'node:net';
import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { UserspaceBackend } from '../../proxy/userspace.ts';
import { localPeer } from '../helpers/net-peer.ts';
import { proxyBackendSuite } from '../suites/proxy-backend.ts';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
};

proxyBackendSuite('userspace', async () => {
  const client = localPeer();
  const serve = async (name: 'a' | 'b' | 'c', protocol: 'TCP' | 'UDP') => ({ ip: '127.0.0.1', port: await client.serve({ protocol, host: '127.0.0.1', port: 0, name }) });
  const backend = new UserspaceBackend({ clock: systemClock, log: silentLog });
  return {
    backend, client,
    tcp: { a: await serve('a', 'TCP'), b: await serve('b', 'TCP'), c: await serve('c', 'TCP') },
    udp: { a: await serve('a', 'UDP'), b: await serve('b', 'UDP'), c: await serve('c', 'UDP') },
    // All of 127.0.0.0/8 is this machine; a network of its own for each test process.
    clusterIp: (n) => `127.96.${process.pid % 250 + 1}.${n}`,
    publicIp: (n) => `127.97.${process.pid % 250 + 1}.${n}`,
    clientNetwork: '127.0.0.0/8',
    nodePorts: [await freePort(), await freePort()],
    close: async () => {
      await backend.remove();
      await client.close();
    },
  };
});

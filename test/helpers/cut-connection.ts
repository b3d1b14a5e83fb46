import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CutConnection {
  /** `host:port` that leads to the target. */
  readonly address: string;
  /** From now on the target hears what is said, and its answers are lost. */
  swallowAnswers(): void;
  /** Ends all connections; new ones get through as at first. */
  cut(): void;
  close(): Promise<void>;
}

/** A way to a TCP port of loopback that can lose answers; at a free port where none is given. */
export const cutConnection = async (port: number, at = 0): Promise<CutConnection> => {
  const sockets = new Set<Socket>();
  let swallow = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (bytes) => { if (!swallow) near.write(bytes); });
  }).listen(at, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    swallow = false;
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallowAnswers: () => { swallow = true; }, cut,
    close: async () => {
      cut();
      await once(server.close(), 'close');
    },
  };
};

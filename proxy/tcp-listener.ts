import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './backend.ts';
import type { EndpointChoice } from './endpoint-choice.ts';
import type { Listener } from './userspace.ts';

/**
 * Takes TCP connections and carries each to an endpoint, both directions apart: a side that has said its end may still
 * listen. An endpoint that refuses is passed over for the next one; when all do, the client is reset.
 */
export class TcpListener implements Listener {
  readonly #choice: EndpointChoice;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor({ choice }: { readonly choice: EndpointChoice }) {
    this.#choice = choice;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }, (client) => void this.#carry(client));
  }

  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port, exclusive: true });
    await once(this.#server, 'listening');
    this.#server.on('error', () => undefined);
  }

  dropped(): void {
    // TCP connections to an endpoint that is gone end by themselves.
  }

  async close({ all }: { readonly all: boolean }): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    if (all) for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #carry(client: Socket): Promise<void> {
    this.#track(client);
    const address = client.remoteAddress ?? '';
    for (let attempt = Math.max(1, this.#choice.size); attempt > 0; attempt--) {
      const endpoint = this.#choice.pick(address);
      if (endpoint === undefined) break;
      const server = await this.#connected(endpoint);
      if (server === undefined) {
        this.#choice.failed(address);
        continue;
      }
      if (client.destroyed) server.destroy();
      else join(client, server);
      return;
    }
    client.resetAndDestroy();
  }

  async #connected({ ip, port }: Endpoint): Promise<Socket | undefined> {
    const socket = connect({ host: ip, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    this.#track(socket);
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
      return undefined;
    }
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

const join = (a: Socket, b: Socket): void => {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.pipe(to);
    // A side that breaks off takes the other with it, as a reset does.
    from.on('error', () => to.resetAndDestroy());
    from.on('close', (failed) => {
      if (failed) to.resetAndDestroy();
    });
  }
};

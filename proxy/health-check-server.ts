import { once } from 'node:events';
import type { Server } from 'node:http';
import { InTurn } from '../base/in-turn.ts';
import type { Log } from '../base/log.ts';
import { http } from '../base/node-http.ts';
import type { HealthCheck } from './health-checks.ts';

export interface HealthCheckServerOptions {
  /** Where the ports listen: `0.0.0.0` for everybody. */
  readonly host: string;
  readonly log: Log;
}

/**
 * Answers load balancers over HTTP, on a port for each service: 200 where this node has endpoints of it, else 503, with
 * kube-proxy's JSON and header. A port that cannot be had is said once and tried again with the next apply.
 */
export class HealthCheckServer {
  readonly #options: HealthCheckServerOptions;
  readonly #turns = new InTurn();
  #checks: ReadonlyMap<number, HealthCheck> = new Map();
  readonly #listening = new Map<number, Server>();
  readonly #refused = new Set<number>();

  constructor(options: HealthCheckServerOptions) {
    this.#options = options;
  }

  /** Resolves when the ports of all checks, and no others, answer. */
  apply(checks: ReadonlyMap<number, HealthCheck>): Promise<void> {
    return this.#turns.run(async () => {
      this.#checks = checks;
      await Promise.all([...this.#listening].filter(([port]) => !checks.has(port)).map(([port, server]) => this.#end(port, server)));
      await Promise.all([...checks].filter(([port]) => !this.#listening.has(port)).map(([port, check]) => this.#listen(port, check)));
    });
  }

  async #listen(port: number, { namespace, name }: HealthCheck): Promise<void> {
    const server = http.createServer((_, response) => {
      const check = this.#checks.get(port);
      const localEndpoints = check?.localEndpoints ?? 0;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json', 'x-content-type-options': 'nosniff', 'x-load-balancing-endpoint-weight': String(localEndpoints), connection: 'close',
      });
      response.end(JSON.stringify({ service: { namespace: check?.namespace, name: check?.name }, localEndpoints, serviceProxyHealthy: true }));
    });
    try {
      server.listen(port, this.#options.host);
      await once(server, 'listening');
      this.#listening.set(port, server);
      this.#refused.delete(port);
    } catch (error) {
      if (!this.#refused.has(port)) this.#options.log.warn('cannot listen for health checks of a service', { service: `${namespace}/${name}`, port, error: error instanceof Error ? error.message : String(error) });
      this.#refused.add(port);
    }
  }

  async #end(port: number, server: Server): Promise<void> {
    this.#listening.delete(port);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}

import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { WebhookTarget } from './webhook-target.ts';

/** Connections to one webhook at a time; further calls wait for one within their own time. */
export const maxConnections = 64;
/** Connections to one webhook that are kept for later. */
const maxIdle = 8;
/** Webhooks whose agents are kept, the latest. */
const maxAgents = 128;

/** Connections by webhook and by whom it is trusted: what one hangs on does not hold up another. */
export class Agents {
  readonly #agents = new Map<string, Agent>();

  of({ name, port }: WebhookTarget, caBundle: string | undefined): Agent {
    const ca = caBundle === undefined || caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString('utf8');
    const key = `${name} ${port} ${ca === undefined ? '' : createHash('sha256').update(ca).digest('base64')}`;
    const known = this.#agents.get(key);
    this.#agents.delete(key);
    const agent = known ?? new Agent({
      keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxIdle, timeout: 60_000, minVersion: 'TLSv1.2',
      // An address stands in the certificate as such and is not told to the server.
      ...(isIP(name.replace(/^\[(.*)\]$/, '$1')) === 0 ? { servername: name } : {}), ...(ca === undefined ? {} : { ca }),
    });
    this.#agents.set(key, agent);
    this.#forgetOldest();
    return agent;
  }

  /** Ends the connections that nobody uses. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #forgetOldest(): void {
    for (const [key, agent] of this.#agents) {
      if (this.#agents.size <= maxAgents) return;
      if (Object.keys(agent.sockets).length > 0) continue;
      agent.destroy();
      this.#agents.delete(key);
    }
  }
}

/** Carries out what probes and lifecycle hooks ask for: a command, a request, a connection, a pause. */
import { sleep, type Clock } from '../base/clock.ts';
import type { Container } from '../schemas/types/container.ts';
import type { ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, TCPSocketAction } from '../schemas/types/probe.ts';
import { ConfigError } from './config-error.ts';
import type { PodNetwork } from './runtime/pod-network.ts';
import type { ContainerExec } from './runtime/runtime.ts';

/** Where an action is carried out. */
export interface ActionTarget {
  readonly container: Container;
  readonly containerId: string;
  /** The pod's address, or the node's with its network. */
  readonly host: string;
}

/** What a hook may ask for, and a probe. */
type Handler = LifecycleHandler & { readonly grpc?: GRPCAction | undefined };

/** Undefined for success; else why not. */
export type Outcome = string | undefined;

/** Output of a command is kept for the message of its failure. */
const outputLimitBytes = 10 * 1024;

/** A port by number, or by the name that it has in the container. */
export const portOf = (container: Container, port: number | string): number => {
  const number = typeof port === 'number' || /^\d+$/.test(port) ? Number(port) : container.ports?.find(({ name }) => name === port)?.containerPort;
  if (number === undefined) throw new ConfigError(`port ${JSON.stringify(port)} is no port of container ${container.name}`);
  return number;
};

export interface ActionSurroundings {
  readonly runtime: ContainerExec;
  readonly network: PodNetwork;
  readonly clock: Clock;
}

export class Actions {
  readonly #s: ActionSurroundings;

  constructor(surroundings: ActionSurroundings) {
    this.#s = surroundings;
  }

  /** The handler's outcome; one that takes longer fails. `timeoutMs` undefined: only the signal ends it. */
  async carryOut(handler: Handler, target: ActionTarget, timeoutMs: number | undefined, signal: AbortSignal): Promise<Outcome> {
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    let timedOut = false;
    const cancel = timeoutMs === undefined ? () => undefined : this.#s.clock.after(timeoutMs, () => {
      timedOut = true;
      stop();
    });
    try {
      return await this.#one(handler, target, abort.signal);
    } catch (error) {
      if (timedOut) return handler.exec === undefined ? 'context deadline exceeded (timeout while awaiting an answer)' : `command ${JSON.stringify((handler.exec.command ?? []).join(' '))} timed out`;
      return error instanceof Error ? error.message : String(error);
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  async #one(handler: Handler, target: ActionTarget, signal: AbortSignal): Promise<Outcome> {
    if (handler.exec !== undefined) return this.#exec(handler.exec, target, signal);
    if (handler.httpGet !== undefined) return this.#http(handler.httpGet, target, signal);
    if (handler.tcpSocket !== undefined) return this.#tcp(handler.tcpSocket, target, signal);
    if (handler.grpc !== undefined) {
      const { port, service = '' } = handler.grpc;
      return this.#s.network.grpcHealth({ host: target.host, port, service }, signal);
    }
    if (handler.sleep !== undefined) {
      await sleep(this.#s.clock, handler.sleep.seconds * 1000, signal);
      return undefined;
    }
    throw new ConfigError('the handler has none of exec, httpGet, tcpSocket, grpc, sleep');
  }

  async #exec({ command = [] }: ExecAction, { containerId }: ActionTarget, signal: AbortSignal): Promise<Outcome> {
    const session = await this.#s.runtime.exec(containerId, { command, stdin: false, tty: false });
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => undefined);
    const stop = (): void => {
      session.close();
      reject(new Error('given up'));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const read = async (): Promise<Outcome> => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const { data } of session.output) {
        if (size < outputLimitBytes) chunks.push(data);
        size += data.length;
      }
      const code = await session.exit;
      return code === 0 ? undefined : `command exited with ${code}: ${Buffer.concat(chunks).subarray(0, outputLimitBytes).toString('utf8').trim()}`;
    };
    try {
      return await Promise.race([read(), aborted]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #http(action: HTTPGetAction, { container, host }: ActionTarget, signal: AbortSignal): Promise<Outcome> {
    const { status } = await this.#s.network.httpGet({
      host: action.host || host, port: portOf(container, action.port), path: action.path ?? '/', scheme: action.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP', headers: action.httpHeaders ?? [],
    }, signal);
    return status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`;
  }

  async #tcp(action: TCPSocketAction, { container, host }: ActionTarget, signal: AbortSignal): Promise<Outcome> {
    await this.#s.network.tcpConnect(action.host || host, portOf(container, action.port), signal);
    return undefined;
  }
}

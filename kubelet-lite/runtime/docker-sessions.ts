/** Logs of containers, and sessions with what runs in them. */
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { sleep, type Clock } from '../../base/clock.ts';
import { runtimeError } from './docker-errors.ts';
import { demultiplex, plain, sessionOver, type Output } from './docker-streams.ts';
import { RuntimeError, type ContainerExec, type ContainerLogs, type ExecOptions, type ExecSession, type LogOptions } from './runtime.ts';

/** An exit code is there a moment after the output has ended. */
const exitWaitMs = [0, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

export class DockerSessions implements ContainerLogs, ContainerExec {
  readonly #docker: Docker;
  readonly #clock: Clock;

  constructor(docker: Docker, clock: Clock) {
    this.#docker = docker;
    this.#clock = clock;
  }

  async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncGenerator<Output> {
    try {
      const container = this.#docker.getContainer(id);
      const { Config: { Tty: tty } } = await container.inspect();
      const query = {
        stdout: true, stderr: true, timestamps: options.timestamps, abortSignal: signal,
        ...(options.tailLines === undefined ? {} : { tail: options.tailLines }),
        ...(options.sinceMs === undefined ? {} : { since: (options.sinceMs / 1000).toFixed(3) as unknown as number }),
      };
      const source = options.follow
        ? await container.logs({ ...query, follow: true }) as unknown as AsyncIterable<Uint8Array>
        : [await container.logs({ ...query, follow: false })] as unknown as AsyncIterable<Uint8Array>;
      yield* (tty ? plain : demultiplex)(source);
    } catch (error) {
      if (!signal.aborted) throw runtimeError('RunContainerError', error);
    }
  }

  async exec(id: string, options: ExecOptions): Promise<ExecSession> {
    try {
      const exec = await this.#docker.getContainer(id).exec({
        Cmd: [...options.command], AttachStdin: options.stdin, AttachStdout: true, AttachStderr: true, Tty: options.tty,
      });
      const socket = await exec.start({ hijack: true, stdin: options.stdin, Tty: options.tty }) as Duplex;
      return sessionOver(socket, {
        tty: options.tty,
        resize: async (columns, rows) => {
          await exec.resize({ w: columns, h: rows }).catch(() => undefined);
        },
        exitCode: () => this.#exitCode(async () => {
          const { Running, ExitCode } = await exec.inspect();
          return Running ? undefined : (ExitCode ?? undefined);
        }),
      });
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async attach(id: string, options: { readonly stdin: boolean; readonly tty: boolean }): Promise<ExecSession> {
    try {
      const container = this.#docker.getContainer(id);
      const socket = await container.attach({ stream: true, stdin: options.stdin, stdout: true, stderr: true, hijack: true }) as Duplex;
      // Who attaches to a container that has ended would wait for its next start.
      if (!(await container.inspect()).State.Running) {
        socket.destroy();
        throw new RuntimeError('RunContainerError', `container ${id} is not running`);
      }
      return sessionOver(socket, {
        tty: options.tty,
        resize: async (columns, rows) => {
          await container.resize({ w: columns, h: rows }).catch(() => undefined);
        },
        // Attaching ends when either side stops, and says nothing of the container: it may well go on.
        exitCode: async () => 0,
      });
    } catch (error) {
      throw runtimeError('RunContainerError', error);
    }
  }

  async #exitCode(ask: () => Promise<number | undefined>): Promise<number> {
    const never = new AbortController().signal;
    for (const waitMs of exitWaitMs) {
      if (waitMs > 0) await sleep(this.#clock, waitMs, never);
      const code = await ask();
      if (code !== undefined) return code;
    }
    throw new RuntimeError('RunContainerError', 'the engine gave no exit code');
  }
}

import type { Key } from './client.ts';

export interface RawRequest {
  readonly method: string;
  /** Path and query: `/apis/apps/v1`. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Which lines of a container's log; the words of the API. */
export interface LogOptions {
  readonly container?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly previous?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly sinceTime?: string | undefined;
  readonly limitBytes?: number | undefined;
}

/** The ends of a process's streams. One that is absent is not asked for. */
export interface ProcessStreams {
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** A promise that it returns is waited for before more is read. */
  readonly stdout?: ((bytes: Buffer) => void | Promise<void>) | undefined;
  /** Not used with a terminal, which has one output only. */
  readonly stderr?: ((bytes: Buffer) => void | Promise<void>) | undefined;
  readonly tty?: boolean | undefined;
  /** Sizes of the user's terminal, the first at once. */
  readonly sizes?: AsyncIterable<{ readonly columns: number; readonly rows: number }> | undefined;
}

/** What a client can do with an API server beside requests for objects. Everything rejects with ApiError. */
export interface Streams {
  /** Any request; answers from 400 on reject. */
  raw(request: RawRequest, signal?: AbortSignal): Promise<RawAnswer>;
  /** The bytes of a log as they come; ends with the log, or when the signal aborts. */
  logs(pod: Key, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Runs a command in a container; resolves with its exit code. Rejects when it could not be run or the connection broke. */
  exec(pod: Key, command: readonly string[], options: ProcessStreams & { readonly container?: string | undefined }, signal: AbortSignal): Promise<number>;
  /** Joins the container's main process; resolves with its exit code as far as the node tells it, else 0. */
  attach(pod: Key, options: ProcessStreams & { readonly container?: string | undefined }, signal: AbortSignal): Promise<number>;
  /** Closes all kept connections. */
  close(): void;
}

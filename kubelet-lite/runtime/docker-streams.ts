import type { Duplex } from 'node:stream';
import type { ExecSession } from './runtime.ts';

export interface Output { readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }

const headBytes = 8;

/**
 * Takes the engine's frames apart: one byte for the stream, three of nothing, four of length, then the data. A large frame
 * is passed on in the pieces in which it arrives, so that what is held is never more than one piece.
 */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<Output> {
  let head = Buffer.alloc(0);
  let left = 0;
  let stream: Output['stream'] = 'stdout';
  for await (const chunk of source) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (left > 0) {
        const data = rest.subarray(0, left);
        left -= data.length;
        rest = rest.subarray(data.length);
        yield { stream, data };
        continue;
      }
      const missing = headBytes - head.length;
      head = Buffer.concat([head, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (head.length < headBytes) break;
      stream = head[0] === 2 ? 'stderr' : 'stdout';
      left = head.readUInt32BE(4);
      head = Buffer.alloc(0);
    }
  }
}

/** A terminal's bytes are not framed: all of it is stdout. */
export async function* plain(source: AsyncIterable<Uint8Array>): AsyncGenerator<Output> {
  for await (const data of source) yield { stream: 'stdout', data };
}

export interface SessionParts {
  readonly tty: boolean;
  readonly resize: (columns: number, rows: number) => Promise<void>;
  /** Asked once the output has ended. */
  readonly exitCode: () => Promise<number>;
}

/** A session over an upgraded connection to the engine. The exit code comes after the output was read to its end. */
export const sessionOver = (socket: Duplex, { tty, resize, exitCode }: SessionParts): ExecSession => {
  const { promise: exit, resolve, reject } = Promise.withResolvers<number>();
  // Whoever closes early has no use for the code: without this the rejection would end the process.
  exit.catch(() => undefined);
  socket.on('error', () => undefined);
  const source = (tty ? plain : demultiplex)(socket);
  const output = async function* (): AsyncGenerator<Output> {
    try {
      yield* source;
    } catch (error) {
      reject(error);
      return;
    } finally {
      // A generator that is left early comes here too; the code is then that of a command nobody reads any more.
      socket.destroy();
    }
    try {
      resolve(await exitCode());
    } catch (error) {
      reject(error);
    }
  };
  return {
    output: output(),
    write: (data) => new Promise((done) => {
      if (socket.writableEnded || socket.destroyed) return done();
      socket.write(data, () => done());
    }),
    closeInput: () => {
      if (!socket.writableEnded && !socket.destroyed) socket.end();
    },
    resize,
    exit,
    close: () => {
      socket.destroy();
      reject(new Error('the session was closed'));
    },
  };
};

/**
 * exec and attach over a WebSocket, subprotocol v5.channel.k8s.io (v4 is taken from older servers): the first byte of a
 * binary message names the channel. Channel 255 closes the channel that its second byte names, which v5 has so that a
 * process can see the end of its input.
 */
import { ApiError, type Status } from '../schemas/errors.ts';
import type { HttpConnection } from './http-connection.ts';
import type { ProcessStreams } from './streams.ts';
import { MessageStream } from './web-socket.ts';

export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Runs one session to its end and resolves with the exit code. */
export const runProcess = async (connection: HttpConnection, path: string, streams: ProcessStreams, signal: AbortSignal): Promise<number> => {
  const messages = await MessageStream.open(connection, path, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], signal);
  let status: Status | undefined;
  const ended = new AbortController();
  const input = Promise.all([sendInput(messages, streams, ended.signal), sendSizes(messages, streams, ended.signal)]);
  // An input that fails ends the session; its error is the session's.
  input.catch(() => messages.socket.close(1000));
  try {
    for await (const { data } of messages) {
      const body = data.subarray(1);
      if (data[0] === channels.error) status = statusOf(body);
      else if (body.length > 0 && data[0] === channels.stdout) await streams.stdout?.(body);
      else if (body.length > 0 && data[0] === channels.stderr) await streams.stderr?.(body);
    }
  } finally {
    ended.abort();
  }
  if (status !== undefined) return exitCode(status);
  await Promise.race([input, Promise.resolve()]);
  throw new ApiError('ServiceUnavailable', signal.aborted ? 'the session was given up' : 'the connection ended before the process did');
};

const statusOf = (body: Buffer): Status => {
  try {
    return JSON.parse(body.toString('utf8')) as Status;
  } catch (error) {
    throw new ApiError('InternalError', 'the message that ends the session is not JSON', undefined, { cause: error });
  }
};

/** The exit code that the last message tells; throws when it tells that the process could not be run. */
export const exitCode = (status: Status): number => {
  if (status.status === 'Success') return 0;
  if (status.reason === 'NonZeroExitCode') {
    const code = Number(status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message);
    if (Number.isInteger(code)) return code;
  }
  throw ApiError.fromStatus(status);
};

const sendInput = async (messages: MessageStream, { stdin }: ProcessStreams, ended: AbortSignal): Promise<void> => {
  if (stdin === undefined) return;
  for await (const bytes of untilAborted(stdin, ended)) await messages.send(Buffer.concat([Buffer.of(channels.stdin), bytes]));
  if (!ended.aborted && messages.socket.protocol === 'v5.channel.k8s.io') await messages.send(Buffer.of(channels.close, channels.stdin));
};

const sendSizes = async (messages: MessageStream, { sizes, tty }: ProcessStreams, ended: AbortSignal): Promise<void> => {
  if (sizes === undefined || tty !== true) return;
  for await (const { columns, rows } of untilAborted(sizes, ended)) {
    await messages.send(Buffer.concat([Buffer.of(channels.resize), Buffer.from(JSON.stringify({ Width: columns, Height: rows }))]));
  }
};

/** Takes items until the signal aborts, also while the source has none to give (a terminal at which nobody types). */
const untilAborted = async function* <T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped]);
    if (next === undefined || next.done === true || signal.aborted) return;
    yield next.value;
  }
};

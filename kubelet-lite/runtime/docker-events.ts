import type Docker from 'dockerode';
import { runtimeError } from './docker-errors.ts';

/** The members of an engine event that are read here. */
export interface EngineEvent {
  readonly Type: 'container' | 'image';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  /** Seconds, and nanoseconds, since 1970. */
  readonly time: number;
  readonly timeNano: number;
}

/** Events of commands that run inside containers (each probe makes three) are left out by the engine itself. */
const wanted = {
  type: ['container', 'image'],
  event: ['start', 'die', 'oom', 'destroy', 'pull', 'tag', 'untag', 'delete', 'import', 'load'],
};

/** Whole lines of a stream of JSON documents, one a line. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/**
 * The engine's events from a second on (it replays the last few hundred). Returns when the signal aborts; throws
 * EngineUnavailable when the stream breaks off.
 */
export async function* engineEvents(docker: Docker, sinceSeconds: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  try {
    // dockerode's types know fewer kinds of events than the engine.
    const filters = wanted as unknown as NonNullable<Docker.GetEventsOptions['filters']>;
    const stream = await docker.getEvents({ filters, since: sinceSeconds, abortSignal: signal });
    for await (const line of linesOf(stream as unknown as AsyncIterable<Uint8Array>)) {
      if (line !== '') yield JSON.parse(line) as EngineEvent;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw runtimeError('EngineUnavailable', error);
  }
  if (!signal.aborted) throw runtimeError('EngineUnavailable', new Error('the event stream of the container engine has ended'));
}

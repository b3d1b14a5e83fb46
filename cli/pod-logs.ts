/**
 * Logs of many containers at once. One reader a container; lines are never mixed, whatever the order in which pieces of
 * them come. With follow, pods that come to match later are read too, from their beginning.
 */
import type { LogOptions, Streams } from '../client/streams.ts';
import { LineSplitter } from '../client/line-splitter.ts';
import type { PodBody } from './pods-of.ts';

/** Longer lines are an error of the server: the kubelet splits at 16 KiB. */
const longestLineBytes = 16 * 2 ** 20;

export interface LogSource {
  readonly pod: PodBody;
  readonly container: string;
}

export interface LogPrinter {
  readonly streams: Streams;
  readonly options: LogOptions;
  /** `[pod/web-1/web] ` before each line. */
  readonly prefix: boolean;
  readonly write: (text: string | Uint8Array) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** Prints the log of one container to its end. Rejects with ApiError when it cannot be read. */
export const printLog = async ({ pod, container }: LogSource, { streams, options, prefix, write, signal }: LogPrinter): Promise<void> => {
  const key = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? '' };
  const bytes = streams.logs(key, { ...options, container }, signal);
  const head = prefix ? `[pod/${pod.metadata.name}/${container}] ` : '';
  const lines = new LineSplitter(longestLineBytes);
  for await (const chunk of bytes) {
    const text = lines.push(chunk).map((line) => `${head}${line}\n`).join('');
    if (text !== '') await write(text);
  }
  const rest = lines.end();
  if (rest !== '') await write(head + rest);
};

/** A container that has run or runs, so that there is a log to ask for. */
export const hasLog = (pod: PodBody, container: string): boolean => {
  const all = [...pod.status?.initContainerStatuses ?? [], ...pod.status?.containerStatuses ?? []];
  const state = all.find(({ name }) => name === container);
  return state?.state?.running !== undefined || state?.state?.terminated !== undefined || (state?.restartCount ?? 0) > 0;
};

import { request } from 'node:http';

export interface LoadResult {
  readonly requests: number;
  /** What went wrong, each with the millisecond since the start. */
  readonly failures: readonly string[];
  /** How often each answer came. */
  readonly answers: ReadonlyMap<string, number>;
}

/** One GET on a connection of its own. Rejects for anything but a whole answer with status 200. */
export const getOnce = (url: string, timeoutMs = 5_000): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(url, { agent: false, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => { text += part; });
      response.on('error', reject);
      response.on('end', () => (response.statusCode === 200 && response.complete && text !== '' ? resolve(text.trim()) : reject(new Error(`status ${response.statusCode}, ${text.length} bytes`))));
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', reject);
    call.end();
  });

/** Calls a URL on and on from a few workers, each call on a new connection, until it is stopped. */
export const startLoad = (url: string, { workers = 4, timeoutMs, pauseMs = 5 }: { readonly workers?: number; readonly timeoutMs?: number; readonly pauseMs?: number } = {}): { stop(): Promise<LoadResult> } => {
  const started = Date.now();
  const failures: string[] = [];
  const answers = new Map<string, number>();
  let requests = 0;
  const stopped = new AbortController();
  const work = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      requests++;
      try {
        const answer = await getOnce(url, timeoutMs);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      } catch (error) {
        failures.push(`${Date.now() - started} ms: ${error instanceof Error ? error.message : String(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const running = Promise.all(Array.from({ length: workers }, work));
  return {
    stop: async () => {
      stopped.abort();
      await running;
      return { requests, failures, answers };
    },
  };
};

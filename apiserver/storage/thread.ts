import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What a thread answers instead when it could not do what it was asked. */
export interface ThreadFailure {
  readonly error: string;
}

/**
 * Thread runs a worker that answers one message at a time, in order. It keeps the process alive only while an answer is
 * awaited, and is started by the first call.
 */
export class Thread<Message, Answer extends object> {
  readonly #module: string;
  readonly #workerData: unknown;
  #worker: Worker | undefined;

  /** `module` is a file beside this one, without its extension. */
  constructor(module: string, workerData: unknown) {
    this.#module = module;
    this.#workerData = workerData;
  }

  /** Resolves with the answer; rejects when the worker answers with a failure or ends. */
  call(message: Message): Promise<Answer> {
    const worker = this.#worker ??= this.#started();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        worker.off('message', answered).off('error', failed).off('exit', ended);
        worker.unref();
      };
      const failed = (error: Error): void => {
        settle();
        reject(error);
      };
      const ended = (): void => failed(new Error(`the thread ${this.#module} ended`));
      const answered = (answer: Answer | ThreadFailure): void => {
        settle();
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer);
      };
      worker.on('message', answered).on('error', failed).on('exit', ended);
      // Somebody waits for this answer, and perhaps a process that has nothing else to do.
      worker.ref();
      worker.postMessage(message, []);
    });
  }

  /** Sends a last message, after which the worker ends by itself; resolves when it has. */
  async close(message: Message): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage(message, []);
    await exit;
  }

  #started(): Worker {
    const worker = new Worker(new URL(`./${this.#module}${extname(import.meta.url)}`, import.meta.url), { workerData: this.#workerData, name: this.#module });
    worker.unref();
    // An error also ends the call under way, which reports it.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      this.#worker = undefined;
    });
    return worker;
  }
}

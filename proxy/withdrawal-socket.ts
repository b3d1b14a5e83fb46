import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../base/clock.ts';
import type { AskWithdrawal } from './cluster-withdrawal.ts';
import { answerText, questionText, readAnswer, readQuestion } from './withdrawal-message.ts';
import type { WithdrawalState } from './withdrawal.ts';

/** A question without an answer is asked again after this. */
export const answerWithinMs = 200;

export interface WithdrawalSocketOptions {
  readonly state: Pick<WithdrawalState, 'isGone'>;
  readonly clock: Clock;
}

interface Waiting {
  readonly peer: string;
  readonly settle: (gone: boolean | undefined) => void;
}

/** One UDP socket by which a node answers what others ask of its service table, and asks them. */
export class WithdrawalSocket {
  readonly #options: WithdrawalSocketOptions;
  readonly #waiting = new Map<string, Waiting>();
  #bound: { readonly socket: Socket; readonly port: number } | undefined;

  constructor(options: WithdrawalSocketOptions) {
    this.#options = options;
  }

  /** Rejects when the address cannot be bound; the promise that it gives settles when the socket fails later. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<{ readonly port: number; readonly failed: Promise<Error> }> {
    const socket = createSocket('udp4');
    const failed = Promise.withResolvers<Error>();
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.on('error', failed.resolve);
    socket.on('message', (datagram, from) => this.#hear(datagram, from.address, (text) => socket.send(text, from.port, from.address, () => undefined)));
    const bound = socket.address().port;
    this.#bound = { socket, port };
    return { port: bound, failed: failed.promise };
  }

  close(): void {
    this.#bound?.socket.close();
    this.#bound = undefined;
    for (const { settle } of this.#waiting.values()) settle(undefined);
  }

  /** Other nodes listen at the same port, unless the peer says `host:port`. */
  readonly ask: AskWithdrawal = (peer, question, signal) => new Promise((resolve) => {
    const id = randomBytes(8).toString('hex');
    const [host = '', port] = peer.split(':');
    const settle = (gone: boolean | undefined): void => {
      cancel();
      signal.removeEventListener('abort', stop);
      this.#waiting.delete(id);
      resolve(gone);
    };
    const stop = (): void => settle(undefined);
    const cancel = this.#options.clock.after(answerWithinMs, stop);
    signal.addEventListener('abort', stop, { once: true });
    this.#waiting.set(id, { peer: host, settle });
    // What cannot be sent is not answered either: it is asked again after the same time.
    const { socket, port: own = 0 } = this.#bound ?? {};
    socket?.send(questionText({ id, ...question }), port === undefined ? own : Number(port), host, () => undefined);
    if (signal.aborted) stop();
  });

  #hear(datagram: Buffer, from: string, reply: (text: string) => void): void {
    const question = readQuestion(datagram);
    if (question !== undefined) {
      reply(answerText({ id: question.id, gone: this.#options.state.isGone(question.podIp, question.revision) }));
      return;
    }
    const answer = readAnswer(datagram);
    const waiting = answer === undefined ? undefined : this.#waiting.get(answer.id);
    // Only the node that was asked can answer.
    if (waiting?.peer === from) waiting.settle(answer!.gone);
  }
}

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';

/** As much of a refused body is read past, and for so long at the most. */
export const lingerBytes = 16 * 1024 * 1024;
export const lingerMs = 5_000;

/**
 * Reads past the rest of a body whose request is answered already, then calls `done`, once: when it has ended, is too long
 * or takes too long. A connection that is closed under a client which still sends is reset, and the answer is lost with it.
 */
export const linger = (request: IncomingMessage, clock: Pick<Clock, 'after'>, done: () => void): void => {
  let left = lingerBytes;
  const over = (): void => {
    cancel();
    request.off('data', count).off('end', over).off('close', over).pause();
    done();
  };
  const count = (part: Buffer): void => {
    left -= part.length;
    if (left < 0) over();
  };
  const cancel = clock.after(lingerMs, over);
  request.on('data', count).once('end', over).once('close', over);
  request.resume();
};

import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';

export interface JoinOptions {
  readonly clock: Clock;
  /** How long one side has to take what the other one left behind when it went. */
  readonly drainMs: number;
}

/** Joins two connections: bytes go both ways as fast as they are taken, and when one side is gone the other one goes, with all that was sent to it. */
export const joinSockets = (a: Duplex, b: Duplex, { clock, drainMs }: JoinOptions): void => {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.on('error', () => to.destroy());
    from.once('close', () => {
      if (to.destroyed) return;
      if (!to.writableEnded) {
        to.destroy();
        return;
      }
      // It was ended in order, and its last bytes may still be on their way.
      const cancel = clock.after(drainMs, () => to.destroy());
      to.once('finish', () => to.destroy());
      to.once('close', cancel);
      if (to.writableFinished) to.destroy();
    });
    from.pipe(to);
  }
};

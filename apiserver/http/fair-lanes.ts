/**
 * How many requests are carried out at once, and who goes next. A lane has room for so many requests, and each user for
 * so many of them; who finds no room waits in the line of his own, and lines take turns. A user who sends a thousand
 * requests at once therefore delays his own ones, and another's single request goes next.
 *
 * While nobody waits this is two comparisons and two additions a request.
 */
import type { Clock } from '../../base/clock.ts';

export interface LaneLimits {
  /** Requests at once, of all users. */
  readonly total: number;
  /** Requests of one user at once. */
  readonly perUser: number;
  /** Requests of one user that may wait; 0 refuses at once. */
  readonly waitingPerUser: number;
  /** Requests of all users that may wait. */
  readonly waiting: number;
  /** Longest time to wait. */
  readonly waitMs: number;
}

/** Why there is no room. */
export type NoRoom = 'line full' | 'waited too long' | 'gone';

/** What one user has in a lane. Given out by `enter` and given back to `leave`. */
export interface Place {
  readonly user: string;
  running: number;
  readonly line: Set<Waiter>;
}

interface Waiter {
  readonly settle: (outcome: Place | NoRoom) => void;
}

/** Users without requests that are remembered, so that a user who comes and goes makes no garbage. */
const idleKept = 256;

export class FairLane {
  readonly #limits: LaneLimits;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #places = new Map<string, Place>();
  /** Who waits and could go on if the lane had room, in the order of their turns. */
  readonly #turns = new Set<Place>();
  #running = 0;
  #waiting = 0;

  constructor(limits: LaneLimits, clock: Pick<Clock, 'after'>) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** A place where there is room now, else undefined. */
  enter(user: string): Place | undefined {
    let place = this.#places.get(user);
    if (place === undefined) this.#places.set(user, place = { user, running: 0, line: new Set() });
    if (this.#running >= this.#limits.total || place.running >= this.#limits.perUser || place.line.size > 0) return undefined;
    this.#running++;
    place.running++;
    return place;
  }

  /** Stands in line, for who got no place. Resolves with the place, or why there will be none; `signal` ends the wait. */
  wait(user: string, signal: AbortSignal): Promise<Place | NoRoom> {
    const place = this.#places.get(user);
    const { waiting, waitingPerUser, waitMs } = this.#limits;
    if (place === undefined || signal.aborted) return Promise.resolve('gone');
    if (this.#waiting >= waiting || place.line.size >= waitingPerUser) {
      this.#forgetIdle(place);
      return Promise.resolve('line full');
    }
    return new Promise((resolve) => {
      const waiter: Waiter = {
        settle: (outcome) => {
          cancel();
          signal.removeEventListener('abort', gone);
          place.line.delete(waiter);
          this.#waiting--;
          if (place.line.size === 0) this.#turns.delete(place);
          this.#forgetIdle(place);
          resolve(outcome);
        },
      };
      const gone = (): void => waiter.settle('gone');
      const cancel = this.#clock.after(waitMs, () => waiter.settle('waited too long'));
      signal.addEventListener('abort', gone, { once: true });
      this.#waiting++;
      place.line.add(waiter);
      if (place.running < this.#limits.perUser) this.#turns.add(place);
    });
  }

  /** Gives a place back; whose turn it is goes on. */
  leave(place: Place): void {
    this.#running--;
    place.running--;
    if (place.line.size > 0) this.#turns.add(place);
    else this.#forgetIdle(place);
    if (this.#turns.size > 0) this.#next();
  }

  #forgetIdle(place: Place): void {
    if (place.running === 0 && place.line.size === 0 && this.#places.size > idleKept) this.#places.delete(place.user);
  }

  #next(): void {
    for (const place of this.#turns) {
      if (this.#running >= this.#limits.total) return;
      this.#turns.delete(place);
      const [first] = place.line;
      if (first === undefined || place.running >= this.#limits.perUser) continue;
      this.#running++;
      place.running++;
      first.settle(place);
      // Behind all others who wait.
      if (place.line.size > 0 && place.running < this.#limits.perUser) this.#turns.add(place);
    }
  }
}

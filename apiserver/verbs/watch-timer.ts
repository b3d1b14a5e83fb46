import type { Clock } from '../../base/clock.ts';

/** What a watch does by itself at a time. */
export type Alarm = 'bookmark' | 'end';

/** How often a client that takes bookmarks gets one. */
const bookmarkEveryMs = 60_000;
/** The last bookmark comes this long before the end. */
const lastBookmarkMs = 2_000;

const nobody = (): void => undefined;

/** The one timer of a watch: bookmarks, where they are wanted, and the end. */
export class WatchTimer {
  readonly #clock: Clock;
  readonly #endMs: number;
  #bookmarkMs: number;
  #cancel: () => void = () => undefined;
  #due: Alarm | undefined;
  #wake: (alarm: Alarm) => void = nobody;

  constructor(clock: Clock, { endMs, bookmarks }: { readonly endMs: number; readonly bookmarks: boolean }) {
    this.#clock = clock;
    this.#endMs = endMs;
    this.#bookmarkMs = bookmarks ? this.#nextBookmark() : Infinity;
    this.#arm();
  }

  /** What comes first: the event or the time. Waits for one thing at a time, and leaves nothing behind on either. */
  orAlarm<T>(event: Promise<T>): Promise<T | Alarm> {
    const due = this.#due;
    if (due !== undefined) {
      if (due !== 'end') this.#due = undefined;
      return Promise.resolve(due);
    }
    return new Promise((resolve, reject) => {
      this.#wake = (alarm) => {
        this.#wake = nobody;
        if (alarm !== 'end') this.#due = undefined;
        resolve(alarm);
      };
      event.then((value) => {
        this.#wake = nobody;
        resolve(value);
      }, reject);
    });
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): void {
    const isBookmark = this.#bookmarkMs < this.#endMs;
    this.#cancel = this.#clock.after((isBookmark ? this.#bookmarkMs : this.#endMs) - this.#clock.now(), () => {
      this.#due = isBookmark ? 'bookmark' : 'end';
      if (isBookmark) {
        this.#bookmarkMs = this.#nextBookmark();
        this.#arm();
      }
      this.#wake(this.#due);
    });
  }

  #nextBookmark(): number {
    const nowMs = this.#clock.now();
    const lastMs = this.#endMs - lastBookmarkMs;
    return nowMs < lastMs ? Math.min(nowMs + bookmarkEveryMs, lastMs) : Infinity;
  }
}

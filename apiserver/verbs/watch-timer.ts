import type { Clock } from '../../base/clock.ts';

/** What a watch does by itself at a time. */
export type Alarm = 'bookmark' | 'end';

/** How often a client that takes bookmarks gets one. */
const bookmarkEveryMs = 60_000;
/** The last bookmark comes this long before the end. */
const lastBookmarkMs = 2_000;

export interface WatchTimerOptions {
  readonly endMs: number;
  /** True for a client that takes bookmarks. */
  readonly bookmarks: boolean;
  readonly ring: (alarm: Alarm) => void;
}

/** The one timer of a watch: it rings for bookmarks, where they are wanted, and for the end. */
export class WatchTimer {
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #ring: (alarm: Alarm) => void;
  #bookmarkMs: number;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, { endMs, bookmarks, ring }: WatchTimerOptions) {
    this.#clock = clock;
    this.#endMs = endMs;
    this.#ring = ring;
    this.#bookmarkMs = bookmarks ? this.#nextBookmark() : Infinity;
    this.#arm();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): void {
    const isBookmark = this.#bookmarkMs < this.#endMs;
    this.#cancel = this.#clock.after((isBookmark ? this.#bookmarkMs : this.#endMs) - this.#clock.now(), () => {
      if (isBookmark) {
        this.#bookmarkMs = this.#nextBookmark();
        this.#arm();
      }
      this.#ring(isBookmark ? 'bookmark' : 'end');
    });
  }

  #nextBookmark(): number {
    const nowMs = this.#clock.now();
    const lastMs = this.#endMs - lastBookmarkMs;
    return nowMs < lastMs ? Math.min(nowMs + bookmarkEveryMs, lastMs) : Infinity;
  }
}

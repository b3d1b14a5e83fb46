export interface RecentTextsOptions {
  /** Texts in one generation at most. */
  readonly count: number;
  /** Characters of texts in one generation at most. */
  readonly characters: number;
}

/**
 * RecentTexts remembers values by texts, in two generations: what is not asked for while one fills is forgotten. So it is
 * bounded by twice its options, and what is used again and again stays without any bookkeeping at each use.
 */
export class RecentTexts<T> {
  readonly #options: RecentTextsOptions;
  #young = new Map<string, T>();
  #old: ReadonlyMap<string, T> = new Map();
  #characters = 0;

  constructor(options: RecentTextsOptions) {
    this.#options = options;
  }

  get(text: string): T | undefined {
    const known = this.#young.get(text);
    if (known !== undefined) return known;
    const before = this.#old.get(text);
    if (before !== undefined) this.set(text, before);
    return before;
  }

  set(text: string, value: T): void {
    if (this.#young.size >= this.#options.count || this.#characters + text.length > this.#options.characters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, value);
    this.#characters += text.length;
  }
}

/**
 * Numbers that a monitoring system reads: counters, gauges and histograms by label, written as Prometheus' text.
 *
 * Whoever counts holds the child of its labels (`family.of('GET', 'pods')`) and adds to a plain number: a request costs
 * two additions and a short loop over bounds, about 0.1 us. prom-client 15 hashes the labels of each observation, also of
 * bound ones: 1.1 us for a counter and a histogram together, which is more than a look-up of the object in the cache.
 */

/** Only ever grows. */
export class Counter {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** How many observations were at most as large as each bound. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Observations in each bucket alone; the last is of those above all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  /** Bounds ascend. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}

export interface FamilyWords {
  /** As in Prometheus: words with `_`, the unit at the end; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Label sets of one family at most. What comes beyond is counted under `other` in every label. */
export const maxChildren = 2_000;

/** All numbers of one name. */
export class Family<T extends Counter | Gauge | Histogram> {
  readonly words: FamilyWords;
  readonly #make: () => T;
  readonly #children = new Map<string, { readonly values: readonly string[]; readonly child: T }>();

  constructor(words: FamilyWords, make: () => T) {
    this.words = words;
    this.#make = make;
    if ((words.labels?.length ?? 0) === 0) this.of();
  }

  get size(): number {
    return this.#children.size;
  }

  /** The number for these values of the labels, in the order of their names. Hold it where it is used often. */
  of(...values: readonly string[]): T {
    const names = this.words.labels ?? [];
    if (values.length !== names.length) throw new RangeError(`${this.words.name} has the labels ${names.join(', ')}; ${values.length} values were given`);
    const found = this.#children.get(values.join('\0'));
    if (found !== undefined) return found.child;
    const kept = this.#children.size < maxChildren ? values : values.map(() => 'other');
    const key = kept.join('\0');
    const child = this.#children.get(key)?.child ?? this.#make();
    this.#children.set(key, { values: kept, child });
    return child;
  }

  /** Forgets all label sets, for numbers that are set anew each time they are read. */
  clear(): void {
    this.#children.clear();
  }

  *[Symbol.iterator](): Generator<readonly [values: readonly string[], child: T]> {
    for (const { values, child } of this.#children.values()) yield [values, child];
  }
}

/** Any family, for those who only read. */
export type AnyFamily = Family<Counter> | Family<Gauge> | Family<Histogram>;

/** The families of one process. Asking twice for a name gives the same family, so that parts need not know of each other. */
export class Metrics {
  readonly #families = new Map<string, { readonly type: 'counter' | 'gauge' | 'histogram'; readonly family: AnyFamily }>();
  readonly #collectors: (() => void)[] = [];

  counter(words: FamilyWords): Family<Counter> {
    return this.#family('counter', words, () => new Counter());
  }

  gauge(words: FamilyWords): Family<Gauge> {
    return this.#family('gauge', words, () => new Gauge());
  }

  histogram(words: FamilyWords & { readonly bounds: readonly number[] }): Family<Histogram> {
    return this.#family('histogram', words, () => new Histogram(words.bounds));
  }

  /** Calls back before each reading, for numbers that somebody else keeps. */
  beforeRead(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** What there is to read, by name. */
  read(): readonly { readonly type: 'counter' | 'gauge' | 'histogram'; readonly family: AnyFamily }[] {
    for (const collect of this.#collectors) collect();
    return [...this.#families.values()].sort((a, b) => (a.family.words.name < b.family.words.name ? -1 : 1));
  }

  #family<T extends Counter | Gauge | Histogram>(type: 'counter' | 'gauge' | 'histogram', words: FamilyWords, make: () => T): Family<T> {
    const found = this.#families.get(words.name);
    if (found === undefined) {
      const family = new Family(words, make);
      this.#families.set(words.name, { type, family: family as unknown as AnyFamily });
      return family;
    }
    if (found.type !== type) throw new Error(`${words.name} is a ${found.type}`);
    return found.family as unknown as Family<T>;
  }
}

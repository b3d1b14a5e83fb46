import { CelError } from '../errors.ts';

const surrogate = /[\ud800-\udfff]/;

const lengthOf = (text: string): number => [...text].length;

/** The text by characters: those beyond 16 bits are one each. Texts without such are not taken apart. */
export class Characters {
  readonly #text: string;
  readonly #isPlain: boolean;
  #taken: readonly string[] | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#isPlain = !surrogate.test(text);
  }

  /** False for a text that is taken apart. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  get #parts(): readonly string[] | undefined {
    return this.#isPlain ? undefined : (this.#taken ??= [...this.#text]);
  }

  get count(): number {
    return this.#parts?.length ?? this.#text.length;
  }

  slice(from: number, to: number): string {
    return this.#parts === undefined ? this.#text.slice(from, to) : this.#parts.slice(from, to).join('');
  }

  /** The place of a part of the text, from a place on; -1 where it is not. */
  indexOf(part: string, from: number): number {
    if (this.#parts === undefined) return this.#text.indexOf(part, from);
    const found = this.#text.indexOf(part, this.slice(0, from).length);
    return found < 0 ? -1 : lengthOf(this.#text.slice(0, found));
  }

  /** The last place of a part of the text that is not behind `to`; -1 where there is none. */
  lastIndexOf(part: string, to: number): number {
    if (this.#parts === undefined) return this.#text.lastIndexOf(part, to);
    const found = this.#text.lastIndexOf(part, this.slice(0, to).length);
    return found < 0 ? -1 : lengthOf(this.#text.slice(0, found));
  }

  reversed(): string {
    return [...this.#text].toReversed().join('');
  }

  /** The index as a number within 0 and `limit`; throws CelError for one outside. */
  within(index: bigint, limit = this.count): number {
    if (index < 0n || index > BigInt(limit)) throw new CelError(`index out of range: ${index}`);
    return Number(index);
  }
}

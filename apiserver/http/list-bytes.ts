/**
 * A list as bytes: what stands around the items, and the items' own texts as they are kept (encoding.ts). Its length is
 * known before any of it is made, and pieces are made as they are asked for, so that a list of 20 MB takes a piece of memory
 * and a piece of the event loop's time at once.
 *
 * Cost: a look at each character and a copy of it. Texts are written into their piece one by one: joining them as strings
 * first takes twenty times as long. All pieces of a list are made in the same memory: fresh memory for each of them cost more
 * than all the rest, since the kernel hands it out page by page.
 */
import type { ApiList } from '../../schemas/api.ts';
import { jsonOf } from '../encoding.ts';

/** Pieces are of about this size; a list that is smaller is one. */
export const pieceBytes = 256 * 1024;

const comma = ','.charCodeAt(0);

export class ListBytes {
  readonly length: number;
  readonly #texts: readonly string[];
  /** Bytes of each text; those of ASCII have as many as characters. */
  readonly #lengths: readonly number[];

  constructor(list: ApiList) {
    const head = JSON.stringify({ kind: list.kind, apiVersion: list.apiVersion, metadata: list.metadata });
    const texts = [`${head.slice(0, -1)},"items":[`, ...list.items.map(jsonOf), ']}\n'];
    this.#texts = texts;
    this.#lengths = texts.map((text) => Buffer.byteLength(text));
    this.length = this.#lengths.reduce((sum, one) => sum + one, Math.max(0, list.items.length - 1));
  }

  /** The bytes from start to end. A piece is good until the next one is asked for. */
  * pieces(): Generator<Buffer, void> {
    let memory = Buffer.allocUnsafe(0);
    for (let start = 0; start < this.#texts.length;) {
      let end = start;
      let bytes = 0;
      while (end < this.#texts.length && bytes < pieceBytes) bytes += this.#lengths[end++]! + 1;
      if (memory.length < bytes) memory = Buffer.allocUnsafe(bytes);
      yield memory.subarray(0, this.#write(memory, start, end));
      start = end;
    }
  }

  /** All of it, for a list that is short. */
  whole(): Buffer {
    const memory = Buffer.allocUnsafe(this.length);
    this.#write(memory, 0, this.#texts.length);
    return memory;
  }

  /** Writes some of the texts; how many bytes they took. */
  #write(memory: Buffer, start: number, end: number): number {
    let at = 0;
    for (let index = start; index < end; index++) {
      // A comma stands before each item but the first.
      if (index > 1 && index < this.#texts.length - 1) memory[at++] = comma;
      const text = this.#texts[index]!;
      at += this.#lengths[index] === text.length ? memory.write(text, at, 'latin1') : memory.write(text, at, 'utf8');
    }
    return at;
  }
}

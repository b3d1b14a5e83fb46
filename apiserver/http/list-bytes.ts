/**
 * A list as bytes: what stands around the items, and the items' own texts as they are kept (encoding.ts). Its length is
 * known before any of it is made, and pieces are made as they are asked for, so that a list of 20 MB takes a piece of memory
 * and a piece of the event loop's time at once.
 *
 * Cost: a look at each character and a copy of it. Texts are written into their piece one by one: joining them as strings
 * first takes twenty times as long.
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

  /** The bytes from start to end. */
  * pieces(): Generator<Buffer, void> {
    for (let start = 0; start < this.#texts.length;) {
      let end = start;
      let bytes = 0;
      while (end < this.#texts.length && bytes < pieceBytes) bytes += this.#lengths[end++]! + 1;
      yield this.#piece(start, end, bytes);
      start = end;
    }
  }

  #piece(start: number, end: number, room: number): Buffer {
    const piece = Buffer.allocUnsafe(room);
    let at = 0;
    for (let index = start; index < end; index++) {
      // A comma stands before each item but the first.
      if (index > 1 && index < this.#texts.length - 1) piece[at++] = comma;
      const text = this.#texts[index]!;
      at += piece.write(text, at, this.#lengths[index] === text.length ? 'latin1' : 'utf8');
    }
    return piece.subarray(0, at);
  }
}

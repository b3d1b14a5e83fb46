/** Splits a stream of bytes into lines, without their newlines. A line that is longer than the limit is an error. */
export class LineSplitter {
  readonly #limitBytes: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The lines that this chunk ends. Throws RangeError when a line passes the limit. */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, at));
      lines.push(this.end());
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  /** What came after the last newline; the splitter is empty then. */
  end(): string {
    const line = (this.#rest.length === 1 ? this.#rest[0] as Buffer : Buffer.concat(this.#rest, this.#restBytes)).toString('utf8');
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#restBytes += part.length;
    if (this.#restBytes > this.#limitBytes) throw new RangeError(`a line is longer than ${this.#limitBytes} bytes`);
    this.#rest.push(part);
  }
}

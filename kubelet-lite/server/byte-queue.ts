/** Chunks on their way from one side to another: what is put in comes out in order, and the giver waits when much is held. */
export class ByteQueue implements AsyncIterable<Buffer> {
  readonly #most: number;
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** Resolves when there is room for more, or nobody reads any more. */
  async put(chunk: Buffer): Promise<void> {
    if (this.#ended || chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#tell();
    while (this.#held > this.#most && !this.#ended) await this.#changed.promise;
  }

  /** Nothing more comes; what is held can still be read. */
  end(): void {
    this.#ended = true;
    this.#tell();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#held -= chunk.length;
          this.#tell();
          yield chunk;
        } else if (this.#ended) return;
        else await this.#changed.promise;
      }
    } finally {
      this.#chunks.length = 0;
      this.#held = 0;
      this.end();
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

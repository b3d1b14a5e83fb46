import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseSubnet } from './subnets.ts';

/** The range of addresses that the node had last, kept in a file, so that pods of its own can run when no server says it. */
export class KnownRange {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Undefined where there is none yet, or the file says nothing that could be one. */
  async read(): Promise<string | undefined> {
    try {
      return parseSubnet((await readFile(this.#file, 'utf8')).trim()).cidr;
    } catch {
      return undefined;
    }
  }

  async write(podCidr: string): Promise<void> {
    await writeFile(`${this.#file}.new`, `${podCidr}\n`);
    await rename(`${this.#file}.new`, this.#file);
  }
}

/**
 * The images that this agent fetched itself, with the names that it gave them and when they were last wanted, in a file of
 * the node. An engine is shared with whoever works on the machine: what the agent did not bring, it does not take away.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { writePrivate } from '../../base/pki-files.ts';
import type { ImageState } from '../runtime/runtime.ts';
import type { PulledImage } from './image-gc-plan.ts';

/** An engine's list of images may be this much behind a pull. */
const listedAfterMs = 60_000;

export class PulledImages {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #known = new Map<string, PulledImage>();
  #written = '{}';
  #writing = Promise.resolve();

  constructor({ file, clock, log }: { readonly file: string; readonly clock: Clock; readonly log: Log }) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
  }

  /** By id. */
  get all(): ReadonlyMap<string, PulledImage> {
    return this.#known;
  }

  /** Reads what an earlier agent left. A file that cannot be read is as none: the images that it told of stay on the node. */
  async load(): Promise<void> {
    try {
      this.#known = new Map(Object.entries(JSON.parse(await readFile(this.#file, 'utf8')) as Readonly<Record<string, PulledImage>>));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.warn('what images were pulled before is not known any more; those are not removed', { file: this.#file, error });
    }
  }

  /** An image came by a pull; `before` is what was on the node before it. */
  async add(image: ImageState, before: readonly ImageState[]): Promise<void> {
    const old = before.find(({ id }) => id === image.id);
    const known = this.#known.get(image.id);
    if (old !== undefined && known === undefined) return;
    const fresh = image.names.filter((name) => old?.names.includes(name) !== true);
    const nowMs = this.#clock.now();
    this.#known.set(image.id, { names: [...new Set([...known?.names ?? [], ...fresh])], pulledAtMs: nowMs, usedAtMs: nowMs });
    await this.#write();
  }

  /** A container is about to be made of it. Written down with the next look. */
  use(ids: Iterable<string>): void {
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known !== undefined) this.#known.set(id, { ...known, usedAtMs: this.#clock.now() });
    }
  }

  /** Forgets all but these, which are on the node, and writes down when each was used. */
  async keep(ids: ReadonlySet<string>): Promise<void> {
    for (const [id, { pulledAtMs }] of this.#known) if (!ids.has(id) && this.#clock.now() - pulledAtMs > listedAfterMs) this.#known.delete(id);
    await this.#write();
  }

  /** One after the other; on a full disk the pods go on, and the images stay. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const text = JSON.stringify(Object.fromEntries(this.#known));
      if (text === this.#written) return;
      try {
        await writePrivate(this.#file, `${text}\n`);
        this.#written = text;
      } catch (error) {
        this.#log.warn('what images were pulled could not be written down', { file: this.#file, error });
      }
    });
    return this.#writing;
  }
}

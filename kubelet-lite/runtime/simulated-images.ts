import { sleep, type Clock } from '../../base/clock.ts';
import type { SimulatedImage } from './simulated-program.ts';
import { RuntimeError, type ImageState, type PullOptions } from './runtime.ts';

/** The images of a simulated engine, by what a test says of them. */
export class SimulatedImages {
  readonly #clock: Clock;
  readonly #scripts = new Map<string, SimulatedImage>();
  /** What pulls, starts and removals have made of it. */
  readonly #present = new Map<string, boolean>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  script(image: string, does: SimulatedImage): void {
    this.#scripts.set(image, does);
    this.#present.delete(image);
  }

  of(image: string): SimulatedImage {
    return this.#scripts.get(image) ?? {};
  }

  /** Those that were ever pulled or used, and are here. */
  list(): readonly ImageState[] {
    return [...this.#present].filter(([, present]) => present).map(([image]) => this.#state(image));
  }

  /** Its id; undefined where it is not on the node. */
  find(image: string): string | undefined {
    return this.#present.get(image) ?? this.of(image).present ?? true ? this.#state(image).id : undefined;
  }

  /** A container is made of it. */
  use(image: string): void {
    this.#present.set(image, true);
  }

  async pull(image: string, { answered }: PullOptions, signal: AbortSignal): Promise<ImageState> {
    const { pullMs = 0, answerMs = 0, pullError } = this.of(image);
    if (answerMs > 0) await sleep(this.#clock, answerMs, signal);
    if (pullError === undefined) answered?.();
    if (pullMs > 0) await sleep(this.#clock, pullMs, signal);
    if (signal.aborted || pullError !== undefined) throw new RuntimeError('ErrImagePull', pullError ?? 'the pull was given up');
    this.#present.set(image, true);
    return this.#state(image);
  }

  remove(id: string): void {
    for (const one of this.list()) if (one.id === id) this.#present.set(one.names[0]!, false);
  }

  #state(image: string): ImageState {
    return { id: `sha256:${Buffer.from(image).toString('hex')}`, names: [image], sizeBytes: this.of(image).sizeBytes ?? 0 };
  }
}

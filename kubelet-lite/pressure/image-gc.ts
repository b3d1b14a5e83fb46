/** Removes images that no container uses when the engine's disk fills up, as the kubelet does, from time to time. */
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ContainerRuntime, ImageState } from '../runtime/runtime.ts';
import { bytesToFree, unusedImages, type ImageGcLimits, type ImagesOnNode } from './image-gc-plan.ts';
import type { PulledImages } from './pulled-images.ts';

/** Kubernetes' time. */
const everyMs = 300_000;

export interface ImageGcOptions {
  readonly runtime: Pick<ContainerRuntime, 'images' | 'imagesInUse' | 'imageDisk' | 'removeImage'>;
  readonly pulled: PulledImages;
  readonly limits: ImageGcLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells a warning of the node. */
  readonly report: (reason: string, message: string) => void;
}

export class ImageGc {
  readonly #options: ImageGcOptions;

  constructor(options: ImageGcOptions) {
    this.#options = options;
  }

  /** Looks at once and then every five minutes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, report } = this.#options;
    for (let failures = 0; !signal.aborted; await sleep(clock, everyMs, signal)) {
      try {
        await this.look();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        log.warn('images could not be cleared away', { error });
        // Once is an engine that starts again.
        if (++failures > 1) report('ImageGCFailed', error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Removes what must go now. Rejects with the engine's error; then other images have been tried, too. */
  async look(): Promise<void> {
    const { runtime, limits, report } = this.#options;
    const [disk, node] = await Promise.all([runtime.imageDisk(), this.#onNode()]);
    const wantedBytes = disk === undefined ? 0 : bytesToFree(disk, limits);
    const freedBytes = await this.#free(unusedImages(node, limits), wantedBytes);
    if (freedBytes < wantedBytes) report('FreeDiskSpaceFailed', `Failed to garbage collect required amount of images. Attempted to free ${wantedBytes} bytes, but only found ${freedBytes} bytes eligible to free.`);
  }

  /** Removes all that nothing uses, however much room there is. Rejects as `look` does. */
  async removeUnused(): Promise<void> {
    const { limits } = this.#options;
    if (limits.highPercent < 100) await this.#free(unusedImages(await this.#onNode(), limits), Infinity);
  }

  async #onNode(): Promise<ImagesOnNode> {
    const { runtime, pulled, clock } = this.#options;
    const [images, inUse] = await Promise.all([runtime.images(), runtime.imagesInUse()]);
    pulled.use(inUse);
    await pulled.keep(new Set(images.map(({ id }) => id)));
    return { nowMs: clock.now(), images, inUse, pulled: pulled.all };
  }

  /** Removes images in order until so many bytes are free by the images' sizes, which count what they share each time. */
  async #free(images: readonly ImageState[], wantedBytes: number): Promise<number> {
    const { runtime, log } = this.#options;
    const errors: string[] = [];
    let freedBytes = 0;
    for (const { id, names, sizeBytes } of images) {
      if (freedBytes >= wantedBytes) break;
      try {
        await runtime.removeImage(id);
        freedBytes += sizeBytes;
        log.info('removed an image that nothing uses', { image: names.at(-1), sizeBytes });
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (errors.length > 0) throw new Error(`wanted to free ${wantedBytes} bytes, but freed ${freedBytes} bytes space with errors in image deletion: [${errors.join(', ')}]`);
    return freedBytes;
  }
}

/** Which images may go, and how much of them when the disk is full. Pure. */
import type { DiskSpace } from '../disk-space.ts';
import type { ImageState } from '../runtime/runtime.ts';

/** In percent of the disk that is used; the defaults are Kubernetes'. */
export interface ImageGcLimits {
  /** From here on images are removed; 100 for never. */
  readonly highPercent: number;
  /** So far down. */
  readonly lowPercent: number;
  /** An image that was pulled or used less than this ago stays: it may be about to be used. */
  readonly youngestMs: number;
}

export const imageGcDefaults: ImageGcLimits = { highPercent: 85, lowPercent: 80, youngestMs: 120_000 };

/** What the agent knows of an image that it fetched itself. */
export interface PulledImage {
  /** Those that the image got by the agent's pulls: with any other it is somebody else's, too. */
  readonly names: readonly string[];
  readonly pulledAtMs: number;
  readonly usedAtMs: number;
}

export interface ImagesOnNode {
  readonly nowMs: number;
  readonly images: readonly ImageState[];
  /** Ids of those that any container was made from. */
  readonly inUse: ReadonlySet<string>;
  /** By id. */
  readonly pulled: ReadonlyMap<string, PulledImage>;
}

/** What nobody needs now and the agent can fetch again; what was used least lately is first. */
export const unusedImages = ({ nowMs, images, inUse, pulled }: ImagesOnNode, { youngestMs }: Pick<ImageGcLimits, 'youngestMs'>): readonly ImageState[] =>
  images.flatMap((image) => {
    const known = pulled.get(image.id);
    if (known === undefined || inUse.has(image.id) || image.names.some((name) => !known.names.includes(name))) return [];
    return nowMs - Math.max(known.pulledAtMs, known.usedAtMs) < youngestMs ? [] : [{ image, known }];
  }).toSorted((a, b) => a.known.usedAtMs - b.known.usedAtMs || a.known.pulledAtMs - b.known.pulledAtMs).map(({ image }) => image);

/** Bytes that images must give back, by whole percent as the kubelet counts them; 0 where there is room. */
export const bytesToFree = ({ capacityBytes, availableBytes }: DiskSpace, { highPercent, lowPercent }: ImageGcLimits): number => {
  const usedPercent = capacityBytes === 0 ? 0 : 100 - Math.floor((availableBytes * 100) / capacityBytes);
  if (highPercent >= 100 || usedPercent < highPercent) return 0;
  return Math.max(0, Math.floor((capacityBytes * (100 - lowPercent)) / 100) - availableBytes);
};

import type { Scorer } from '../framework.ts';

const mebibyte = 1024 * 1024;
const leastBytes = 23 * mebibyte;
const mostBytesEach = 1_000 * mebibyte;

/** An image as nodes name it: with a tag, `latest` where none is said. */
export const taggedImage = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);

/**
 * The more bytes of a pod's images a node has the better, from 23 MB to 1,000 MB for each container. An image counts by the
 * share of nodes that have it, so that the first node that pulled one does not draw all pods to it.
 */
export const imageLocality: Scorer = {
  name: 'imageLocality',
  prepare: ({ pod }, cluster) => {
    const images = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ image = '' }) => taggedImage(image));
    if (images.length === 0) return undefined;
    const { nodesWithImage } = cluster;
    const mostBytes = mostBytesEach * images.length;
    return (node) => {
      const sizes = node.imageBytes;
      if (sizes.size === 0) return 0;
      let bytes = 0;
      for (const image of images) bytes += Math.floor((sizes.get(image) ?? 0) * (nodesWithImage.get(image) ?? 0) / cluster.nodes.length);
      return Math.floor(100 * (Math.min(mostBytes, Math.max(leastBytes, bytes)) - leastBytes) / (mostBytes - leastBytes));
    };
  },
};

import type { Pod } from '../schemas/kinds/core/pod.ts';

/** Index of pods by the node they are bound to. */
export const podsByNode = (pod: Pod): readonly string[] => (pod.spec.nodeName ? [pod.spec.nodeName] : []);

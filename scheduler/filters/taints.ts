import { toleratedBy } from '../../schemas/tolerations.ts';
import type { Filter } from '../framework.ts';

/** Keeps pods off nodes with a NoSchedule or NoExecute taint that they do not tolerate. */
export const taints: Filter = {
  name: 'Taints',
  isLocal: () => true,
  wokenBy: ['nodeAdded', 'nodeTaints'],
  prepare: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? [];
    return ({ hardTaints }) => {
      if (hardTaints.length === 0) return undefined;
      const bad = hardTaints.find((taint) => !toleratedBy(tolerations, taint));
      return bad === undefined ? undefined : `node(s) had untolerated taint {${bad.key}: ${bad.value ?? ''}}`;
    };
  },
};

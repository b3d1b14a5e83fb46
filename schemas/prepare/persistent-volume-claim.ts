import { draftOf, type Draft } from '../frozen.ts';
import type { PersistentVolumeClaimSpec } from '../types/persistent-volume-claim-spec.ts';

/** The old and the new way to say from what a volume is filled mean the same where both can say it. */
export const preparePersistentVolumeClaimSpec = (spec: Draft<PersistentVolumeClaimSpec>): void => {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = draftOf(dataSource);
  if (dataSourceRef !== undefined && dataSource === undefined && (dataSourceRef.namespace ?? '') === '') {
    const { namespace: _namespace, ...local } = dataSourceRef;
    spec.dataSource = draftOf(local);
  }
};

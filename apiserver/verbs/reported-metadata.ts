import { deepEqual } from '../../schemas/frozen.ts';
import { reportedMetadata, type AnyKind, type ApiObject } from '../../schemas/kind.ts';
import type { ObjectDraft } from './body.ts';

/** The metadata of an object whose status is written: the stored object's own where the body says nothing new that counts. */
export const metadataOfReport = ({ metadata: said }: ObjectDraft, { metadata: old }: ApiObject, kind: AnyKind): ApiObject['metadata'] => {
  const changed = reportedMetadata(kind).filter((member) => !deepEqual(said[member], old[member]));
  if (changed.length === 0) return old;
  const metadata: Record<string, unknown> = { ...old };
  for (const member of changed) {
    if (said[member] === undefined) delete metadata[member];
    else metadata[member] = said[member];
  }
  return metadata;
};

/** Whether a write that is not about the whole object changes metadata that clients write. */
export const changesMetadata = ({ metadata: next }: ObjectDraft, { metadata: old }: ApiObject): boolean =>
  reportedMetadata({}).some((member) => next[member] !== old[member]);

import { isReason } from '../schemas/errors.ts';

/** True when something could not be made because its namespace is being deleted: nothing to complain about, it will go too. */
export const namespaceEnds = (error: unknown): boolean =>
  isReason(error, 'Forbidden') && (error.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');

import { ApiError } from '../schemas/errors.ts';
import { TransactionTooLarge, type StorageUnavailable } from './storage/storage.ts';

/**
 * What a client hears of a store that does not serve. It may try again where nothing was written; where that is not known,
 * a client that tries again by itself (as many do when told when) could do the same thing twice.
 */
export const storageError = (error: StorageUnavailable | TransactionTooLarge): ApiError => {
  if (error instanceof TransactionTooLarge) return new ApiError('RequestEntityTooLarge', `the object is too large for the store: ${error.message}`, undefined, { cause: error });
  return error.written === 'no'
    ? new ApiError('ServiceUnavailable', `the store does not serve: ${error.message}`, { retryAfterSeconds: 1 }, { cause: error })
    : new ApiError('Timeout', `the store did not answer, and may have written what it was sent or not: ${error.message}`, undefined, { cause: error });
};

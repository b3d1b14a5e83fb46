import { isReason } from '../schemas/errors.ts';
import { namespaceEnds } from './refusals.ts';

/** Waits for a create that may find the object there, or its namespace going: both are as good. */
export const ensure = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!isReason(error, 'AlreadyExists') && !namespaceEnds(error)) throw error;
  }
};

/** Waits for work on an object that may be gone by now, which is as good. */
export const unlessGone = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
};

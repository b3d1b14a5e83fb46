import type { Taint, Toleration } from './types/affinity.ts';

/** True when the toleration is for this taint: its key, effect and value, each of which may be left open. */
export const tolerates = (toleration: Toleration, taint: Taint): boolean => {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  const isExists = toleration.operator === 'Exists';
  // No key at all is for every taint only with Exists.
  if (!toleration.key) return isExists;
  return toleration.key === taint.key && (isExists || (toleration.value ?? '') === (taint.value ?? ''));
};

export const toleratedBy = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));

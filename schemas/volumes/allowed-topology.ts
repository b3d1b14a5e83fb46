import type { StorageClass } from '../kinds/storage/storage-class.ts';

/** Whether a class allows volumes on a node with these labels: one of its terms holds, or it has none. */
export const isAllowedAt = ({ allowedTopologies = [] }: StorageClass, labels: Readonly<Record<string, string>>): boolean =>
  allowedTopologies.length === 0 || allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.length > 0 && matchLabelExpressions.every(({ key, values }) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')));

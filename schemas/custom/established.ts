import { isConditionTrue } from '../conditions.ts';
import type { CustomResourceDefinition } from '../types/custom-resource-definition.ts';

/** True once the names of a definition were accepted: from then on its kinds are served, and objects can exist. */
export const isEstablished = ({ status }: CustomResourceDefinition): boolean => isConditionTrue(status?.conditions, 'Established');

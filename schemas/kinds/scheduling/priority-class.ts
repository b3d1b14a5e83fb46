import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { boolean, int32, oneOf, string } from '../../schema.ts';
import { validatePriorityClass } from '../../validation/priority-class.ts';

const schema = topLevel('scheduling.v1.PriorityClass', 'How important pods are: who comes first, and who makes room.', {
  description: string('What the class is meant for.'),
  globalDefault: boolean('True for the one class of pods that name none.'),
  preemptionPolicy: oneOf(['PreemptLowerPriority', 'Never'], 'Whether pods of the class may push out less important ones. It cannot be changed.', { default: 'PreemptLowerPriority' }),
  value: int32('Priority of the pods; higher ones come first. It cannot be changed.'),
});

export const PriorityClass = defineKind(schema, {
  group: 'scheduling.k8s.io', version: 'v1', kind: 'PriorityClass', plural: 'priorityclasses', scope: 'Cluster',
  generationCounts: ['value'],
  shortNames: ['pc'],
  columns: [
    nameColumn,
    column('Value', 'Priority of the pods.', ({ value }) => value ?? 0, { type: 'integer' }),
    column('Global-Default', 'Whether pods that name no class get this one.', ({ globalDefault }) => globalDefault ?? false, { type: 'boolean' }),
    ageColumn,
    column('PreemptionPolicy', 'Whether pods of the class push out others.', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ],
  validate: validatePriorityClass,
});
export type PriorityClass = BodyOf<typeof PriorityClass>;

import { column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { prepareLimitRangeItem } from '../../prepare/limit-range.ts';
import { as, list, mapOf, object, quantity, string, type Static } from '../../schema.ts';
import { validateLimits } from '../../validation/limit-range.ts';

const amounts = (description: string) => mapOf(quantity('Amount.'), description);

export const LimitRangeItem = object('core.v1.LimitRangeItem', 'Limits for objects of one sort.', {
  default: amounts('Limits of a container that names none.'),
  defaultRequest: amounts('Requests of a container that names none.'),
  max: amounts('Most that one object may ask for.'),
  maxLimitRequestRatio: amounts('How many times its request a limit may be.'),
  min: amounts('Least that one object must ask for.'),
  type: string('Sort of objects: Container, Pod or PersistentVolumeClaim.'),
}, ['type']);
export type LimitRangeItem = Static<typeof LimitRangeItem>;

export const LimitRangeSpec = object('core.v1.LimitRangeSpec', 'What objects of a namespace may ask for.', {
  limits: list(LimitRangeItem, 'Limits for each sort of objects.', { listType: 'atomic' }),
}, ['limits']);
export type LimitRangeSpec = Static<typeof LimitRangeSpec>;

const schema = topLevel('core.v1.LimitRange', 'Says how much one object of a namespace may ask for, and what it gets when it asks for nothing.', {
  spec: as(LimitRangeSpec, 'The limits.', { 'x-barge-default-object': true }),
}, ['spec']);

export const LimitRange = defineKind(schema, {
  group: '', version: 'v1', kind: 'LimitRange', plural: 'limitranges', scope: 'Namespaced',
  generationCounts: [],
  createOnUpdate: true,
  shortNames: ['limits'],
  columns: [
    nameColumn,
    column('Created At', 'When the object was created.', ({ metadata }) => metadata.creationTimestamp ?? '', { type: 'date' }),
  ],
  prepare: ({ spec }) => spec.limits?.forEach(prepareLimitRangeItem),
  validate: ({ spec }) => validateLimits(spec.limits),
});
export type LimitRange = BodyOf<typeof LimitRange>;

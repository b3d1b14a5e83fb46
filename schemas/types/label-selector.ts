import { list, mapOf, object, string, type Static } from '../schema.ts';

export const LabelSelectorRequirement = object('meta.v1.LabelSelectorRequirement', 'One condition on a label.', {
  key: string('Label key that the condition is about.'),
  operator: string('In, NotIn, Exists or DoesNotExist.'),
  values: list(string('Value.'), 'Values for In and NotIn; empty for the others.', { listType: 'atomic' }),
}, ['key', 'operator']);
export type LabelSelectorRequirement = Static<typeof LabelSelectorRequirement>;

export const LabelSelector = object('meta.v1.LabelSelector', 'Selects objects by label. All conditions must hold; an empty selector selects everything.', {
  matchLabels: mapOf(string('Value.'), 'Labels that must have exactly these values.'),
  matchExpressions: list(LabelSelectorRequirement, 'Further conditions.', { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type LabelSelector = Static<typeof LabelSelector>;

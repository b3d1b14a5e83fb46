import { list, object, string, type Static } from '../schema.ts';

export const TopologySelectorLabelRequirement = object('core.v1.TopologySelectorLabelRequirement', 'A label of a place, with the values that are allowed.', {
  key: string('Label key.'),
  values: list(string('Value.'), 'Values of which a place must have one.', { listType: 'atomic' }),
}, ['key', 'values']);
export type TopologySelectorLabelRequirement = Static<typeof TopologySelectorLabelRequirement>;

export const TopologySelectorTerm = object('core.v1.TopologySelectorTerm', 'Places at which volumes can be made; all conditions must hold.', {
  matchLabelExpressions: list(TopologySelectorLabelRequirement, 'Conditions on the labels of a place.', { listType: 'atomic' }),
}, [], { 'x-kubernetes-map-type': 'atomic' });
export type TopologySelectorTerm = Static<typeof TopologySelectorTerm>;

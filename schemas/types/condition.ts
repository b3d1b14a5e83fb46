import { int64, object, string, time, type Static } from '../schema.ts';

export const Condition = object('meta.v1.Condition', 'One aspect of the state of an object.', {
  lastTransitionTime: time('When the status last changed.'),
  message: string('Explanation for people; may be empty.'),
  observedGeneration: int64('Generation of the object from which the condition was worked out.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown.'),
  type: string('Name of the aspect.'),
}, ['lastTransitionTime', 'message', 'reason', 'status', 'type']);
export type Condition = Static<typeof Condition>;

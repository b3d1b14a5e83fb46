import { int64, object, string, time, type Static } from '../schema.ts';

export const Condition = object('meta.v1.Condition', '', {
  lastTransitionTime: time(''),
  message: string(''),
  observedGeneration: int64(''),
  reason: string(''),
  status: string(''),
  type: string(''),
}, ['lastTransitionTime', 'message', 'reason', 'status', 'type']);
export type Condition = Static<typeof Condition>;

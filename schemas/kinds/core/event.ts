import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { int32, microTime, object, string, time, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';

export const EventSource = object('core.v1.EventSource', '', {
  component: string(''),
  host: string(''),
});
export type EventSource = Static<typeof EventSource>;

export const EventSeries = object('core.v1.EventSeries', '', {
  count: int32(''),
  lastObservedTime: microTime(''),
});
export type EventSeries = Static<typeof EventSeries>;

const schema = topLevel('core.v1.Event', '', {
  action: string(''),
  count: int32(''),
  eventTime: microTime(''),
  firstTimestamp: time(''),
  involvedObject: ObjectReference,
  lastTimestamp: time(''),
  message: string(''),
  reason: string(''),
  related: ObjectReference,
  reportingComponent: string(''),
  reportingInstance: string(''),
  series: EventSeries,
  source: EventSource,
  type: string(''),
}, ['involvedObject']);

export const Event = defineKind(schema, {
  group: '', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced',
  shortNames: ['ev'],
  columns: [],
});
export type Event = BodyOf<typeof Event>;

import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, microTime, object, string, time, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';

export const EventSource = object('core.v1.EventSource', 'Who reports an event.', {
  component: string('Name of the component.'),
  host: string('Node on which it runs.'),
});
export type EventSource = Static<typeof EventSource>;

export const EventSeries = object('core.v1.EventSeries', 'How often an event has been seen again.', {
  count: int32('How often.'),
  lastObservedTime: microTime('When last.'),
});
export type EventSeries = Static<typeof EventSeries>;

const schema = topLevel('core.v1.Event', 'A report of something that happened to an object.', {
  action: string('What was done or went wrong with the object.'),
  count: int32('How often it happened.'),
  eventTime: microTime('When it was first seen.'),
  firstTimestamp: time('When it first happened.'),
  involvedObject: as(ObjectReference, 'The object that it is about.'),
  lastTimestamp: time('When it last happened.'),
  message: string('Explanation for people.'),
  reason: string('What happened, in one word.'),
  related: as(ObjectReference, 'A second object that took part.'),
  reportingComponent: string('Name of the controller that reports it.'),
  reportingInstance: string('Which instance of the controller.'),
  series: as(EventSeries, 'How often it has been seen again.'),
  source: as(EventSource, 'Who reports it.', { 'x-barge-default-object': true }),
  type: string('Normal or Warning.'),
}, ['involvedObject']);

export const Event = defineKind(schema, {
  group: '', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced',
  shortNames: ['ev'],
  columns: [],
});
export type Event = BodyOf<typeof Event>;

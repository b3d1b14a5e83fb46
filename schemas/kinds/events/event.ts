import { defineKind, storedAs, topLevel, type ApiObject, type BodyOf } from '../../kind.ts';
import { as, int32, microTime, object, string, time, type Static } from '../../schema.ts';
import { ObjectReference } from '../../types/references.ts';
import { Event as CoreEvent, EventSource } from '../core/event.ts';

export const EventSeries = object('events.v1.EventSeries', 'How often an event has been seen again.', {
  count: int32('How often.'),
  lastObservedTime: microTime('When last.'),
}, ['count', 'lastObservedTime']);
export type EventSeries = Static<typeof EventSeries>;

const schema = topLevel('events.v1.Event', 'A report of something that happened to an object; the same events as those of the core group, in newer words.', {
  action: string('What was done or went wrong with the object.'),
  deprecatedCount: int32('How often it happened; for events of the older sort.'),
  deprecatedFirstTimestamp: time('When it first happened; for events of the older sort.'),
  deprecatedLastTimestamp: time('When it last happened; for events of the older sort.'),
  deprecatedSource: as(EventSource, 'Who reports it; for events of the older sort.'),
  eventTime: microTime('When it was first seen.'),
  note: string('Explanation for people.'),
  reason: string('What happened, in one word.'),
  regarding: as(ObjectReference, 'The object that it is about.'),
  related: as(ObjectReference, 'A second object that took part.'),
  reportingController: string('Name of the controller that reports it.'),
  reportingInstance: string('Which instance of the controller.'),
  series: as(EventSeries, 'How often it has been seen again.'),
  type: string('Normal or Warning.'),
}, ['eventTime']);

type Body = ApiObject & Static<typeof schema>;

const toCore = ({ deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedSource, note, regarding, reportingController, ...same }: Body): CoreEvent => withoutAbsent({
  ...same, count: deprecatedCount, firstTimestamp: deprecatedFirstTimestamp, lastTimestamp: deprecatedLastTimestamp, source: deprecatedSource,
  message: note, involvedObject: regarding ?? {}, reportingComponent: reportingController,
});

const fromCore = ({ count, firstTimestamp, lastTimestamp, source, message, involvedObject, reportingComponent, ...same }: CoreEvent) => withoutAbsent({
  ...same, deprecatedCount: count, deprecatedFirstTimestamp: firstTimestamp, deprecatedLastTimestamp: lastTimestamp, deprecatedSource: source,
  note: message, regarding: involvedObject, reportingController: reportingComponent,
});

const withoutAbsent = <T extends object>(object: T): T => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

const regarding = (member: keyof ObjectReference) => (event: Body): string => event.regarding?.[member] ?? '';

export const Event = defineKind(schema, {
  group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced',
  shortNames: ['ev'],
  fields: {
    'regarding.kind': regarding('kind'),
    'regarding.namespace': regarding('namespace'),
    'regarding.name': regarding('name'),
    'regarding.uid': regarding('uid'),
    'regarding.apiVersion': regarding('apiVersion'),
    'regarding.resourceVersion': regarding('resourceVersion'),
    'regarding.fieldPath': regarding('fieldPath'),
    'reason': ({ reason }) => reason ?? '',
    'reportingController': ({ reportingController }) => reportingController ?? '',
    'type': ({ type }) => type ?? '',
  },
  columns: CoreEvent.columns.map((column) => ({ ...column, cell: (event: Body, nowMs: number) => column.cell(toCore(event), nowMs) })),
  storedAs: storedAs(CoreEvent, { toStored: (event: Body) => ({ ...toCore(event) }), fromStored: fromCore }),
});
export type Event = BodyOf<typeof Event>;

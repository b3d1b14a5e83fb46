import { column, nameColumn } from '../../columns/columns.ts';
import { required, unsupported, wrong } from '../../errors.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, microTime, object, string, time, type Static } from '../../schema.ts';
import { age } from '../../table-cells.ts';
import { timeMs } from '../../timestamps.ts';
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

interface Times {
  readonly firstTimestamp?: string | undefined;
  readonly lastTimestamp?: string | undefined;
  readonly eventTime?: string | undefined;
  readonly series?: EventSeries | undefined;
}

const isTime = (text: string | undefined): text is string => timeMs(text) !== undefined;

const firstSeen = ({ firstTimestamp, eventTime }: Times): string | undefined => (isTime(firstTimestamp) ? firstTimestamp : eventTime);

const lastSeen = (event: Times): string | undefined =>
  event.series?.lastObservedTime ?? (isTime(event.lastTimestamp) ? event.lastTimestamp : firstSeen(event));

const filled = (first: string | undefined, second: string | undefined): string => (first === undefined || first === '' ? second ?? '' : first);

export const Event = defineKind(schema, {
  group: '', version: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced',
  createOnUpdate: true,
  shortNames: ['ev'],
  fields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    'reason': ({ reason }) => reason ?? '',
    'reportingComponent': ({ reportingComponent }) => reportingComponent ?? '',
    'source': ({ source, reportingComponent }) => filled(source?.component, reportingComponent),
    'type': ({ type }) => type ?? '',
  },
  columns: [
    column('Last Seen', 'Time since it last happened.', (event, nowMs) => age(lastSeen(event), nowMs)),
    column('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
    column('Reason', 'What happened, in one word.', ({ reason }) => reason ?? ''),
    column('Object', 'The object that it is about.', ({ involvedObject: { kind = '', name = '' } }) => (name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`)),
    column('Subobject', 'Part of the object that it is about.', ({ involvedObject }) => involvedObject.fieldPath ?? '', { shown: 'wide' }),
    column('Source', 'Who reports it.', ({ source, reportingComponent, reportingInstance }) =>
      [filled(source?.component, reportingComponent), filled(source?.host, reportingInstance)].filter((one) => one !== '').join(', '), { shown: 'wide' }),
    column('Message', 'Explanation for people.', ({ message }) => (message ?? '').trim()),
    column('First Seen', 'Time since it first happened.', (event, nowMs) => age(firstSeen(event), nowMs), { shown: 'wide' }),
    column('Count', 'How often it happened.', ({ series, count }) => series?.count ?? (count || 1), { shown: 'wide', type: 'integer' }),
    { ...nameColumn, priority: 1 },
  ],
  prepare: (event) => {
    if (event.source?.component !== undefined) event.reportingComponent ??= event.source.component;
  },
  validate: ({ metadata, involvedObject, type, eventTime, reportingComponent, reason, action }, old) => {
    const home = involvedObject.namespace ?? '';
    const errors = home !== '' && home !== metadata.namespace ? [wrong('involvedObject.namespace', home, 'does not match event.namespace')]
      : home === '' && metadata.namespace !== 'default' && metadata.namespace !== 'kube-system' ? [wrong('involvedObject.namespace', home, 'does not match event.namespace')] : [];
    // Events that say when they were seen are of the newer sort, which must be complete.
    if (old === undefined && eventTime !== undefined) {
      if ((reportingComponent ?? '') === '') errors.push(required('reportingController'));
      if ((reason ?? '') === '') errors.push(required('reason'));
      if ((action ?? '') === '') errors.push(required('action'));
      if (type !== 'Normal' && type !== 'Warning') errors.push(unsupported('type', type ?? '', ['Normal', 'Warning']));
    }
    return errors;
  },
});
export type Event = BodyOf<typeof Event>;

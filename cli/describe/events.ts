import { age } from '../../schemas/table-cells.ts';
import type { ApiObject, BodyOf } from '../../schemas/kind.ts';
import { isReason } from '../../schemas/errors.ts';
import type { Event } from '../../schemas/kinds/core/event.ts';
import { configMirror } from '../../schemas/static-pods.ts';
import { related, type DescribeContext } from './describer.ts';
import type { Page } from './page.ts';

type EventBody = BodyOf<typeof Event>;

const lastSeen = (event: EventBody): string | undefined => event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
const firstSeen = (event: EventBody): string | undefined => event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;

/** `3m (x4 over 10m)`. */
export const ageCell = (event: EventBody, nowMs: number): string => {
  const count = event.series?.count ?? event.count ?? 1;
  const last = age(lastSeen(event), nowMs);
  return count > 1 ? `${last} (x${count} over ${age(firstSeen(event), nowMs)})` : age(lastSeen(event), nowMs);
};

export const bySeen = (a: EventBody, b: EventBody): number => {
  const [left, right] = [lastSeen(a) ?? '', lastSeen(b) ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
};

/** The events about an object, oldest first, at the end of its page. */
export const addEvents = async (page: Page, object: ApiObject, context: DescribeContext): Promise<void> => {
  const { name, namespace, uid } = object.metadata;
  let events: readonly EventBody[];
  try {
    const byName = `involvedObject.name=${name},involvedObject.kind=${object.kind}`;
    events = await related<EventBody>(context, 'events', { namespace, fieldSelector: namespace === undefined ? byName : `${byName},involvedObject.namespace=${namespace}` });
  } catch (error) {
    if (!isReason(error, 'Forbidden', 'BadRequest')) throw error;
    page.line(0, `Events:\t<unknown: ${error.message}>`);
    return;
  }
  // The name may have been another object's before. Nodes' events carry their name for a uid, static pods' the hash that their mirrors have in an annotation.
  const mirrored = object.metadata.annotations?.[configMirror];
  const mine = events.filter(({ involvedObject: { uid: told } }) => told === undefined || told === uid || told === name || told === mirrored).sort(bySeen);
  if (mine.length === 0) {
    page.line(0, 'Events:\t<none>');
    return;
  }
  page.line(0, 'Events:').line(1, 'Type\tReason\tAge\tFrom\tMessage').line(1, '----\t------\t----\t----\t-------');
  for (const event of mine) {
    const from = event.source?.component ?? event.reportingComponent ?? '';
    page.line(1, `${event.type ?? ''}\t${event.reason ?? ''}\t${ageCell(event, context.world.clock.now())}\t${from}\t${(event.message ?? '').trim()}`);
  }
};

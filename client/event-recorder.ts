import type { ApiObject } from '../schemas/kind.ts';

/** What an event is about. `fieldPath` names a container: `spec.containers{web}`. */
export type EventSubject = ApiObject & { readonly fieldPath?: string };

/**
 * EventRecorder tells users what a component did and why, as Event objects. It never blocks and never throws: events
 * that cannot be written are logged and dropped. The same event again raises the count of the first.
 */
export interface EventRecorder {
  event(subject: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

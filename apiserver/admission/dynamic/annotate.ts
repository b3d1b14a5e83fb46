import type { Subject } from './subject.ts';

/** Longest value that is noted, in UTF-16 units. */
const maxLength = 10 * 1024;

/** Notes for the audit log what somebody has to say about a request that was looked at. */
export const annotate = ({ call }: Subject, annotation: string, value: string): void => call.audit?.(annotation, value.slice(0, maxLength));

import type { Log } from '../../../base/log.ts';
import type { Subject } from './subject.ts';

/** Longest value that is noted. */
const maxLength = 10 * 1024;

/** Notes what somebody has to say about a request that was looked at, for whoever reads the server's log later. */
export const annotate = (log: Log, { call, operation, namespace, name }: Subject, annotation: string, value: string): void => {
  log.info('audit annotation', { annotation, value: value.slice(0, maxLength), operation, resource: call.kind.plural, namespace, name, user: call.user.name });
};

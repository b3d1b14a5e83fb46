import type { ApiRequest, Transport, UserInfo, WatchEvent } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { AccessRefused } from '../authorization/forbidden.ts';
import type { Core } from '../core.ts';
import type { AuditedRequest, Auditor } from './auditor.ts';

/** The URL that a request would have over HTTP, as far as it says what is asked for. */
const uriOf = ({ group, version, namespace, resource, name, subresource }: ApiRequest): string =>
  [group === '' ? '/api' : `/apis/${group}`, version, ...(namespace === undefined || namespace === '' ? [] : ['namespaces', namespace]), resource, ...(name === undefined || name === '' ? [] : [name]), ...(subresource === undefined || subresource === '' ? [] : [subresource])].join('/');

const failed = (audit: AuditedRequest, error: unknown): void => {
  if (!(error instanceof ApiError)) return audit.panicked();
  audit.failed(error, error instanceof AccessRefused ? 'refused' : 'failed');
  audit.completed(error.code);
};

/** The API as a user in this process sees it, with everything that it asks for written down as if it came over HTTP. */
export const auditedTransport = (core: Pick<Core, 'send' | 'watch'>, auditor: Auditor, user: UserInfo): Transport => {
  const begin = (request: ApiRequest): AuditedRequest | undefined => {
    const requestURI = uriOf(request);
    return auditor.begin({ user, verb: request.verb, path: request, pathname: requestURI, requestURI, sourceIPs: ['127.0.0.1'] });
  };
  return {
    send: async (request, signal) => {
      const audit = begin(request);
      if (audit === undefined) return core.send(request, user, { signal });
      if (request.body !== undefined) audit.requested(request.body);
      try {
        const answer = await core.send(request, user, { signal, audit: audit.annotate });
        audit.answered(answer.body);
        audit.completed(answer.code);
        return answer;
      } catch (error) {
        failed(audit, error);
        throw error;
      }
    },
    watch: async function* (request, signal): AsyncGenerator<readonly WatchEvent[]> {
      const audit = begin({ ...request, verb: 'watch' });
      try {
        const events = core.watch(request, user, signal);
        audit?.started(200);
        yield* events;
      } catch (error) {
        if (audit !== undefined) failed(audit, error);
        throw error;
      } finally {
        audit?.completed(200);
      }
    },
  };
};

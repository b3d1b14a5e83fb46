/** Answers requests for resources: everything under /api/v1 and /apis/<group>/<version> that names one. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiAnswer, ApiList, ApiRequest, ResourcePath } from '../../schemas/api.ts';
import { ApiError, badRequest, type Status } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { jsonOf } from '../encoding.ts';
import { columnsFor, metadataOf, toTable, type IncludeObject, type TableOptions } from '../table.ts';
import { answererOf } from '../virtual/virtual.ts';
import { representationFor, wholeFor, type Representation } from './accept.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { streamLog } from './log-stream.ts';
import type { NodeClient } from './node-client.ts';
import { isPretty } from './pretty.ts';
import { replyBytes, replyJson, replyList, replyYaml, warningHeaders } from './reply.ts';
import { readRequest, routeRequest, streamOf } from './requests.ts';
import { eventEncoder, streamEvents } from './watch-stream.ts';

const notAcceptable = (): ApiError => new ApiError(
  'NotAcceptable', 'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
);

/** How the client wants to see objects. Throws NotAcceptable where it takes nothing that there is. */
export const representationOf = (exchange: Pick<Exchange, 'request'>): Representation => {
  const found = representationFor(exchange.request.headers.accept);
  if (found === undefined) throw notAcceptable();
  return found;
};

/** Of a question the answer is all there is; it has neither columns nor metadata. */
const isQuestion = (kind: AnyKind, subresource: string | undefined): boolean => (subresource ?? '') === '' && answererOf(kind) !== undefined;

const wholeOf = ({ request }: Pick<Exchange, 'request'>): Representation => {
  const found = wholeFor(request.headers.accept ?? '');
  if (found === undefined) throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json, application/yaml');
  return found;
};

const includes: readonly IncludeObject[] = ['None', 'Metadata', 'Object'];

/** What `includeObject` of the query says about table rows. */
export const includeObjectOf = (query: URLSearchParams | undefined): IncludeObject => {
  const text = query?.get('includeObject') || 'Metadata';
  const found = includes.find((one) => one === text);
  if (found === undefined) throw badRequest(`invalid value ${JSON.stringify(text.slice(0, 64))} for query parameter includeObject: must be one of ${includes.join(', ')}`);
  return found;
};

const isStatus = (body: ApiAnswer['body']): body is Status => body.kind === 'Status';
const isList = (body: ApiObject | ApiList): body is ApiList => 'items' in body;

interface Shown {
  readonly representation: Representation;
  readonly table: TableOptions;
  readonly kind: AnyKind;
  readonly request: ApiRequest;
}

const reply = (exchange: Exchange, answer: ApiAnswer, shown: Shown, headers: OutgoingHttpHeaders): Promise<void> => {
  const { request, response } = exchange;
  const { body, code } = answer;
  if (shown.representation.encoding === 'yaml') return replyYaml(request, response, code, body, headers);
  if (isStatus(body)) return replyJson(request, response, code, body, headers);
  switch (shown.representation.as) {
    case 'table': return replyJson(request, response, code, toTable(body, columnsFor(shown.kind, shown.request.subresource), shown.table), headers);
    case 'metadata': {
      const { version } = shown.representation;
      if (!isList(body)) return replyJson(request, response, code, metadataOf(body, version), headers);
      const items = body.items.map((item) => metadataOf(item, version));
      return replyList(request, response, { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata: body.metadata, items }, headers);
    }
    default:
      if (isList(body)) return replyList(request, response, body, headers);
      return isPretty(request) ? replyJson(request, response, code, body, headers) : replyBytes(request, response, code, jsonOf(body), headers);
  }
};

/** Answers one request for a resource; resolves when the answer is written, for a watch or a log when its stream ends. */
export const handleResource = async (context: HttpContext, nodes: NodeClient, exchange: Exchange, path: ResourcePath): Promise<void> => {
  const { request, response, query, user } = exchange;
  const route = routeRequest(context, exchange, request.method ?? 'GET', path);
  const stream = streamOf(path, route.verb, query);
  if (stream !== undefined) {
    if (stream.subresource !== 'log') throw badRequest('Upgrade request required');
    return streamLog(context, nodes, exchange, stream);
  }
  const wanted = representationOf(exchange);
  const representation = wanted.as !== 'object' && isQuestion(route.kind, path.subresource) ? wholeOf(exchange) : wanted;
  const table: TableOptions = { version: representation.version, includeObject: includeObjectOf(query), nowMs: context.clock.now() };
  const read = await readRequest(context, exchange, path, route);
  const { audit } = exchange;
  if (audit !== undefined && read.request.body !== undefined) audit.requested(read.request.body);
  if (route.verb === 'watch') {
    if (representation.encoding === 'yaml') throw notAcceptable();
    const encode = eventEncoder(representation, columnsFor(route.kind, undefined), table, context.clock);
    const sent = context.reception.requests.watchEvents(route.kind);
    return streamEvents({ context, response, encode, sent, audit, open: (signal) => context.core.watch(read.request, user, signal) });
  }
  const answer = await context.core.send(read.request, user, audit === undefined ? undefined : { audit: audit.annotate });
  audit?.answered(answer.body);
  const warnings = read.warnings.length === 0 ? answer.warnings : [...read.warnings, ...answer.warnings];
  await reply(exchange, answer, { representation, table, kind: route.kind, request: read.request }, warningHeaders(warnings));
};

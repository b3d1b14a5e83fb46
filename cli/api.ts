/**
 * The API as the CLI sees it: requests as data, tables where the server makes them, lists in pages, watches over
 * WebSocket. Every failed answer is an ApiError. It stands beside client/http-transport.ts, over the same connection,
 * because the CLI wants what components never ask for: tables, discovery, OpenAPI and objects of kinds it does not know.
 */
import { refusal, type HttpConnection } from '../client/http-connection.ts';
import { LineSplitter } from '../client/line-splitter.ts';
import { httpRequestOf } from '../client/request-url.ts';
import type { ApiList, ApiRequest, RequestOptions, ResourcePath } from '../schemas/api.ts';
import { ApiError, isReason, type Status } from '../schemas/errors.ts';
import type { ApiObject } from '../schemas/kind.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  /** Columns above 0 are shown with -o wide only. */
  readonly priority?: number | undefined;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: ApiObject | undefined;
}

export interface Table {
  readonly kind: 'Table';
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string } | undefined;
  readonly columnDefinitions?: readonly TableColumn[] | null | undefined;
  readonly rows?: readonly TableRow[] | null | undefined;
}

export interface RawEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface ApiOptions {
  readonly connection: HttpConnection;
  /** Called with the text of each Warning header. */
  readonly warn: (text: string) => void;
}

/** Items of a page of a list; kubectl's --chunk-size. */
const pageSize = 500;
/** One event's line at most; an object is at most a few megabytes. */
const eventLimitBytes = 32 * 2 ** 20;

const tableAccept = ['v1', 'v1beta1'].map((version) => `application/json;as=Table;v=${version};g=meta.k8s.io`).concat('application/json').join(',');

const isStatus = (value: unknown): value is Status => typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status';

/** Items of a list without kind and apiVersion get those of the list, as single objects have them. */
const withTypes = (list: ApiList): readonly ApiObject[] => {
  const kind = list.kind.replace(/List$/, '');
  return (list.items ?? []).map((item) => ((item.kind as string | undefined) === undefined ? { ...item, apiVersion: list.apiVersion, kind } : item));
};

export class Api {
  readonly connection: HttpConnection;
  readonly #warn: (text: string) => void;

  constructor({ connection, warn }: ApiOptions) {
    this.connection = connection;
    this.#warn = warn;
  }

  /** Sends a request and gives its JSON body. */
  async send(request: ApiRequest, signal?: AbortSignal): Promise<unknown> {
    return this.#json(httpRequestOf(request), 'application/json', signal);
  }

  async get(at: ResourcePath & { readonly name: string }, signal?: AbortSignal): Promise<ApiObject> {
    return await this.send({ ...at, verb: 'get' }, signal) as ApiObject;
  }

  /** The object, or undefined when there is none. */
  async find(at: ResourcePath & { readonly name: string }, signal?: AbortSignal): Promise<ApiObject | undefined> {
    try {
      return await this.get(at, signal);
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** All objects of a collection, read page by page, and the revision the list stands at. */
  async list(at: ResourcePath, options: RequestOptions = {}, signal?: AbortSignal): Promise<{ readonly items: readonly ApiObject[]; readonly resourceVersion: string }> {
    const items: ApiObject[] = [];
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const page = await this.send({ ...at, verb: 'list', options: { limit: pageSize, ...options, continue: next } }, signal) as ApiList;
      for (const item of withTypes(page)) items.push(item);
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue;
    } while (next !== undefined && next !== '');
    return { items, resourceVersion };
  }

  /** The server's table of an object or a whole collection. `objects` puts the full object into every row. */
  async table(request: ApiRequest, { objects, signal }: { readonly objects: boolean; readonly signal?: AbortSignal }): Promise<Table> {
    let whole: Table | undefined;
    let next: string | undefined;
    do {
      const options = request.verb === 'list' ? { limit: pageSize, ...request.options, continue: next } : request.options;
      const http = httpRequestOf({ ...request, options });
      const path = objects ? `${http.path}${http.path.includes('?') ? '&' : '?'}includeObject=Object` : http.path;
      const page = asTable(await this.#json({ ...http, path }, tableAccept, signal));
      whole = whole === undefined ? page : { ...whole, rows: [...(whole.rows ?? []), ...(page.rows ?? [])] };
      next = page.metadata?.continue;
    } while (next !== undefined && next !== '');
    return whole;
  }

  /**
   * Events of a collection, as they come; it ends when the server ends the stream or the signal aborts, and throws what
   * an ERROR event says. By WebSocket, or by plain HTTP where the upgrade is refused.
   */
  async *watch(request: ApiRequest, { table, signal }: { readonly table: boolean; readonly signal: AbortSignal }): AsyncGenerator<RawEvent> {
    const { path } = httpRequestOf({ ...request, verb: 'watch' });
    try {
      for await (const text of this.#events(path, table ? tableAccept : 'application/json', signal)) {
        const event = JSON.parse(text) as RawEvent;
        if (event.type === 'ERROR') throw isStatus(event.object) ? ApiError.fromStatus(event.object) : new Error('the watch ended with an error');
        yield table && event.type !== 'BOOKMARK' ? { type: event.type, object: asTable(event.object) } : event;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The JSON body of any path: discovery, OpenAPI, version. */
  async getJson(path: string, accept = 'application/json', signal?: AbortSignal): Promise<unknown> {
    return this.#json({ method: 'GET', path }, accept, signal);
  }

  /** The body of any path as text: health, metrics, --raw. */
  async getText(path: string, signal?: AbortSignal): Promise<string> {
    return (await this.connection.whole({ method: 'GET', path, accept: '*/*' }, signal)).body.toString('utf8');
  }

  async #json(request: { readonly method: string; readonly path: string; readonly contentType?: string | undefined; readonly body?: string | undefined }, accept: string, signal: AbortSignal | undefined): Promise<unknown> {
    const { body, headers } = await this.connection.whole({ ...request, accept }, signal);
    const warning = headers['warning'];
    if (typeof warning === 'string') for (const match of warning.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) this.#warn(match[1]!.replace(/\\(.)/g, '$1'));
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (error) {
      throw new Error(`the server's answer to ${request.method} ${request.path} is no JSON`, { cause: error });
    }
  }

  async *#events(path: string, accept: string, signal: AbortSignal): AsyncGenerator<string> {
    let messages: AsyncIterable<{ readonly data: Buffer }> | undefined;
    try {
      const { MessageStream } = await import('../client/web-socket.ts');
      messages = await MessageStream.open(this.connection, path, [], signal, { accept });
    } catch (error) {
      // A proxy on the way that knows no WebSocket; what the server itself says about the request comes again below.
      if (!(error instanceof ApiError)) throw error;
    }
    if (messages !== undefined) {
      for await (const { data } of messages) for (const line of data.toString('utf8').split('\n')) if (line.trim() !== '') yield line;
      return;
    }
    const answer = await this.connection.open({ method: 'GET', path, accept }, signal);
    try {
      if ((answer.statusCode ?? 500) >= 400) throw await refusal(answer);
      const splitter = new LineSplitter(eventLimitBytes);
      for await (const chunk of answer as AsyncIterable<Buffer>) for (const line of splitter.push(chunk)) if (line.trim() !== '') yield line;
    } finally {
      answer.destroy();
    }
  }
}

/** A server that makes no tables answers with the object: it becomes a table of names and creation times. */
const asTable = (body: unknown): Table => {
  const found = body as Partial<Table> & Partial<ApiList> & Partial<ApiObject>;
  if (found.kind as string === 'Table') return found as Table;
  const objects = Array.isArray(found.items) ? withTypes(found as ApiList) : [found as ApiObject];
  return {
    kind: 'Table', metadata: (found.metadata ?? {}) as NonNullable<Table['metadata']>,
    columnDefinitions: [{ name: 'Name', type: 'string', format: 'name' }, { name: 'Age', type: 'date' }],
    rows: objects.map((object) => ({ cells: [object.metadata?.name ?? '', object.metadata?.creationTimestamp ?? '<unknown>'], object })),
  };
};

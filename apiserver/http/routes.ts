/** The URLs that are no resources: health, version, discovery and OpenAPI. */
import { createRequire } from 'node:module';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Router, RouterContext } from '@koa/router';
import { ApiError } from '../../schemas/errors.ts';
import { exposition, expositionTypes } from '../../base/metrics/exposition.ts';
import type { Metrics } from '../../base/metrics/metrics.ts';
import { aggregated, coreVersions, groupList, groupOf, resourceList } from '../discovery.ts';
import { kindsAt, openApiV2, openApiV3, openApiV3Index } from '../openapi.ts';
import { openApiV2Protobuf } from '../openapi-protobuf.ts';
import { covers, parseAccept } from './accept.ts';
import { DocumentCache, replyDocument, type Document } from './documents.ts';
import type { HttpContext } from './exchange.ts';
import { healthAnswer, healthEndpoints, type HealthChecks, type HealthEndpoint } from './health.ts';
import { parseBool } from './query.ts';
import { replyBytes, replyJson, replyText } from './reply.ts';
import { noSuchResource } from './resource-path.ts';
import type { VersionInfo } from './version.ts';

// What the package gives to an import imports node:http, which costs too much (base/node-http.ts).
const koaRouter = createRequire(import.meta.url)('@koa/router') as typeof import('@koa/router');

export interface RouteOptions {
  readonly context: HttpContext;
  readonly version: VersionInfo;
  readonly checks: Readonly<Record<HealthEndpoint, HealthChecks>>;
  readonly metrics: Metrics;
}

const json = (value: object | undefined): Buffer | undefined => (value === undefined ? undefined : Buffer.from(`${JSON.stringify(value)}\n`));
const jsonType = { 'Content-Type': 'application/json' };

type DiscoveryForm = 'v2' | 'v2beta1' | 'plain';

/** Which form of /api and /apis a client wants; everything in one document where it knows how to read that. */
const discoveryForm = (request: IncomingMessage): DiscoveryForm => {
  const header = request.headers.accept;
  if (header === undefined || !header.includes('apidiscovery.k8s.io')) return 'plain';
  for (const range of parseAccept(header)) {
    if (!covers(range, 'application/json')) continue;
    const as = range.parameters.get('as');
    const version = range.parameters.get('v');
    if (as === undefined) return 'plain';
    if (as === 'APIGroupDiscoveryList' && range.parameters.get('g') === 'apidiscovery.k8s.io' && (version === 'v2' || version === 'v2beta1')) return version;
  }
  return 'plain';
};

const openApiV2Types = ['application/com.github.proto-openapi.spec.v2.v1.0+protobuf', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'];

/** True when a client would rather have /openapi/v2 in protobuf than in JSON. */
const wantsProtobuf = (request: IncomingMessage): boolean => {
  const { accept } = request.headers;
  if (accept === undefined || accept === '') return false;
  const best = parseAccept(accept).find((range) => openApiV2Types.includes(range.type) || covers(range, 'application/json'));
  if (best === undefined) throw new ApiError('NotAcceptable', `only the following media types are accepted: application/json, ${openApiV2Types[0]}`);
  return openApiV2Types.includes(best.type);
};

/** True when a monitoring system would rather have OpenMetrics than Prometheus' own text. */
const prefersOpenMetrics = (request: IncomingMessage): boolean =>
  parseAccept(request.headers.accept ?? '').find((range) => covers(range, 'text/plain') || range.type === 'application/openmetrics-text')?.type === 'application/openmetrics-text';

const found = (document: Document | undefined): Document => {
  if (document === undefined) throw noSuchResource();
  return document;
};

const yearMs = 365 * 24 * 3_600_000;

/** Says where a document is now. */
const redirect = (response: ServerResponse, location: string): void => {
  response.writeHead(301, { Location: location, 'Cache-Control': 'no-cache, private', 'Content-Length': 0 });
  response.end();
};

/** Routes for everything that is no resource. Handlers write to the Node response themselves. */
export const createRoutes = ({ context, version, checks, metrics }: RouteOptions): Router => {
  const { registry } = context.core;
  const documents = new DocumentCache(registry);
  const router = new koaRouter.Router();

  const healthReply = (endpoint: HealthEndpoint) => async (ctx: RouterContext): Promise<void> => {
    const [, , only] = ctx.path.split('/');
    const verbose = 'verbose' in ctx.query && parseBool('verbose', String(ctx.query['verbose']));
    const answer = await healthAnswer(endpoint, checks[endpoint], { verbose, only, exclude: [ctx.query['exclude'] ?? []].flat() });
    if (answer === undefined) throw noSuchResource();
    replyText(ctx.res, answer.code, answer.text);
  };
  for (const endpoint of healthEndpoints) router.get(`/${endpoint}`, healthReply(endpoint)).get(`/${endpoint}/:check`, healthReply(endpoint));

  router.get('/version', (ctx) => replyJson(ctx.req, ctx.res, 200, version));

  router.get('/metrics', (ctx) => {
    const format = prefersOpenMetrics(ctx.req) ? 'openmetrics' : 'prometheus';
    return replyBytes(ctx.req, ctx.res, 200, Buffer.from(exposition(metrics, format)), { 'Content-Type': expositionTypes[format] });
  });

  const discovery = (which: 'core' | 'groups') => (ctx: RouterContext) => {
    const form = discoveryForm(ctx.req);
    const document = documents.get(`discovery ${which} ${form}`, () =>
      json(form !== 'plain' ? aggregated(registry, which, form) : which === 'core' ? coreVersions(registry) : groupList(registry)));
    const type = form === 'plain' ? 'application/json' : `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;
    return replyDocument(ctx.req, ctx.res, found(document), { 'Content-Type': type });
  };
  router.get('/api', discovery('core')).get('/apis', discovery('groups'));

  const resources = (group: string, version: string) => documents.get(`resources ${group}/${version}`, () => json(resourceList(registry, group, version)));
  router.get('/api/:version', (ctx) => replyDocument(ctx.req, ctx.res, found(resources('', ctx.params['version'] ?? '')), jsonType));
  router.get('/apis/:group', (ctx) => {
    const group = ctx.params['group'] ?? '';
    return replyDocument(ctx.req, ctx.res, found(documents.get(`group ${group}`, () => json(groupOf(registry, group)))), jsonType);
  });
  router.get('/apis/:group/:version', (ctx) => replyDocument(ctx.req, ctx.res, found(resources(ctx.params['group'] ?? '', ctx.params['version'] ?? '')), jsonType));

  // The issuer's own documents, for those who check tokens of service accounts by themselves.
  router.get('/.well-known/openid-configuration', (ctx) => {
    const tokens = context.core.accountTokens;
    if (tokens === undefined) throw noSuchResource();
    replyJson(ctx.req, ctx.res, 200, {
      issuer: tokens.issuer, jwks_uri: `${tokens.issuer}/openid/v1/jwks`, response_types_supported: ['id_token'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });
  router.get('/openid/v1/jwks', (ctx) => {
    const tokens = context.core.accountTokens;
    if (tokens === undefined) throw noSuchResource();
    replyJson(ctx.req, ctx.res, 200, { keys: tokens.keys });
  });

  const v3 = (path: string) => documents.getOf(`openapi v3 ${path}`, kindsAt(registry, path), () => json(openApiV3(registry, path)));
  const index = () => documents.get('openapi v3', () => json(openApiV3Index(registry, (path) => found(v3(path)).etag.slice(1, -1))));
  router.get('/openapi/v3', (ctx) => replyDocument(ctx.req, ctx.res, found(index()), jsonType));
  router.get(/^\/openapi\/v3\/(.+)$/, (ctx) => {
    const path = String(ctx.captures?.[0]);
    const document = found(v3(path));
    const wanted = ctx.query['hash'];
    if (wanted === undefined || wanted === '') return replyDocument(ctx.req, ctx.res, document, jsonType);
    const hash = document.etag.slice(1, -1);
    if (wanted !== hash) return redirect(ctx.res, `/openapi/v3/${path}?hash=${hash}`);
    // What an address with a hash stands for never changes: clients need not ask again.
    const expires = new Date(context.clock.now() + yearMs).toUTCString();
    return replyDocument(ctx.req, ctx.res, document, { ...jsonType, 'Cache-Control': 'public, immutable', Expires: expires });
  });
  router.get('/openapi/v2', (ctx) => {
    const protobuf = wantsProtobuf(ctx.req);
    const document = protobuf
      ? documents.get('openapi v2 protobuf', () => openApiV2Protobuf(openApiV2(registry)))
      : documents.get('openapi v2', () => json(openApiV2(registry)));
    return replyDocument(ctx.req, ctx.res, found(document), protobuf ? { 'Content-Type': openApiV2Types[0] } : jsonType);
  });
  return router;
};

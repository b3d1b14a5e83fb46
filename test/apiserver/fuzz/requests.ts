/** Requests that nobody should send, as bytes: made out of numbers that fast-check chooses and makes small again. */
import * as fc from 'fast-check';
import { apiVersionOf, serves, type AnyKind } from '../../../schemas/kind.ts';
import { goodObject } from './good-objects.ts';
import { mutatedText, mutation, oddValues, type Json, type Mutation } from './mutations.ts';
import { envelopeOf } from './protobuf-writer.ts';

/** What fast-check chooses. */
interface Choice {
  readonly kind: number;
  readonly sort: number;
  readonly name: number;
  readonly subresource: number;
  readonly format: number;
  readonly query: readonly (readonly [name: number, value: number])[];
  readonly mutations: readonly Mutation[];
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
  readonly header: number;
}

/** Without bias: small numbers would make most requests odd ones that are refused at the door. */
const choice: fc.Arbitrary<Choice> = fc.noBias(fc.record({
  kind: fc.nat(10_000), sort: fc.nat(99), name: fc.nat(59), subresource: fc.nat(99), format: fc.nat(29), query: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.array(fc.tuple(fc.nat(10_000), fc.nat(10_000)), { maxLength: 3, size: 'small' }) }),
  mutations: fc.array(mutation, { maxLength: 4, size: 'small' }), bytes: fc.uint8Array({ maxLength: 40, size: 'small' }), cuts: fc.array(fc.nat(10_000), { maxLength: 3, size: 'small' }), header: fc.nat(199),
}));

export interface FuzzRequest {
  readonly method: string;
  /** An endless answer is to be expected. */
  readonly stream: boolean;
  readonly bytes: Buffer;
}

const oddNames = ['A_b', 'x'.repeat(254), '%00', '..', '%2e%2e', '%F0%9F%92%A5', 'a', 'b'];
const subresources = ['status', 'scale', 'binding', 'eviction', 'token', 'approval', 'finalize', 'ephemeralcontainers', 'log', 'exec', 'attach', 'portforward', 'proxy', 'nothing', '__proto__', 'constructor'];
const queryNames = [
  'labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'limit', 'continue', 'timeoutSeconds', 'allowWatchBookmarks', 'sendInitialEvents', 'dryRun', 'fieldManager', 'fieldValidation', 'force',
  'gracePeriodSeconds', 'propagationPolicy', 'orphanDependents', 'includeObject', 'pretty', 'timeout', 'watch', '__proto__', 'container', 'tailLines', 'sinceTime', 'command',
];
const queryValues = [
  '', '0', '1', '-1', '1.5', '500', '99999999999999999999', 'true', 'false', 'maybe', 'All', 'Strict', 'Warn', 'Ignore', 'Exact', 'NotOlderThan', 'Background', 'Foreground', 'Orphan', 'None', 'Object', 'Metadata',
  'a=b', 'a!=b', 'a in (b,c)', 'a notin ()', '!a', 'a', 'a in (', '((', 'a=b,', ',', '=', '==', 'a>1', 'a<x', 'a b', 'metadata.name=good', 'metadata.name!=good,metadata.namespace=default', 'spec.nodeName=', 'status.phase=Running', 'no.such=1', 'metadata.name=a\\,b',
  '%', '%zz', '%00', '%ff', '%F0%9F%92%A5', 'x'.repeat(2_000), 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0', 'e30', 'bnVsbA', 'W10', '10s', '1ns', '1h1h', '__proto__', 'constructor', '$patch', '\u0001', 'é',
];
const accepts = [
  'application/json', '*/*', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io,*/*',
  'application/vnd.kubernetes.protobuf', ';;;,,,q=', 'text/html', 'application/json;q=NaN', `${'a/b,'.repeat(40)}*/*`, 'application/json;as=__proto__;v=v1;g=meta.k8s.io',
];
const oddHeaders = [
  'Impersonate-User: bob', 'Impersonate-Group: g', 'Impersonate-User: bob\r\nImpersonate-Extra-__proto__: x', 'Impersonate-User: bob\r\nImpersonate-Extra-%zz: x', 'Impersonate-Uid: 1', 'Authorization: Basic YTpi', 'Authorization: Bearer x.y.z',
  'Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA', 'Content-Encoding: gzip', 'Expect: 100-continue', 'X-A: \u00ff', 'Cookie: a=b', 'If-None-Match: *', 'Accept-Encoding: gzip', 'Accept-Encoding: gzip;q=0, *', 'Origin: null', 'User-Agent: \u00e9/1', `User-Agent: ${'u'.repeat(400)}`,
  'Connection: Upgrade\r\nUpgrade: websocket', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13', 'Connection: Upgrade\r\nUpgrade: SPDY/3.1', 'Connection: Upgrade\r\nUpgrade: h2c', 'Audit-Id: x', 'X-Forwarded-For: 1.2.3.4',
];
const fixedPaths = [
  '/', '/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1', '/apis/none', '/openapi/v2', '/openapi/v3', '/openapi/v3/apis/apps/v1', '/openapi/v3/../..', '/version', '/healthz', '/readyz?verbose', '/livez/none', '/metrics', '/openid/v1/jwks', '/.well-known/openid-configuration',
  '//', '/api/v1/', '/api//v1', '/api/v1/namespaces/default/pods/a/b/c/d', '/apis/__proto__/constructor/toString', '/api/v1/%', '/api/v1/watch/pods', `/${'a'.repeat(3_000)}`, '/api/v1/namespaces/default/constructor', '*', 'http://other/api/v1/pods', '/%2fapi/v1/pods',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'];
const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', ...patchTypes, 'text/plain', '', 'application/json; charset=utf-16', '__proto__'];

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length]!;

const collectionOf = (kind: AnyKind, namespace: string): string => {
  const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  return kind.scope === 'Namespaced' ? `${base}/namespaces/${namespace}/${kind.plural}` : `${base}/${kind.plural}`;
};

/** The good object of a kind under a name. */
export const objectOf = (kind: AnyKind, name: string): { readonly apiVersion: string; readonly kind: string } & { [name: string]: Json } => {
  const body = goodObject(kind) as { readonly metadata?: object } | undefined;
  const metadata = { labels: { app: 'web' }, annotations: { a: 'b' }, finalizers: ['example.com/f'], ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }], ...body?.metadata };
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...body, metadata: { name, ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}), ...metadata } } as never;
};

const jsonPatch = (object: Json, { mutations, bytes }: Choice): string => {
  const paths = ['/metadata/labels/app', '/metadata/labels/a~1b', '/spec', '/data/a', '/metadata', '', '/metadata/finalizers/-', '/metadata/finalizers/0', '/__proto__/polluted', '/constructor/prototype/polluted', '/spec/template/spec/containers/0/image', '/kind', '/metadata/uid', 'x', '/~2', '/metadata/labels/__proto__'];
  const operations = [...bytes].slice(0, 6).map((byte) => ({ op: pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'explode'], byte), path: pick(paths, byte >> 3), from: pick(paths, byte >> 2), value: byte % 2 === 0 ? 'v' : object }));
  return mutatedText(operations as never, mutations);
};

const yamlOf = (json: string, flags: number): string => [
  json, `---\n${json}`, `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nmetadata: {name: a}`, `<<: ${json}`, `? ${json}\n: 1`, '!!js/function "x"', `metadata: {name: a}\nmetadata: {name: b}`, '- '.repeat(200), `${json}\n---\n${json}`, '\t', 'a: 0x1F\nb: 1e400\nc: .inf\nd: ~\n__proto__: {polluted: true}', '%YAML 9.9\n---\na', '*missing',
][flags % 13]!;

const cut = (bytes: Buffer, { cuts, bytes: spoils }: Choice): Buffer => {
  const out = Buffer.from(bytes);
  cuts.forEach((at, index) => { if (out.length > 0) out[at % out.length] = spoils[index] ?? at & 0xff; });
  return cuts.length === 3 ? out.subarray(0, cuts[0]! % (out.length + 1)) : out;
};

const queryOf = (query: Choice['query'], fixed: string): string => {
  const parts = query.map(([name, value]) => {
    const text = pick(queryValues, value);
    return `${pick(queryNames, name)}=${text.startsWith('%') ? text : encodeURIComponent(text)}`;
  });
  if (fixed !== '') parts.push(fixed);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
};

/** Mostly none, often one that the kind has, and now and then one of another. */
const subresourceFor = ({ subresources: { status, scale, special = {} } }: AnyKind, at: number): string => {
  if (at < 3) return `/${pick(subresources, at * 7)}`;
  const own = [...(status === true ? ['status'] : []), ...(scale === undefined ? [] : ['scale']), ...Object.keys(special)];
  return at < 25 && own.length > 0 ? `/${pick(own, at)}` : '';
};

interface Parts {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: Buffer | string;
}

/** The body of a create or update in one of its formats. */
const written = (object: ReturnType<typeof objectOf>, one: Choice): Pick<Parts, 'type' | 'body'> => {
  const text = mutatedText(object, one.mutations);
  switch (one.format % 10) {
    case 0: return { type: 'application/yaml', body: yamlOf(text, one.header) };
    case 1: return { type: 'application/yaml', body: text };
    case 2: case 3: return { type: 'application/vnd.kubernetes.protobuf', body: cut(envelopeOf(object) ?? Buffer.from('k8s\0'), one) };
    case 4: return { type: pick(bodyTypes, one.header), body: cut(Buffer.from(text), one) };
    case 5: return { type: pick(bodyTypes, one.header), body: Buffer.from(one.bytes) };
    default: return { type: 'application/json', body: text };
  }
};

const partsOf = (kinds: readonly AnyKind[], one: Choice): Parts => {
  const kind = pick(kinds, one.kind);
  const collection = collectionOf(kind, one.name === 20 ? 'none' : one.name === 21 ? 'kube-system' : 'default');
  const name = one.name < oddNames.length ? oddNames[one.name]! : one.sort < 30 ? `n${one.name}` : 'good';
  const object = objectOf(kind, name);
  const sub = subresourceFor(kind, one.subresource);
  const query = queryOf(one.query, '');
  if (one.sort < 30) return { method: 'POST', path: `${collection}${sub === '' ? '' : `/${name}${sub}`}${query}`, ...written(object, one) };
  if (one.sort < 42) return { method: 'PUT', path: `${collection}/${name}${sub}${query}`, ...written(object, one) };
  if (one.sort < 70) {
    const type = pick(patchTypes, one.format);
    const patch = type === 'application/json-patch+json' ? jsonPatch(object, one) : mutatedText(object, one.mutations);
    const fixed = type === 'application/apply-patch+yaml' && one.header % 4 !== 0 ? 'fieldManager=fuzz' : '';
    return { method: 'PATCH', path: `${collection}/${name}${sub}${queryOf(one.query, fixed)}`, type, body: one.header % 17 === 0 ? cut(Buffer.from(patch), one) : patch };
  }
  if (one.sort < 80) return { method: 'GET', path: `${one.format % 2 === 0 ? collection : `${collection}/${name}${sub}`}${query}` };
  if (one.sort < 84) return { method: 'GET', path: `${collection}${queryOf(one.query, 'watch=true')}` };
  if (one.sort < 88) return { method: 'DELETE', path: `${collection}/${name}${sub}${query}`, ...(one.format % 2 === 0 ? {} : { type: 'application/json', body: mutatedText({ kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 1, preconditions: { uid: 'u' }, propagationPolicy: 'Background', dryRun: ['All'] }, one.mutations) }) };
  if (one.sort === 88 && one.header < 20) return { method: 'DELETE', path: `${collection}${query}` };
  if (one.sort < 97) return { method: pick(methods, one.format), path: `${pick(fixedPaths, one.kind)}${one.header % 2 === 0 ? query : ''}`, ...(one.format < 10 ? {} : { type: pick(bodyTypes, one.header), body: pick(oddValues, one.kind) }) };
  return { method: pick(methods, one.format), path: `/${[...one.bytes].map((byte) => pick(['api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'pods', 'good', '%2f', '..', 'log', '', 'a%00'], byte)).join('/')}${query}`, body: pick(oddValues, one.kind) };
};

/** Requests for these kinds. */
export const fuzzRequests = (kinds: readonly AnyKind[]): fc.Arbitrary<FuzzRequest> => {
  const creatable = kinds.filter((kind) => serves(kind, 'create') || serves(kind, 'update'));
  return choice.map((one) => {
    const { method, path, type, body = '' } = partsOf(creatable, one);
    const target = path.replaceAll(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character.isWellFormed() ? character : '?'));
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const head = [
      `${method} ${target} HTTP/1.1`, 'Host: x', `Accept: ${pick(accepts, one.header > 20 ? 0 : one.header)}`, ...(type === undefined || type === '' ? [] : [`Content-Type: ${type}`]), ...(one.header < oddHeaders.length ? [oddHeaders[one.header]!] : []),
      ...(method === 'GET' || method === 'HEAD' ? [] : [`Content-Length: ${content.length}`]),
    ].join('\r\n');
    return { method, stream: /[?&]watch=(?!0|false)/.test(target) || /log\?.*follow|Upgrade:/.test(head), bytes: Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), method === 'GET' || method === 'HEAD' ? Buffer.alloc(0) : content]) };
  });
};

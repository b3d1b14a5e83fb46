import test from 'ava';
import * as fc from 'fast-check';
import { parseAccept, representationFor, takesGzip } from '../../../apiserver/http/accept.ts';
import { decodeBody, objectFormat, patchFormat } from '../../../apiserver/http/body.ts';
import { splitUrl } from '../../../apiserver/http/exchange.ts';
import { healthAnswer, storageAnswers } from '../../../apiserver/http/health.ts';
import { duplicateFields } from '../../../apiserver/http/json-duplicates.ts';
import { managerOf, parseOptions } from '../../../apiserver/http/query.ts';
import { warningHeaders } from '../../../apiserver/http/reply.ts';
import { parseResourcePath, routeResource } from '../../../apiserver/http/resource-path.ts';
import { readDeleteOptions } from '../../../apiserver/verbs/delete-options.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { testRegistry } from '../../helpers/api.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const said = (error: unknown): string => (error instanceof ApiError ? `${error.code} ${error.message}` : String(error));
const outcome = <T>(run: () => T): T | string => {
  try {
    return run();
  } catch (error) {
    return said(error);
  }
};
/** Without the members that are undefined. */
const shown = (value: unknown): unknown => (value === undefined || typeof value === 'string' ? value : JSON.parse(JSON.stringify(value)));

test('the URL grammar', (t) => {
  const core = { group: '', version: 'v1' };
  const apps = { group: 'apps', version: 'v1' };
  const cases: readonly (readonly [string, object | undefined])[] = [
    ['/api/v1/pods', { ...core, resource: 'pods' }],
    ['/api/v1/pods/', { ...core, resource: 'pods' }],
    ['/api/v1/nodes/n1', { ...core, resource: 'nodes', name: 'n1' }],
    ['/api/v1/nodes/n1/status', { ...core, resource: 'nodes', name: 'n1', subresource: 'status' }],
    ['/api/v1/namespaces', { ...core, resource: 'namespaces' }],
    ['/api/v1/namespaces/a', { ...core, resource: 'namespaces', name: 'a' }],
    ['/api/v1/namespaces/a/status', { ...core, resource: 'namespaces', name: 'a', subresource: 'status' }],
    ['/api/v1/namespaces/a/finalize', { ...core, resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['/api/v1/namespaces/a/pods', { ...core, resource: 'pods', namespace: 'a' }],
    ['/api/v1/namespaces/a/pods/x', { ...core, resource: 'pods', namespace: 'a', name: 'x' }],
    ['/api/v1/namespaces/a/pods/x/log', { ...core, resource: 'pods', namespace: 'a', name: 'x', subresource: 'log' }],
    ['/api/v1/namespaces/a/status/x', { ...core, resource: 'status', namespace: 'a', name: 'x' }],
    ['/apis/apps/v1/deployments', { ...apps, resource: 'deployments' }],
    ['/apis/apps/v1/namespaces/a/deployments/d/scale', { ...apps, resource: 'deployments', namespace: 'a', name: 'd', subresource: 'scale' }],
    ['/apis/example.org/v1/namespaces/a/status', { group: 'example.org', version: 'v1', resource: 'status', namespace: 'a' }],
    ['/api/v1/namespaces/a/pods/x%2Dy', { ...core, resource: 'pods', namespace: 'a', name: 'x-y' }],
    ['/api/v1', undefined], ['/api', undefined], ['/apis/apps', undefined], ['/apis/apps/v1', undefined], ['/version', undefined], ['/', undefined], ['', undefined],
    ['/api/v1//pods', undefined], ['/api//v1/pods', undefined], ['//api/v1/pods', undefined],
    ['/api/v1/namespaces/../pods', undefined], ['/api/v1/namespaces/a/pods/%2e%2e', undefined], ['/api/v1/namespaces/a/pods/x%2fy', undefined],
    ['/api/v1/namespaces/a/pods/x%00', undefined], ['/api/v1/namespaces/a/pods/x%2525', undefined],
    ['/api/v1/namespaces/a/pods/x/proxy/more', undefined], [`/api/v1/nodes/${'x'.repeat(254)}`, undefined],
  ];
  for (const [url, want] of cases) t.deepEqual(shown(parseResourcePath(url)), want, url);
  t.is(outcome(() => parseResourcePath('/api/v1/nodes/%zz')), '400 invalid URL escape in "%zz"');
});

test('methods and paths make verbs, or say why not', async (t) => {
  const registry = await testRegistry();
  const missing = '404 the server could not find the requested resource';
  const refused = '405 the server does not allow this method on the requested resource';
  const ns = '/api/v1/namespaces';
  const cases: readonly (readonly [string, string, string])[] = [
    ['GET', '/api/v1/pods', 'list'], ['GET?watch', '/api/v1/pods', 'watch'], ['GET', `${ns}/a/pods/x`, 'get'], ['GET?watch', `${ns}/a/pods/x`, 'watch'],
    ['GET', `${ns}/a/pods/x/status`, 'get'], ['GET?watch', `${ns}/a/pods/x/status`, 'get'], ['HEAD', `${ns}/a/pods`, 'list'],
    ['POST', `${ns}/a/pods`, 'create'], ['POST', ns, 'create'], ['POST', '/api/v1/pods', refused], ['POST', `${ns}/a/pods/x`, refused], ['POST', `${ns}/a/pods/x/status`, refused],
    ['PUT', `${ns}/a/pods/x`, 'update'], ['PUT', `${ns}/a/pods`, refused], ['PATCH', `${ns}/a/pods/x/status`, 'patch'],
    ['DELETE', `${ns}/a/pods/x`, 'delete'], ['DELETE', `${ns}/a/pods`, 'deletecollection'], ['DELETE', `${ns}/a/pods/x/status`, refused],
    ['OPTIONS', `${ns}/a/pods`, refused], ['TRACE', `${ns}/a/pods/x`, refused],
    ['GET', '/api/v1/widgets', missing], ['GET', '/api/v2/pods', missing], ['GET', '/apis/apps/v1/pods', missing], ['GET', '/api/v1/pods/x', missing],
    ['GET', `${ns}/a/nodes`, missing], ['GET', `${ns}/a/pods/x/nothing`, missing], ['GET', `${ns}/a/configmaps/x/scale`, missing], ['GET', `${ns}/a/pods/x/constructor`, missing],
  ];
  for (const [method, url, want] of cases) {
    const watch = method.endsWith('?watch');
    t.is(outcome(() => routeResource(registry, method.replace('?watch', ''), parseResourcePath(url)!, watch).verb), want, `${method} ${url}`);
  }
});

test('query parameters become options, or are refused by name', (t) => {
  const options = (verb: Parameters<typeof parseOptions>[0], query: string): unknown => shown(outcome(() => parseOptions(verb, splitUrl(`/?${query}`).query)));
  const cases: readonly (readonly [Parameters<typeof parseOptions>[0], string, unknown])[] = [
    ['list', '', {}], ['list', 'timeout=32s&pretty=true&unknown=1', {}],
    ['list', 'labelSelector=a%3Db%2Cc&fieldSelector=metadata.name%3Dx&limit=500&continue=abc&resourceVersion=7&resourceVersionMatch=Exact',
      { labelSelector: 'a=b,c', fieldSelector: 'metadata.name=x', limit: 500, continue: 'abc', resourceVersion: '7', resourceVersionMatch: 'Exact' }],
    ['list', 'limit=0&labelSelector=', {}],
    ['watch', 'watch=True&allowWatchBookmarks=T&timeoutSeconds=300&sendInitialEvents=0', { allowWatchBookmarks: true, timeoutSeconds: 300, sendInitialEvents: false }],
    ['watch', 'allowWatchBookmarks', { allowWatchBookmarks: true }],
    ['watch', 'allowWatchBookmarks=yes', '400 invalid value "yes" for query parameter allowWatchBookmarks: must be true or false'],
    ['list', 'limit=-1', '400 invalid value "-1" for query parameter limit: must be a whole number, not negative'],
    ['list', 'limit=1e3', '400 invalid value "1e3" for query parameter limit: must be a whole number, not negative'],
    ['list', 'limit=99999999999999999999', '400 invalid value "99999999999999999999" for query parameter limit: must be a whole number, not negative'],
    ['create', 'dryRun=All&fieldManager=kubectl&fieldValidation=Strict&force=true', { dryRun: true, fieldManager: 'kubectl', fieldValidation: 'Strict', force: true }],
    ['create', 'dryRun=Some', '422 CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "Some": supported values: "All"'],
    ['patch', 'fieldValidation=strict', '422 PatchOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "strict": supported values: "Ignore", "Strict", "Warn"'],
    ['update', `fieldManager=${'x'.repeat(129)}`, `422 UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "${'x'.repeat(64)}": may not be more than 128 characters`],
    ['update', 'fieldManager=a%07', '422 UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\u0007": should only contain printable characters'],
    ['delete', 'gracePeriodSeconds=0&propagationPolicy=Foreground&labelSelector=a', { gracePeriodSeconds: 0, propagationPolicy: 'Foreground' }],
    ['delete', 'orphanDependents=true', { propagationPolicy: 'Orphan' }],
    ['deletecollection', 'labelSelector=a', { labelSelector: 'a' }],
    ['delete', 'propagationPolicy=x', '422 DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan"'],
  ];
  for (const [verb, query, want] of cases) t.deepEqual(options(verb, query), want, `${verb} ${query}`);
});

test('every word of Go\'s ParseBool is a boolean', (t) => {
  for (const word of ['1', 't', 'T', 'TRUE', 'true', 'True']) t.true(parseOptions('patch', new URLSearchParams({ force: word })).force, word);
  for (const word of ['0', 'f', 'F', 'FALSE', 'false', 'False']) t.false(parseOptions('patch', new URLSearchParams({ force: word })).force, word);
});

test('the delete options of a body', (t) => {
  const cannot = '400 DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal';
  const cases: readonly (readonly [unknown, unknown])[] = [
    [{}, {}], [{ gracePeriodSeconds: 0, unknown: 1 }, { gracePeriodSeconds: 0 }], [{ gracePeriodSeconds: null }, {}], [{ propagationPolicy: '' }, {}],
    [{ kind: 'DeleteOptions', apiVersion: 'apps/v1', propagationPolicy: 'Orphan', dryRun: ['All'], preconditions: { uid: 'u' } },
      { propagationPolicy: 'Orphan', dryRun: true, preconditions: { uid: 'u' } }],
    [{ orphanDependents: false }, { propagationPolicy: 'Background' }], [{ orphanDependents: true }, { propagationPolicy: 'Orphan' }],
    [{ kind: 'Pod' }, '400 the body of a delete must be a DeleteOptions object, not a "Pod"'],
    [[], `${cannot} array into the body of type object`], ['x', `${cannot} string into the body of type object`],
    [{ gracePeriodSeconds: '5' }, `${cannot} string into field gracePeriodSeconds of type int64`],
    [{ gracePeriodSeconds: -5 }, { gracePeriodSeconds: -5 }],
    [{ dryRun: ['None'] }, '422 DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "None": supported values: "All"'],
    [{ preconditions: { uid: 1 } }, `${cannot} number into field preconditions.uid of type string`],
    [{ propagationPolicy: 'Later' }, '422 DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Later": supported values: "Background", "Foreground", "Orphan"'],
    [{ propagationPolicy: 'Orphan', orphanDependents: true }, '422 DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and propagationPolicy cannot both be set'],
  ];
  for (const [body, want] of cases) t.deepEqual(shown(outcome(() => readDeleteOptions(body))), want, JSON.stringify(body));
});

test('what a client accepts', (t) => {
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, 'object v1'], ['', 'object v1'], ['*/*', 'object v1'], ['application/json', 'object v1'], ['application/json, */*', 'object v1'],
    ['application/*', 'object v1'], ['application/json, */*;q=0.8', 'object v1'], ['application/vnd.kubernetes.protobuf,application/json', 'object v1'],
    ['application/vnd.kubernetes.protobuf, */*', 'object v1'],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'table v1'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'table v1beta1'],
    ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'metadata v1'],
    ['application/json;as=Unknown;v=v1;g=meta.k8s.io,application/json', 'object v1'],
    [`application/json;q=0.5,${table}`, 'table v1'], [`${table};q=0.1,application/json;q=0.2`, 'object v1'],
    ['application/json;as=Table;v=v1;g=other', undefined], ['application/json;as=Table;v=v7;g=meta.k8s.io', undefined],
    ['application/vnd.kubernetes.protobuf', undefined], ['text/html', undefined], ['application/json;q=0', undefined], [';;;,,,', undefined],
  ];
  for (const [header, want] of cases) {
    const found = representationFor(header);
    t.is(found === undefined ? undefined : `${found.as} ${found.version}`, want, header);
  }
  t.deepEqual(parseAccept('a/b;q=0.1, c/d, e/f;q=0').map((range) => range.type), ['c/d', 'a/b']);
  t.deepEqual(['gzip', 'gzip, deflate', '*', 'gzip;q=0', 'br', undefined].map((header) => takesGzip(header)), [true, true, false, false, false, false]);
});

test('content types of objects and patches', (t) => {
  t.is(objectFormat(undefined), 'json');
  t.is(objectFormat('Application/JSON; charset=utf-8'), 'json');
  t.is(objectFormat('application/yaml'), 'yaml');
  t.is(objectFormat('application/vnd.kubernetes.protobuf'), 'protobuf');
  t.deepEqual(patchFormat('application/strategic-merge-patch+json'), ['strategic', 'json']);
  t.deepEqual(patchFormat('application/apply-patch+yaml'), ['apply', 'yaml']);
  for (const type of ['text/plain', 'application/merge-patch+json', 'application/x-www-form-urlencoded']) t.regex(String(outcome(() => objectFormat(type))), /^415 .*accepted media types include: application\/json, application\/yaml/);
  for (const type of [undefined, 'application/json']) t.regex(String(outcome(() => patchFormat(type))), /^415 .*application\/json-patch\+json/);
});

const decode = (text: string | Buffer, format: 'json' | 'yaml' = 'json', findDuplicates = true): unknown =>
  outcome(() => decodeBody(Buffer.isBuffer(text) ? text : Buffer.from(text), { format, findDuplicates, limitBytes: 10_000 }));

test('bodies are decoded within limits', (t) => {
  const plain = (value: unknown, duplicates: readonly string[] = []) => ({ value, duplicates });
  t.deepEqual(decode('{"a":[1,{"b":null}]}'), plain({ a: [1, { b: null }] }));
  t.deepEqual(decode('a: [1, {b: ~}]\nc: 2020-01-01\n', 'yaml'), plain({ a: [1, { b: null }], c: '2020-01-01' }));
  t.deepEqual(decode('{"a":1}', 'yaml'), plain({ a: 1 }));
  t.deepEqual(decode('{a: 1}', 'yaml'), plain({ a: 1 }));
  t.deepEqual(decode('x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n', 'yaml'), plain({ x: { a: 1 }, y: { a: 1, b: 2 } }));
  t.deepEqual(decode('{"a":1,"a":2}'), plain({ a: 2 }, ['a']));
  t.deepEqual(decode('{"a":1,"a":2}', 'json', false), plain({ a: 2 }));
  t.deepEqual(decode('a: 1\na: 2\n', 'yaml', false), plain({ a: 2 }));
  const refusals: readonly (readonly [string | Buffer, 'json' | 'yaml', RegExp])[] = [
    ['{"a":', 'json', /^400 the body is not valid JSON: /], ['', 'json', /^400 the body is not valid JSON/],
    ['a: [1', 'yaml', /^400 the body is not valid YAML: .* \(line \d+, column \d+\)$/],
    ['a: 1\na: 2\n', 'yaml', /^400 the body is not valid YAML: duplicated mapping key \(line 2, column 1\)$/],
    ['{"metadata":{"labels":{"__proto__":"x"}}}', 'json', /^400 metadata\.labels has a member named "__proto__", which is not allowed$/],
    ['{"\\u005f_proto__":{"a":1}}', 'json', /^400 the body has a member named "__proto__"/],
    ['a: {__proto__: {b: 1}}\n', 'yaml', /^400 a has a member named "__proto__"/],
    ['a: .nan\n', 'yaml', /^400 a is not a number that JSON can write$/],
    [`${'['.repeat(101)}${']'.repeat(101)}`, 'json', /^400 (\[0\])+ is nested deeper than 100 levels$/],
    [`${'['.repeat(101)}${']'.repeat(101)}`, 'yaml', /^400 /],
    [Buffer.from([0x22, 0xff, 0x22]), 'json', /^400 the body is not UTF-8$/],
    [`a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]!}`).join(',')}]`).join('\n')}\n`, 'yaml',
      /^400 the body is larger than 10000 bytes when its aliases are written out$/],
  ];
  for (const [text, format, want] of refusals) t.regex(String(decode(text, format)), want, String(text).slice(0, 60));
  t.is(Object.getPrototypeOf({}), Object.prototype);
});

test('members that stand twice are found at their paths', (t) => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['{}', []], ['{"a":1}', []], ['[{"a":1},{"a":1}]', []], ['{"a":{"b":1},"b":{"a":1}}', []],
    ['{"a":1,"a":2,"a":3}', ['a']], ['{"a":{"b":1,"c":2,"b":3}}', ['a.b']],
    ['{"spec":{"containers":[{"name":"x"},{"image":"a","image":"b"}]}}', ['spec.containers[1].image']],
    ['{"a":"}{\\"a\\":1,","b":[1,2,"a"],"b":0}', ['b']], ['{"a\\u0062":1,"ab":2}', ['ab']], ['{"a":{"x":1},"a":{"x":1,"x":2}}', ['a', 'a.x']],
  ];
  for (const [text, want] of cases) t.deepEqual(duplicateFields(text), want, text);
  fc.assert(fc.property(fc.json(), (text) => duplicateFields(JSON.stringify(JSON.parse(text))).length === 0));
  fc.assert(fc.property(fc.jsonValue(), fc.string(), (value, key) => {
    const text = `{${JSON.stringify(key)}:${JSON.stringify(value)},"rest":[${JSON.stringify(value)}],${JSON.stringify(key)}:0}`;
    return key === 'rest' || duplicateFields(text).join() === key;
  }));
});

test('the default field manager is the program\'s name', (t) => {
  const cases = [['kubectl/v1.32.4 (linux/amd64)', 'kubectl'], ['curl', 'curl'], ['', undefined], [undefined, undefined], ['/x', undefined]] as const;
  for (const [agent, want] of cases) t.is(managerOf(agent), want);
});

test('warnings are printable header lines', (t) => {
  t.deepEqual(warningHeaders([]), {});
  t.deepEqual(warningHeaders(['unknown field "a"', 'b\\c\r\nX: y é']), { Warning: ['299 - "unknown field \\"a\\""', '299 - "b\\\\c??X: y ?"'] });
  const lines = warningHeaders(Array.from({ length: 50 }, () => 'x'.repeat(5_000)))['Warning'] as readonly string[];
  t.is(lines.length, 4);
});

test('health answers', async (t) => {
  const checks = { store: () => 'disk full', cache: () => Promise.resolve(undefined) };
  t.deepEqual(await healthAnswer('livez', {}, { verbose: false }), { code: 200, text: 'ok' });
  t.deepEqual(await healthAnswer('livez', checks, { verbose: false }), { code: 500, text: '[+]ping ok\n[-]store failed: disk full\n[+]cache ok\nlivez check failed\n' });
  t.deepEqual(await healthAnswer('readyz', checks, { verbose: true, only: 'cache' }), { code: 200, text: '[+]cache ok\nreadyz check passed\n' });
  t.is(await healthAnswer('readyz', checks, { verbose: true, only: 'constructor' }), undefined);
  t.deepEqual(await healthAnswer('readyz', checks, { verbose: false, exclude: ['store'] }), { code: 200, text: 'ok' });
  t.deepEqual(await healthAnswer('readyz', checks, { verbose: true, exclude: ['store', 'none'] }), {
    code: 200, text: '[+]ping ok\n[+]store excluded: ok\n[+]cache ok\nwarn: some health checks cannot be excluded: no matches for "none"\nreadyz check passed\n',
  });
});

test('a store of others is well when it answers in time', async (t) => {
  const clock = new FakeClock();
  t.is(await storageAnswers({ newest: () => Promise.resolve(7) }, clock)(), undefined);
  t.is(await storageAnswers({ newest: () => Promise.reject(new Error('connect ECONNREFUSED 192.0.2.1:2379')) }, clock)(), 'it does not answer');
  const waiting = storageAnswers({ newest: () => new Promise(() => undefined) }, clock)();
  await clock.advance(2_000);
  t.is(await waiting, 'it has not answered within 2 s');
});

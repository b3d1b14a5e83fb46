import test from 'ava';
import * as fc from 'fast-check';
import { decodeEnvelope } from '../../../apiserver/protobuf/decode.ts';
import { protobufMessage } from '../../../apiserver/protobuf/fields.ts';
import { ApiError } from '../../../schemas/errors.ts';
import * as bodies from '../../../schemas/types/bodies.ts';
import { testRegistry } from '../../helpers/api.ts';

// A writer of the wire format that knows the table only by field numbers given by hand.
const varint = (value: bigint | number): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};
const number = (field: number, value: bigint | number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};
const envelope = (apiVersion: string, kind: string, ...raw: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), bytes(1, bytes(1, apiVersion), bytes(2, kind)), bytes(2, ...raw), bytes(3, ''), bytes(4, '')]);
const said = (body: Buffer): unknown => {
  try {
    return decodeEnvelope(body);
  } catch (error) {
    return error instanceof ApiError ? `${error.code} ${error.message}` : error;
  }
};
const meta = (...more: readonly Buffer[]): Buffer => bytes(1, bytes(1, 'n'), bytes(2, ''), bytes(3, ''), number(7, 0), bytes(8, ''), ...more);

test('a config map with everything that maps can hold', (t) => {
  const body = envelope('v1', 'ConfigMap', meta(bytes(11, bytes(1, 'a'), bytes(2, 'b'))), bytes(2, bytes(1, 'k'), bytes(2, 'v')), bytes(2, bytes(1, 'empty'), bytes(2, '')), bytes(3, bytes(1, 'bin'), bytes(2, Buffer.from([0, 255]))));
  t.deepEqual(decodeEnvelope(body), { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'n', labels: { a: 'b' } }, data: { k: 'v', empty: '' }, binaryData: { bin: 'AP8=' } });
});

test('explicit zeros of pointers stay, zeros of plain fields go', (t) => {
  const deployment = envelope('apps/v1', 'Deployment', meta(), bytes(2, number(1, 0), bytes(2, bytes(1, bytes(1, 'app'), bytes(2, 'x'))), bytes(3, bytes(1, ''), bytes(2, '')), bytes(4, bytes(1, '')), number(5, 0), number(7, 0)), bytes(3, number(1, 0)));
  t.deepEqual(decodeEnvelope(deployment), { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'n' }, spec: { replicas: 0, selector: { matchLabels: { app: 'x' } } } });
});

test('zeros of what the API requires stay, as JSON would have them', (t) => {
  const scale = envelope('autoscaling/v1', 'Scale', meta(), bytes(2, number(1, 0)), bytes(3, number(1, 0), bytes(2, '')));
  t.deepEqual(decodeEnvelope(scale), { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { name: 'n' }, status: { replicas: 0 } });
  const pod = envelope('v1', 'Pod', meta(), bytes(3, bytes(8, bytes(1, 'c'), number(4, 0), number(5, 0), bytes(6, 'i'), bytes(7, ''), bytes(2, bytes(3, number(1, 0))))));
  t.deepEqual(decodeEnvelope(pod)['status'], { containerStatuses: [{ name: 'c', ready: false, restartCount: 0, image: 'i', imageID: '', state: { terminated: { exitCode: 0 } } }] });
});

test('inlined messages, int-or-strings, quantities, times and negative numbers', (t) => {
  const probe = bytes(10, bytes(1, bytes(2, bytes(1, '/health'), bytes(2, number(1, 0), number(2, 8080), bytes(3, '')))), number(2, 5));
  const limits = bytes(8, bytes(1, bytes(1, 'cpu'), bytes(2, bytes(1, '500m'))));
  const volume = bytes(1, bytes(1, 'data'), bytes(2, bytes(2, '')));
  const container = bytes(2, bytes(1, 'c'), bytes(3, 'sh'), bytes(3, ''), limits, probe);
  const toleration = bytes(22, bytes(1, 'k'), number(5, -1));
  const pod = envelope('v1', 'Pod', meta(bytes(9, number(1, 1_700_000_000), number(2, 0))), bytes(2, volume, container, number(4, 0), toleration));
  t.deepEqual(decodeEnvelope(pod), {
    kind: 'Pod', apiVersion: 'v1', metadata: { name: 'n', deletionTimestamp: '2023-11-14T22:13:20Z' },
    spec: {
      volumes: [{ name: 'data', emptyDir: {} }], terminationGracePeriodSeconds: 0, tolerations: [{ key: 'k', tolerationSeconds: -1 }],
      containers: [{ name: 'c', command: ['sh', ''], resources: { limits: { cpu: '500m' } }, livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 5 } }],
    },
  });
  const service = envelope('v1', 'Service', meta(), bytes(2, bytes(1, number(3, 80), bytes(4, number(1, 1), number(2, 0), bytes(3, 'http')))));
  t.deepEqual(decodeEnvelope(service)['spec'], { ports: [{ port: 80, targetPort: 'http' }] });
});

test('further facts about a user are lists of texts', (t) => {
  const entry = bytes(6, bytes(1, 'scopes'), bytes(2, bytes(1, 'a'), bytes(1, 'b')));
  const request = envelope('certificates.k8s.io/v1', 'CertificateSigningRequest', meta(), bytes(2, bytes(1, 'pem'), bytes(7, 's/n'), number(8, 600), entry));
  t.deepEqual(decodeEnvelope(request)['spec'], { request: 'cGVt', signerName: 's/n', expirationSeconds: 600, extra: { scopes: ['a', 'b'] } });
});

test('delete options are known in every group, and fields of later versions are passed over', (t) => {
  t.deepEqual(decodeEnvelope(envelope('apps/v1', 'DeleteOptions', number(1, 0), bytes(4, 'Orphan'), bytes(99, 'x'), number(98, 7))), { kind: 'DeleteOptions', apiVersion: 'apps/v1', gracePeriodSeconds: 0, propagationPolicy: 'Orphan' });
});

test('bytes that are no such message are refused', (t) => {
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from('{}'), /^400 the protobuf body cannot be read: it does not start with/],
    [Buffer.from('k8s\0'), /^400 no kind "" is registered for version ""/],
    [envelope('v9', 'Widget'), /^400 no kind "Widget" is registered for version "v9" in protobuf; send it as JSON$/],
    [envelope('v1', 'constructor'), /^400 no kind/],
    [envelope('v1', 'ConfigMap', Buffer.from([0x0a, 0x7f])), /^400 .*field 1 is longer than the body$/],
    [envelope('v1', 'ConfigMap', Buffer.from([0x80])), /^400 .*it ends inside a number$/],
    [envelope('v1', 'ConfigMap', Buffer.from([0x08, ...Array.from({ length: 11 }, () => 0xff)])), /^400 .*longer than 64 bits$/],
    [envelope('v1', 'ConfigMap', Buffer.from([0x0b])), /^400 .*wire type/],
    [envelope('v1', 'ConfigMap', number(1, 5)), /^400 .*metadata is a number on the wire$/],
    [envelope('v1', 'ConfigMap', bytes(4, 'x')), /^400 .*immutable is not a number on the wire$/],
    [envelope('v1', 'ConfigMap', bytes(2, bytes(1, '__proto__'), bytes(2, 'v'))), /^400 a map has a member named "__proto__"/],
    [envelope('v1', 'ConfigMap', meta(bytes(1, Buffer.from([0xff])))), /^400 .*not UTF-8$/],
    [Buffer.concat([Buffer.from('k8s\0'), bytes(1, bytes(1, 'v1'), bytes(2, 'ConfigMap')), bytes(4, 'application/json')]), /^400 .*must be plain protobuf$/],
  ];
  for (const [body, want] of cases) t.regex(String(said(body)), want);
});

test('random bytes give an object or a BadRequest, nothing else', (t) => {
  const kinds = fc.constantFrom(['v1', 'Pod'], ['v1', 'Service'], ['apps/v1', 'Deployment'], ['v1', 'Secret'], ['v1', 'Event'], ['coordination.k8s.io/v1', 'Lease'], ['policy/v1', 'Eviction']);
  fc.assert(fc.property(kinds, fc.uint8Array({ maxLength: 80 }), ([version, kind], noise) => {
    const outcome = said(envelope(version!, kind!, Buffer.from(noise)));
    t.true(typeof outcome === 'string' ? outcome.startsWith('400 ') : typeof outcome === 'object' && !(outcome instanceof Error), String(outcome));
  }), { numRuns: 2_000 });
});

test('the table closes over itself and knows every built-in kind', async (t) => {
  const seen = new Set<string>();
  const scalars = new Set(['string', 'bytes', 'bool', 'int32', 'int64']);
  const single = new Set(['resource.Quantity', 'meta/v1.Time', 'meta/v1.MicroTime', 'meta/v1.FieldsV1', 'runtime.RawExtension', 'intstr.IntOrString', 'certificates/v1.ExtraValue', 'authentication/v1.ExtraValue', 'authorization/v1.ExtraValue']);
  const walk = (name: string): void => {
    if (seen.has(name) || scalars.has(name) || single.has(name)) return;
    seen.add(name);
    const message = protobufMessage(name);
    t.truthy(message, name);
    for (const field of message!.values()) walk(field.type);
  };
  // Definitions of kinds come as JSON, from every client, and nobody writes metrics.
  const neverSent = new Set(['apiextensions.k8s.io', 'metrics.k8s.io']);
  for (const kind of (await testRegistry()).all()) if (!neverSent.has(kind.group)) walk(`${kind.group === '' ? 'core' : kind.group.split('.')[0]!}/${kind.version}.${kind.kind}`);
  for (const name of ['meta/v1.DeleteOptions', 'autoscaling/v1.Scale', 'core/v1.Binding', 'policy/v1.Eviction']) walk(name);
  t.true(seen.size > 150);
});

test('the table knows which numbers, truths and texts the schemas require', async (t) => {
  const scalars = new Set(['string', 'bool', 'int32', 'int64', 'intstr.IntOrString']);
  const seen = new Set<object>();
  const differences: string[] = [];
  const walk = (part: unknown): void => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return;
    seen.add(part);
    const { 'x-barge-type': name, required = [] } = part as { readonly 'x-barge-type'?: string; readonly required?: readonly string[] };
    const message = name === undefined ? undefined : protobufMessage(name.replace(/^(\w+)\.(\w+)\./, '$1/$2.'));
    for (const field of message?.values() ?? []) {
      const wanted = required.includes(field.name) && scalars.has(field.type) && !field.pointer && !field.inline && !field.repeated && !field.map;
      if (wanted !== field.always) differences.push(`${name}.${field.name}`);
    }
    for (const value of Object.values(part)) walk(value);
  };
  for (const kind of (await testRegistry()).all()) walk(kind.schema);
  for (const { schema } of Object.values(bodies).filter((one) => 'schema' in one)) walk(schema);
  t.true(seen.size > 1_000);
  t.deepEqual(differences, []);
});

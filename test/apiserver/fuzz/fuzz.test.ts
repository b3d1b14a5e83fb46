/**
 * Whatever is sent to the server, it answers well: never a 500, never a crash, never a changed Object.prototype, always a
 * whole Status that names what is wrong. Requests go over TLS into the whole server; BARGE_FUZZ_INPUTS says how many
 * (3,000 where it does not), BARGE_FUZZ_SEED begins another row of them.
 */
import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import type { Log } from '../../../base/log.ts';
import { silentLog } from '../../../base/log.ts';
import { decodeEnvelope } from '../../../apiserver/protobuf/decode.ts';
import { ApiError, statusCodes, type Status } from '../../../schemas/errors.ts';
import { serves, type AnyKind } from '../../../schemas/kind.ts';
import { testRegistry } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { httpsApi, type HttpsApi } from '../../helpers/https-api.ts';
import { RawConnection, type RawReply } from '../../helpers/raw-connection.ts';
import { goodObject } from './good-objects.ts';
import { envelopeOf } from './protobuf-writer.ts';
import { fuzzRequests, objectOf, type FuzzRequest } from './requests.ts';

const inputs = Number(process.env['BARGE_FUZZ_INPUTS'] ?? 3_000);
const isLong = inputs > 10_000;
// A long run looks for what nobody knows yet; the short one, which guards every change, is the same each time.
const seed = Number(process.env['BARGE_FUZZ_SEED'] ?? (process.env['BARGE_FUZZ_INPUTS'] === undefined ? 1_825_915_071 : Math.floor(Math.random() * 2 ** 31)));
/** A server is replaced after so many requests, so that what they make does not pile up. */
const perServer = 2_500;
const longestErrorBytes = 64 * 1024;

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype] as const;
const before = prototypes.map((one) => Reflect.ownKeys(one).length);
const polluted = (): string | undefined => {
  const changed = prototypes.findIndex((one, index) => Reflect.ownKeys(one).length !== before[index]);
  return changed >= 0 ? `a prototype was changed (${changed})` : 'polluted' in {} ? 'objects are polluted' : undefined;
};

const reasons = new Set<string>(Object.keys(statusCodes));

/** What is wrong with an answer, or undefined. */
const whyBad = ({ method, stream }: FuzzRequest, reply: RawReply | undefined): string | undefined => {
  if (reply === undefined) return 'no answer';
  const { code, head, body } = reply;
  if (code >= 500 && code !== 503 && code !== 504) return `${code} ${body.toString()}`;
  if (code < 400 || method === 'HEAD') return code < 100 ? `answered with ${code}` : undefined;
  if (stream && body.length === 0) return undefined;
  if (body.length > longestErrorBytes) return `an error of ${body.length} bytes`;
  let status: Partial<Status>;
  try {
    status = JSON.parse(body.toString()) as Partial<Status>;
  } catch {
    return `${code}: no JSON: ${body.toString().slice(0, 200)}`;
  }
  const { kind, apiVersion, reason = '', message = '', details } = status;
  if (kind !== 'Status' || apiVersion !== 'v1' || status.status !== 'Failure' || status.code !== code || !reasons.has(reason) || message === '') return `no good Status: ${body.toString().slice(0, 300)}`;
  if (/\b(undefined|\[object Object\]|NaN|TypeError|is not a function|Cannot read)\b/.test(message) && !/\\?"[^"]*(undefined|NaN)/.test(message)) return `says what is no word for people: ${message.slice(0, 300)}`;
  if (code === 422 && !(details?.causes?.length !== undefined && details.causes.length > 0 && details.causes.every((cause) => (cause.message ?? '') !== '' && typeof cause.field === 'string'))) return `422 without fields: ${body.toString().slice(0, 300)}`;
  return head.includes('content-type: application/json') ? undefined : `the Status is called ${head}`;
};

const recordingLog = (): Log & { readonly errors: string[] } => {
  const errors: string[] = [];
  return { ...silentLog, errors, error: (message, fields) => { errors.push(`${message} ${String((fields?.['error'] as Error | undefined)?.stack ?? '')}`); }, with() { return this; } };
};

/** The kind that the good CustomResourceDefinition defines, as far as the requests need it. */
const definedKind = { group: 'example.com', version: 'v1', kind: 'Good', plural: 'goods', scope: 'Namespaced', subresources: { status: true, scale: { specReplicasPath: 'spec.replicas', statusReplicasPath: 'status.replicas', selectorPath: '' } } } as unknown as AnyKind;

/** One server with a good object of every kind. */
const open = async (kinds: readonly AnyKind[], log: Log): Promise<{ readonly api: HttpsApi; readonly clock: FakeClock; readonly refused: readonly string[] }> => {
  const clock = new FakeClock();
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const api = await httpsApi({ clock, serverLog: log, log, accountTokens: { key, issuer: 'https://test' } });
  // Without its account a pod is refused before anybody looks at it.
  await api.transport.send({ verb: 'create', group: '', version: 'v1', resource: 'serviceaccounts', namespace: 'default', body: { metadata: { name: 'default' } } });
  const refused: string[] = [];
  for (const kind of [...kinds, definedKind]) {
    if (kind === definedKind && !kinds.some(({ group }) => group === 'apiextensions.k8s.io')) continue;
    if (kind === definedKind) await eventually(() => { if (api.core.registry.resource(kind.group, kind.version, kind.plural) === undefined) throw new Error('not served yet'); });
    if (!serves(kind, 'create') || !serves(kind, 'get')) continue;
    const { group, version, plural: resource, scope } = kind;
    const at = scope === 'Namespaced' ? { namespace: 'default' } : {};
    const body = objectOf(kind, 'good') as unknown as { readonly metadata: object };
    const { finalizers: _, ...metadata } = body.metadata as { readonly finalizers: unknown };
    await api.transport.send({ verb: 'create', group, version, resource, ...at, body: { ...body, metadata } }).catch((error: unknown) => refused.push(`${group}/${kind.kind}: ${String(error)}`));
  }
  return { api, clock, refused };
};

/** Sends one request, and lets time pass while it waits for some. */
const ask = async (connection: RawConnection, clock: FakeClock, request: FuzzRequest): Promise<RawReply | undefined> => {
  const reply = connection.send(request.bytes, request);
  for (let waits = 0; waits < 40; waits++) {
    const quick = await Promise.race([reply, new Promise<'waits'>((resolve) => { setTimeout(resolve, 25, 'waits').unref(); })]);
    if (quick !== 'waits') return quick;
    await clock.advance(4_000);
  }
  return reply;
};

test('fuzzed objects begin as good ones', async (t) => {
  const kinds = (await testRegistry()).all().filter((kind) => serves(kind, 'create'));
  const known = kinds.filter((kind) => goodObject(kind) !== undefined);
  t.true(known.length > 55, String(known.length));
  const { api, refused } = await open(known, silentLog);
  // The Event of events.k8s.io is the same object in other words; so is the older form of an autoscaler.
  t.deepEqual(refused.filter((one) => !one.includes('already exists')), []);
  await api.close();
});

test(`no request makes the server fail (${inputs} inputs, seed ${seed})`, async (t) => {
  t.timeout(10 * 60_000 + inputs * 100);
  const kinds = (await testRegistry()).all();
  const log = recordingLog();
  const codes = new Map<number, number>();
  const failures = new Map<string, string>();
  let done = 0;
  for (let server = 0; done < inputs; server++) {
    const { api, clock } = await open(kinds, log);
    const connection = new RawConnection(() => api.raw());
    t.teardown(async () => {
      connection.close();
      await api.close();
    });
    const runs = Math.min(perServer, inputs - done);
    await fc.assert(fc.asyncProperty(fuzzRequests([...kinds, definedKind]), async (request) => {
      const reply = await ask(connection, clock, request);
      const logged = log.errors.splice(0).join('\n');
      const bad = whyBad(request, reply) ?? polluted();
      const why = bad === undefined ? logged || undefined : `${bad} ${logged}`;
      codes.set(reply?.code ?? 0, (codes.get(reply?.code ?? 0) ?? 0) + 1);
      if (why === undefined) return;
      const failure = `${why}\n${request.bytes.toString('utf8').slice(0, 4_000)}`;
      // A short run shows its first failure as small as it can be made; a long one goes on, and shows one of each sort.
      if (!isLong) throw new Error(failure);
      const sort = why.replaceAll(/\d+|"[^"]*"/g, '').slice(0, 80);
      if (failures.has(sort)) return;
      failures.set(sort, failure);
      console.error(failure, '\n');
    }), { numRuns: runs, seed: (seed + server) | 0, includeErrorInReport: true });
    done += runs;
    connection.close();
    // What was let in can be shown in every form.
    for (const kind of [...kinds, definedKind].filter((one) => serves(one, 'list') && serves(one, 'create'))) {
      const path = kind.group === '' ? `/api/${kind.version}/${kind.plural}` : `/apis/${kind.group}/${kind.version}/${kind.plural}`;
      for (const accept of ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io']) {
        const { code, text } = await api.call(`${path}?includeObject=Object`, { headers: { accept } });
        t.is(code, 200, `${path} ${accept} ${text.slice(0, 300)} ${log.errors.join('\n')}`);
      }
    }
    await api.close();
    t.pass();
  }
  t.deepEqual([...failures.values()], []);
  t.deepEqual(log.errors, []);
  t.is(polluted(), undefined);
  t.log(`${done} inputs, seed ${seed}; answers: ${[...codes].sort(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`).join(', ')}`);
});

test(`no bytes make the protobuf reader fail (${inputs} inputs, seed ${seed})`, async (t) => {
  const kinds = (await testRegistry()).all();
  const envelopes = kinds.flatMap((kind) => (goodObject(kind) === undefined ? [] : [envelopeOf(objectOf(kind, 'good'))])).filter((one) => one !== undefined);
  t.true(envelopes.length > 40, String(envelopes.length));
  for (const envelope of envelopes) t.notThrows(() => decodeEnvelope(envelope));
  const spoilt = fc.tuple(fc.constantFrom(...envelopes), fc.array(fc.tuple(fc.nat(4_000), fc.nat(255), fc.nat(4)), { minLength: 1, maxLength: 5 })).map(([envelope, changes]) => {
    let bytes: Buffer = Buffer.from(envelope);
    for (const [at, byte, what] of changes) {
      const place = at % Math.max(1, bytes.length);
      if (what === 0) bytes = bytes.subarray(0, place);
      else if (what === 1) bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)]);
      else if (what === 2) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + (byte % 8))]);
      else if (bytes.length > 0) bytes[place] = byte;
    }
    return bytes;
  });
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes]));
  fc.assert(fc.property(fc.oneof({ weight: 4, arbitrary: spoilt }, { weight: 1, arbitrary: random }), (bytes) => {
    try {
      JSON.stringify(decodeEnvelope(bytes));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 400) throw error;
    }
    const why = polluted();
    if (why !== undefined) throw new Error(why);
  }), { numRuns: inputs, seed });
  t.log(`${inputs} inputs, seed ${seed}`);
});

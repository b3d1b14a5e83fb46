import test from 'ava';
import * as fc from 'fast-check';
import { readVerdict, reviewVersion } from '../../../../apiserver/admission/dynamic/admission-review.ts';
import { applyJsonPatch } from '../../../../apiserver/patch/json-patch.ts';

type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** A patch as a webhook's library makes it: what is gone is removed, what is new or differs is added, maps go member by member. */
const difference = (before: unknown, after: unknown, path: string): readonly Json[] => {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isMap(before) || !isMap(after)) return [{ op: path === '' ? 'replace' : 'add', path, value: after }];
  return [
    ...Object.keys(before).filter((key) => !Object.hasOwn(after, key)).map((key) => ({ op: 'remove', path: `${path}/${escape(key)}` })),
    ...Object.keys(after).flatMap((key) => (Object.hasOwn(before, key) ? difference(before[key], after[key], `${path}/${escape(key)}`) : [{ op: 'add', path: `${path}/${escape(key)}`, value: after[key] }])),
  ];
};

const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 3 }), tie('map')),
  map: fc.dictionary(fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'), tie('value'), { maxKeys: 4 }),
}));
const map = fc.dictionary(fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'), json!, { maxKeys: 5 });

const answer = (response: Json, apiVersion = 'admission.k8s.io/v1'): Json => ({ kind: 'AdmissionReview', apiVersion, response: { uid: 'u', allowed: true, ...response } });
const inBase64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const expected = { uid: 'u', version: 'v1', sort: 'mutating' } as const;

test('a patch that a webhook makes of a difference gives what it meant', (t) => {
  fc.assert(fc.property(map, map, (before, after) => {
    const { patch } = readVerdict(answer({ patch: inBase64(difference(before, after, '')), patchType: 'JSONPatch' }), expected);
    t.deepEqual(applyJsonPatch(before, patch!), after);
  }), { numRuns: 200 });
  t.pass();
});

test('no answer does anything but give a verdict or an error', (t) => {
  const part = fc.oneof(json!, fc.constantFrom('AdmissionReview', 'admission.k8s.io/v1', 'u', true, 'JSONPatch', inBase64([{ op: 'add', path: '/a', value: 1 }])));
  const response = fc.dictionary(fc.constantFrom('uid', 'allowed', 'status', 'patch', 'patchType', 'warnings', 'auditAnnotations'), part);
  fc.assert(fc.property(fc.oneof(json!, fc.record({ kind: part, apiVersion: part, response: fc.oneof(part, response) }), response.map((one) => answer(one as Json))), (value) => {
    try {
      const { allowed, warnings, auditAnnotations } = readVerdict(value, expected);
      t.true(typeof allowed === 'boolean' && warnings.every((one) => typeof one === 'string') && Object.values(auditAnnotations).every((one) => typeof one === 'string'));
    } catch (error) {
      t.true(error instanceof Error && !(error instanceof TypeError), String(error));
    }
  }), { numRuns: 500 });
});

test('the first version is taken that both sides know', (t) => {
  t.is(reviewVersion(['v2', 'v1beta1', 'v1']), 'v1beta1');
  t.is(reviewVersion(['v1', 'v1beta1']), 'v1');
});

test('v1beta1 answers need no uid and no type of their patch', (t) => {
  const { patch } = readVerdict(answer({ uid: undefined, patch: inBase64([]) }, 'admission.k8s.io/v1beta1'), { ...expected, version: 'v1beta1' });
  t.deepEqual(patch, []);
});

test('a validating webhook changes nothing', (t) => {
  t.throws(() => readVerdict(answer({ patch: inBase64([]), patchType: 'JSONPatch' }), { ...expected, sort: 'validating' }), { message: /validating webhook may not return response\.patch/ });
});

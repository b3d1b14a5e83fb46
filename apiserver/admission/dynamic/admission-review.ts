/** What is sent to an admission webhook and what comes back: AdmissionReview. Pure; the answer is somebody else's and is trusted with nothing. */
import type { Status } from '../../../schemas/errors.ts';
import { checkBody } from '../../json-limits.ts';
import { isObject } from '../../patch/json.ts';
import { readJsonPatch, type Operation as PatchOperation } from '../../patch/json-patch.ts';
import { maxAnswerBytes } from '../../webhooks/webhook-client.ts';
import { requestFacts } from './admission-request.ts';
import type { View } from './subject.ts';

type Json = Readonly<Record<string, unknown>>;

/** Versions of AdmissionReview that this server speaks. */
const spoken = ['v1', 'v1beta1'];

/** The first version on the webhook's list that this server speaks. */
export const reviewVersion = (versions: readonly string[]): string => versions.find((version) => spoken.includes(version)) ?? 'v1';

export const reviewOf = (view: View, { uid, version }: { readonly uid: string; readonly version: string }): Json => ({
  kind: 'AdmissionReview', apiVersion: `admission.k8s.io/${version}`,
  request: { uid, ...requestFacts(view), object: view.object ?? null, oldObject: view.old ?? null },
});

export interface Verdict {
  readonly allowed: boolean;
  /** Why not, if the webhook says so. */
  readonly status: Partial<Status>;
  readonly patch: readonly PatchOperation[] | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

export interface Expected {
  readonly uid: string;
  readonly version: string;
  /** Whether a patch may come. */
  readonly sort: 'mutating' | 'validating';
}

/** Warnings of one answer that are passed on. */
const maxWarnings = 64;

/** Reads an answer. Throws an Error that says what is wrong with it. */
export const readVerdict = (answer: unknown, { uid, version, sort }: Expected): Verdict => {
  const { kind, apiVersion, response } = isObject(answer) ? answer : {};
  if (kind !== 'AdmissionReview' || apiVersion !== `admission.k8s.io/${version}`) {
    throw new Error(`expected webhook response of admission.k8s.io/${version}, Kind=AdmissionReview, got ${textOf(apiVersion)}, Kind=${textOf(kind)}`);
  }
  if (!isObject(response)) throw new Error('webhook response was absent');
  if (version !== 'v1beta1' && response['uid'] !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textOf(response['uid']))}`);
  if (typeof response['allowed'] !== 'boolean') throw new Error('response.allowed must be true or false');
  const { allowed, status, warnings, auditAnnotations } = response;
  return {
    allowed, patch: patchOf(response, { version, sort }), status: isObject(status) ? status as Partial<Status> : {},
    warnings: Array.isArray(warnings) ? warnings.filter((one) => typeof one === 'string').slice(0, maxWarnings) : [],
    auditAnnotations: isObject(auditAnnotations) ? Object.fromEntries(Object.entries(auditAnnotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string')) : {},
  };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 256) : '');

const patchOf = ({ patch, patchType }: Json, { version, sort }: Pick<Expected, 'version' | 'sort'>): readonly PatchOperation[] | undefined => {
  const hasPatch = patch !== undefined && patch !== null && patch !== '';
  const hasType = patchType !== undefined && patchType !== null;
  if (sort === 'validating') {
    if (version === 'v1beta1') return undefined;
    if (hasPatch) throw new Error('validating webhook may not return response.patch');
    if (hasType) throw new Error('validating webhook may not return response.patchType');
    return undefined;
  }
  if (version === 'v1' && hasPatch && !hasType) throw new Error('webhook returned response.patch but not response.patchType');
  if (version === 'v1' && hasType && !hasPatch) throw new Error('webhook returned response.patchType but not response.patch');
  if (!hasPatch) return undefined;
  if (hasType && patchType !== 'JSONPatch') throw new Error(`unsupported patch type ${JSON.stringify(textOf(patchType))}`);
  if (typeof patch !== 'string') throw new Error('response.patch must be base64');
  let operations: unknown;
  try {
    operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  } catch {
    throw new Error('response.patch is no JSON patch in base64');
  }
  checkBody(operations, maxAnswerBytes);
  return readJsonPatch(operations);
};

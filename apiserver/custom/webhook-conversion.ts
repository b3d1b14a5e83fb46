/**
 * Conversion by a webhook: objects go out in one ConversionReview for as many as are asked for together, and what comes
 * back is believed only as far as it may be: each object in its place, of the wanted version, the same by name, namespace
 * and UID. Of its metadata only labels and annotations are taken; the rest stays what the server has.
 */
import type { Log } from '../../base/log.ts';
import { decodeFree } from '../../schemas/decode.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { WebhookClientConfig } from '../../schemas/types/admission-rules.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';
import { validateAnnotations, validateLabels } from '../../schemas/validation/object-meta.ts';
import { newUid } from '../verbs/identity.ts';
import type { WebhookClient } from '../webhooks/webhook-client.ts';
import type { Conversion } from './stored-form.ts';

/** As long as Kubernetes waits for a conversion. */
export const conversionTimeoutMs = 30_000;
/** Objects in one review; a list of more is converted in several, one after the other. */
export const maxObjectsPerReview = 500;

export interface WebhookConversionOptions {
  readonly client: WebhookClient;
  readonly config: WebhookClientConfig;
  /** `widgets.example.com`, for messages. */
  readonly definition: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What tells an object from all others. */
const identity = ['name', 'namespace', 'uid'] as const;
/** Members of metadata that a conversion may change; all others stay the server's. */
const changeable = ['labels', 'annotations'] as const;

/** The converted object with the metadata that the server has, or why it is not to be believed. */
const believed = (before: ApiObject, after: unknown, apiVersion: string): ApiObject | string => {
  if (!isObject(after)) return 'it is no object';
  if (after['apiVersion'] !== apiVersion) return `its apiVersion is ${JSON.stringify(after['apiVersion'])} and not ${JSON.stringify(apiVersion)}`;
  if (after['kind'] !== before.kind) return `its kind is ${JSON.stringify(after['kind'])} and not ${JSON.stringify(before.kind)}`;
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = after;
  if (!isObject(metadata)) return 'it has no metadata';
  const other = identity.find((name) => (metadata[name] ?? '') !== (before.metadata[name] ?? ''));
  if (other !== undefined) return `its metadata.${other} is ${JSON.stringify(metadata[other])} and not ${JSON.stringify(before.metadata[other])}`;
  const said: Record<string, unknown> = {};
  for (const name of changeable) {
    const map = metadata[name] ?? {};
    if (!isObject(map) || Object.values(map).some((value) => typeof value !== 'string')) return `its metadata.${name} is no map of strings`;
    if (Object.keys(map).length > 0) said[name] = map;
  }
  const { labels: _labels, annotations: _annotations, ...fixed } = before.metadata;
  const whole = { ...fixed, ...said } as ObjectMeta;
  const wrong = [...validateLabels(whole.labels, 'metadata.labels'), ...validateAnnotations(whole.annotations, 'metadata.annotations')][0];
  if (wrong !== undefined) return `${wrong.field}: ${wrong.message}`;
  try {
    return { kind: before.kind, apiVersion, metadata: whole, ...decodeFree('the converted object', rest) as Members };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.message;
  }
};

/** Why the answer is none that can be used, or its objects. */
const objectsOf = (answer: unknown, uid: string, count: number): readonly unknown[] | string => {
  if (!isObject(answer) || answer['kind'] !== 'ConversionReview' || answer['apiVersion'] !== 'apiextensions.k8s.io/v1') return 'the answer is no ConversionReview of apiextensions.k8s.io/v1';
  const { response } = answer;
  if (!isObject(response)) return 'the answer has no response';
  if (response['uid'] !== uid) return `the uid of the response is ${JSON.stringify(response['uid'])} and not ${JSON.stringify(uid)}`;
  const { result, convertedObjects } = response;
  if (!isObject(result) || result['status'] !== 'Success') {
    const message = isObject(result) && typeof result['message'] === 'string' ? result['message'] : 'the response does not say that it was a success';
    return message.slice(0, 1_024);
  }
  if (!Array.isArray(convertedObjects) || convertedObjects.length !== count) return `the response has ${Array.isArray(convertedObjects) ? convertedObjects.length : 0} objects, where ${count} were sent`;
  return convertedObjects as readonly unknown[];
};

/** Converts by a webhook. Rejects with InternalError that names the webhook's fault. */
export const webhookConversion = ({ client, config, definition, random, log }: WebhookConversionOptions): Conversion => {
  const failed = (why: string, apiVersion: string): ApiError => {
    log.warn('a conversion webhook failed', { definition, apiVersion, why });
    return new ApiError('InternalError', `conversion webhook for ${definition} to ${apiVersion} failed: ${why}`);
  };
  const review = async (objects: readonly ApiObject[], apiVersion: string): Promise<readonly ApiObject[]> => {
    const uid = newUid(random);
    let answer: unknown;
    try {
      answer = await client.post({ config, timeoutMs: conversionTimeoutMs, body: { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', request: { uid, desiredAPIVersion: apiVersion, objects } } });
    } catch (error) {
      throw failed(error instanceof Error ? error.message : String(error), apiVersion);
    }
    const found = objectsOf(answer, uid, objects.length);
    if (typeof found === 'string') throw failed(found, apiVersion);
    return objects.map((before, index) => {
      const after = believed(before, found[index], apiVersion);
      if (typeof after === 'string') throw failed(`object ${before.metadata.namespace === undefined ? '' : `${before.metadata.namespace}/`}${before.metadata.name} cannot be taken: ${after}`, apiVersion);
      return after;
    });
  };
  return {
    convert: async (objects, apiVersion) => {
      const out: ApiObject[] = [];
      for (let from = 0; from < objects.length; from += maxObjectsPerReview) out.push(...await review(objects.slice(from, from + maxObjectsPerReview), apiVersion));
      return out;
    },
  };
};

/**
 * Resources of which nothing is stored. Questions can be created and nothing else, and the answer to the create is all
 * there is of them; figures can be read and nothing else. A kind of schemas/kinds says what the body is (and, by `verbs: ['create']`, that it cannot be
 * read back); discovery, OpenAPI, decoding and authorization follow from it as for any kind. Here is who answers.
 */
import type { ApiAnswer } from '../../schemas/api.ts';
import { badRequest, qualified } from '../../schemas/errors.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import { check } from '../../schemas/validate.ts';
import { assertValid, complete, readBody } from '../verbs/body.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import { reviewedBody } from '../verbs/reviewed.ts';
import { accessReview, localAccessReview, selfAccessReview } from './access-review.ts';
import { rulesReview } from './rules-review.ts';
import { selfReview } from './self-review.ts';
import { tokenReview } from './token-review.ts';
import { nodeUsage, podUsage } from './usage.ts';

/** Finds the status of a question. The body has been checked as its kind wants it. */
export type Answerer<Body extends ApiObject = ApiObject> = (api: Surroundings, body: Body, call: Call) => unknown;

// Each is only called with bodies of its own kind.
const answerers = {
  'selfsubjectaccessreviews.authorization.k8s.io': selfAccessReview,
  'subjectaccessreviews.authorization.k8s.io': accessReview,
  'localsubjectaccessreviews.authorization.k8s.io': localAccessReview,
  'selfsubjectrulesreviews.authorization.k8s.io': rulesReview,
  'selfsubjectreviews.authentication.k8s.io': selfReview,
  'tokenreviews.authentication.k8s.io': tokenReview,
} as Readonly<Record<string, Answerer<never>>> as Readonly<Record<string, Answerer>>;

/** Makes the objects of a kind that is only read, when they are read. */
export type Reader = (api: Surroundings, call: Call) => Promise<ApiAnswer>;

const readers: Readonly<Record<string, Reader>> = { 'nodes.metrics.k8s.io': nodeUsage, 'pods.metrics.k8s.io': podUsage };

/** Who makes the objects of a kind; undefined for a kind whose objects are stored. */
export const readerOf = ({ plural, group }: Pick<AnyKind, 'plural' | 'group'>): Reader | undefined => {
  if (group !== 'metrics.k8s.io') return undefined;
  const name = qualified(plural, group);
  return Object.hasOwn(readers, name) ? readers[name] : undefined;
};

/** Who answers for a kind; undefined for a kind whose objects are stored. */
export const answererOf = ({ plural, group }: Pick<AnyKind, 'plural' | 'group'>): Answerer | undefined => {
  const name = qualified(plural, group);
  return Object.hasOwn(answerers, name) ? answerers[name] : undefined;
};

/** Reads a question, checks it as its kind wants it and gives it back with its answer as `status`. */
export const answer = async (api: Surroundings, call: Call, answerer: Answerer): Promise<ApiAnswer> => {
  const { kind, namespace } = call;
  // Old clients send an empty answer along with their question.
  const { status: _, ...draft } = await reviewedBody(api, call, kind, readBody(call, call.request.body));
  if (kind.scope === 'Namespaced') {
    if (namespace === '') throw badRequest('an empty namespace may not be set during creation');
    draft.metadata.namespace ??= namespace;
  }
  complete(kind, draft);
  const errors = check(kind, draft);
  assertValid(kind, draft.metadata.name ?? '', errors.length > 0 ? errors : kind.validate?.(draft, undefined) ?? []);
  const { metadata, ...question } = draft;
  const status = await answerer(api, { ...question, metadata } as ApiObject, call);
  return { code: 201, body: { ...question, metadata: { ...metadata, creationTimestamp: null }, status } as unknown as ApiObject, warnings: [...call.warnings] };
};

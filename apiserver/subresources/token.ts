/** `/token` of a service account: makes tokens for it, as a TokenRequest asks. Nothing is stored. */
import { rfc3339 } from '../../base/clock.ts';
import { ApiError, badRequest, conflict, invalid, notFound, unsupported, wrong, type FieldError } from '../../schemas/errors.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { TokenRequest, type BoundObjectReference } from '../../schemas/types/token-request.ts';
import { applyDefaults } from '../../schemas/validate.ts';
import { requireOwnPod } from '../admission/node-restriction.ts';
import type { Reference, TokenWish } from '../authentication/account-tokens.ts';
import { readBodyAs } from '../verbs/body.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import { existing } from '../verbs/get.ts';
import { newUid } from '../verbs/identity.ts';
import { reviewedBody } from '../verbs/reviewed.ts';
import type { Handler } from './subresources.ts';

const minSeconds = 600;
const maxSeconds = 2 ** 32;

const boundKinds = { Pod: ['pod', 'pods'], Secret: ['secret', 'secrets'], Node: ['node', 'nodes'] } as const;

const isBoundKind = (kind: string): kind is keyof typeof boundKinds => Object.hasOwn(boundKinds, kind);

const wrongSpec = ({ expirationSeconds, boundObjectRef }: { readonly expirationSeconds?: number | undefined; readonly boundObjectRef?: BoundObjectReference | undefined }): readonly FieldError[] => {
  const seconds = expirationSeconds ?? 0;
  const { kind = '', apiVersion = '' } = boundObjectRef ?? { kind: 'Pod', apiVersion: 'v1' };
  return [
    ...(seconds < minSeconds ? [wrong('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')] : []),
    ...(seconds > maxSeconds ? [wrong('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')] : []),
    ...(isBoundKind(kind) && apiVersion === 'v1' ? [] : [unsupported('spec.boundObjectRef', `${apiVersion} ${kind}`, Object.keys(boundKinds).map((one) => `v1 ${one}`))]),
  ];
};

const referenceTo = ({ metadata }: ApiObject): Reference => ({ name: metadata.name ?? '', uid: metadata.uid ?? '' });

/** What the token ends with; it must be there, be the one that is meant, and have to do with the account. */
const boundTo = ({ cache }: Surroundings, call: Call, { kind = '', name = '', uid = '' }: BoundObjectReference): { readonly bound: NonNullable<TokenWish['bound']>; readonly pod?: Pod } => {
  if (!isBoundKind(kind)) return { bound: {} };
  const [word, plural] = boundKinds[kind];
  const namespace = kind === 'Node' ? '' : call.namespace;
  const object = cache.get(`/${plural}/${namespace}/${name}`);
  const named = { group: '', plural, kind };
  if (object === undefined) throw notFound(named, name);
  if (uid !== '' && uid !== object.metadata.uid) throw conflict(named, name, `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`);
  if (kind !== 'Pod') return { bound: { [word]: referenceTo(object) } };
  const pod = object as Pod;
  if ((pod.spec.serviceAccountName || 'default') !== call.name) {
    throw new ApiError('BadRequest', `cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`);
  }
  const node = cache.get(`/nodes//${pod.spec.nodeName ?? ''}`) as Node | undefined;
  return { pod, bound: { pod: referenceTo(pod), ...(node === undefined ? {} : { node: referenceTo(node) }) } };
};

/** Makes a token of the account: for the audiences asked for, for as long as asked for, bound to what is asked for. */
export const token: Handler = async (api, call) => {
  const { namespace, name } = call;
  const account = existing(api, call);
  if (api.accountTokens === undefined) throw new ApiError('ServiceUnavailable', 'this server has no key to sign tokens with');
  const body = await reviewedBody(api, call, TokenRequest, readBodyAs(TokenRequest, call, call.request.body));
  if ((body.metadata.name ?? '') !== '' && body.metadata.name !== name) throw badRequest(`the name of the object (${body.metadata.name}) does not match the name on the URL (${name})`);
  if ((body.metadata.namespace ?? '') !== '' && body.metadata.namespace !== namespace) throw badRequest(`the namespace of the object (${body.metadata.namespace}) does not match the namespace on the URL (${namespace})`);
  body.spec ??= {};
  applyDefaults(TokenRequest.schema, body);
  const { spec } = body;
  const errors = wrongSpec(spec);
  if (errors.length > 0) throw invalid(TokenRequest, name, errors);
  const { bound, pod } = spec.boundObjectRef === undefined ? { bound: {}, pod: undefined } : boundTo(api, call, spec.boundObjectRef);
  requireOwnPod(call.user, { account: name, pod, uid: spec.boundObjectRef?.uid });
  const audiences = (spec.audiences ?? []).length === 0 ? [api.accountTokens.issuer] : [...spec.audiences ?? []];
  const issued = api.accountTokens.issue({ namespace, account: referenceTo(account), audiences, seconds: spec.expirationSeconds ?? minSeconds, bound, id: newUid(api.random) });
  return {
    code: 201, warnings: [...call.warnings],
    body: {
      ...body, metadata: { ...body.metadata, name, namespace, creationTimestamp: rfc3339(api.clock.now()) }, spec: { ...spec, audiences },
      status: { token: issued.token, expirationTimestamp: rfc3339(issued.expiresAtMs) },
    } as ApiObject,
  };
};

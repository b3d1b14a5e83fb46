/** The request as AdmissionReview and expressions show it. */
import { apiVersionOf } from '../../../schemas/kind.ts';
import type { RequestOptions, UserInfo } from '../../../schemas/api.ts';
import { kindOf, requestedOf, type Subject, type View } from './subject.ts';

type Json = Readonly<Record<string, unknown>>;

const userOf = ({ name, uid, groups, extra }: UserInfo): Json => ({
  username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }),
});

const optionKinds: Readonly<Record<string, string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions', delete: 'DeleteOptions', deletecollection: 'DeleteOptions' };

const dryRunMember = ({ dryRun }: RequestOptions): Json => (dryRun === true ? { dryRun: ['All'] } : {});

/** The options of the request as an object; those of a connection are its object. */
const optionsOf = ({ call: { request, options }, operation }: Subject): Json | undefined => {
  const kind = operation === 'CONNECT' ? undefined : optionKinds[request.verb];
  if (kind === undefined) return undefined;
  const { fieldManager, fieldValidation, force, gracePeriodSeconds, propagationPolicy, preconditions } = options;
  const members = kind === 'DeleteOptions' ? { gracePeriodSeconds, propagationPolicy, preconditions } : { fieldManager, fieldValidation, force };
  return { kind, apiVersion: 'meta.k8s.io/v1', ...dryRunMember(options), ...Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) };
};

/** All of the request but its objects. */
export const requestFacts = (view: View): Json => {
  const { subject, form } = view;
  const { call, subresource, name, namespace, operation } = subject;
  const requested = requestedOf(call);
  const sub = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource };
  const options = optionsOf(subject);
  return {
    kind: kindOf(view), resource: { group: form.group, version: form.version, resource: form.plural },
    requestKind: kindOf({ subject, form: requested }), requestResource: { group: requested.group, version: requested.version, resource: requested.plural },
    ...sub, ...(name === '' ? {} : { name }), ...(namespace === '' ? {} : { namespace }), operation, userInfo: userOf(call.user),
    dryRun: call.options.dryRun === true, ...(options === undefined ? {} : { options }),
  };
};

/** `apps/v1, Kind=Deployment`, as messages name a kind. */
export const shownKind = (view: View): string => {
  const { group, version, kind } = kindOf(view);
  return `${apiVersionOf({ group, version })}, Kind=${kind}`;
};

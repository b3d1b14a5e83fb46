import type { ApiAnswer } from '../../schemas/api.ts';
import { qualified } from '../../schemas/errors.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import { get } from '../verbs/get.ts';
import { patch } from '../verbs/patch.ts';
import { noSuchResource } from '../verbs/resolve.ts';
import { notAllowed, statusOnly, update, type Part } from '../verbs/update.ts';
import { binding } from './binding.ts';
import { certificateApproval, certificateStatus } from './certificate-status.ts';
import { ephemeralContainers } from './ephemeral-containers.ts';
import { eviction } from './eviction.ts';
import { namespaceFinalizers } from './finalize.ts';
import { resize } from './resize.ts';
import { scale } from './scale.ts';
import { token } from './token.ts';

export type Handler = (api: Surroundings, call: Call) => Promise<ApiAnswer>;

/** Reads and writes one part of an object, and answers the whole. */
const partHandler = (part: Part): Handler => (api, call) => {
  switch (call.request.verb) {
    case 'get': return get(api, call);
    case 'update': return update(api, call, part);
    case 'patch': return patch(api, call, part);
    default: throw notAllowed(call);
  }
};

const status = partHandler(statusOnly);

/** Subresources with rules of their own, by resource and name. A kind has one of them only if it says so. */
const special: Readonly<Record<string, Handler>> = {
  'pods/binding': binding,
  'pods/eviction': eviction,
  'pods/ephemeralcontainers': partHandler(ephemeralContainers),
  'pods/resize': partHandler(resize),
  'namespaces/finalize': partHandler(namespaceFinalizers),
  'serviceaccounts/token': token,
  'certificatesigningrequests.certificates.k8s.io/approval': (api, call) => partHandler(certificateApproval(api))(api, call),
  'certificatesigningrequests.certificates.k8s.io/status': (api, call) => partHandler(certificateStatus(api))(api, call),
};

/** The handler of the subresource that a call names. Throws NotFound for one that the kind does not have, MethodNotAllowed for streams. */
export const subresourceOf = (call: Call): Handler => {
  const { group, plural, subresources } = call.kind;
  const name = call.request.subresource ?? '';
  const handler = special[`${qualified(plural, group)}/${name}`];
  if (name === 'status' && subresources.status === true) return handler ?? status;
  if (name === 'scale' && subresources.scale !== undefined) return scale(subresources.scale);
  const words = Object.hasOwn(subresources.special ?? {}, name) ? subresources.special?.[name] : undefined;
  if (words === undefined) throw noSuchResource();
  if (handler === undefined || !words.verbs.includes(call.request.verb)) throw notAllowed(call);
  return handler;
};

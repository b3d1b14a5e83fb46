import type { ApiAnswer } from '../../schemas/api.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import { get } from '../verbs/get.ts';
import { patch } from '../verbs/patch.ts';
import { noSuchResource } from '../verbs/resolve.ts';
import { notAllowed, statusOnly, update, type Part } from '../verbs/update.ts';

export type Handler = (api: Surroundings, call: Call) => Promise<ApiAnswer>;

/** Reads and writes one part of an object, and answers the whole. */
export const partHandler = (part: Part): Handler => (api, call) => {
  switch (call.request.verb) {
    case 'get': return get(api, call);
    case 'update': return update(api, call, part);
    case 'patch': return patch(api, call, part);
    default: throw notAllowed(call);
  }
};

const status = partHandler(statusOnly);

/** The handler of the subresource that a call names. Throws NotFound for one that the kind does not have. */
export const subresourceOf = (call: Call): Handler => {
  const { subresources } = call.kind;
  const name = call.request.subresource ?? '';
  if (name === 'status' && subresources.status === true) return status;
  throw noSuchResource();
};

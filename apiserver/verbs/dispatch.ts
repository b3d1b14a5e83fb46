import type { ApiAnswer } from '../../schemas/api.ts';
import { Binding } from '../../schemas/kinds/core/binding.ts';
import { servedAnswer } from '../served-form.ts';
import { bindingByName } from '../subresources/binding.ts';
import { subresourceOf } from '../subresources/subresources.ts';
import { answer, answererOf, readerOf } from '../virtual/virtual.ts';
import type { Call, Surroundings } from './call.ts';
import { create } from './create.ts';
import { remove, removeCollection } from './delete.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { patch } from './patch.ts';
import { catchUp } from './resource-version.ts';
import { notAllowed, update, wholeObject } from './update.ts';

/**
 * Carries out a call, and answers in the form of the kind that the client asked for. A write, and a read that does not say
 * how old the state may be, see all that any server had answered before.
 */
export const dispatch = (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const { served, options: { resourceVersion = '' } } = call;
  // With one server there is nothing to wait for, not even a turn.
  const answer = resourceVersion === '' && api.cache.isShared ? catchUp(api, call.signal).then(() => carryOut(api, call)) : carryOut(api, call);
  return served === undefined ? answer : answer.then((stored) => servedAnswer(served, stored));
};

const carryOut = (api: Surroundings, call: Call): Promise<ApiAnswer> => {
  const { verb, subresource = '' } = call.request;
  if (subresource !== '') return subresourceOf(call)(api, call);
  if (call.kind === Binding) return bindingByName(api, call);
  const answerer = answererOf(call.kind);
  if (answerer !== undefined) return answer(api, call, answerer);
  const reader = readerOf(call.kind);
  if (reader !== undefined) return reader(api, call);
  switch (verb) {
    case 'get': return get(api, call);
    case 'list': return list(api, call);
    case 'create': return create(api, call);
    case 'update': return update(api, call, wholeObject);
    case 'patch': return patch(api, call, wholeObject);
    case 'delete': return remove(api, call);
    case 'deletecollection': return removeCollection(api, call);
    case 'watch': throw notAllowed(call);
  }
};

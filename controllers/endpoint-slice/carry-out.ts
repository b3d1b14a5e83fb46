import type { ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { isReason } from '../../schemas/errors.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { namespaceEnds } from '../refusals.ts';
import type { EndpointSliceStep } from './plan.ts';

/** An object that is gone meanwhile, or a namespace that ends, leaves nothing to do. */
export const carryOut = async (step: EndpointSliceStep, context: ReconcileContext): Promise<void> => {
  const client = context.client.of(EndpointSlice);
  try {
    if (step.do === 'create') await client.create(step.slice);
    else if (step.do === 'update') await client.update(step.slice);
    else await client.delete(keyOf(step.slice), { preconditions: { uid: step.slice.metadata.uid } });
  } catch (error) {
    if (step.do === 'create' ? !namespaceEnds(error) : !isReason(error, 'NotFound')) throw error;
  }
};

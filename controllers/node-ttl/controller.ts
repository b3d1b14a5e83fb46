import type { Controller } from '../../client/controller.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { unlessGone } from '../ensure.ts';
import { ttlAnnotation, ttlSeconds } from './plan.ts';

/** Tells each node for how long it may trust its copies: not at all in small clusters. A node learns of a change with its next heartbeat. */
export const nodeTtlController = (): Controller<Node> => {
  let seconds: number | undefined;
  return {
    name: 'ttl-controller',
    reconciles: Node,
    reconcile: async (node, { name }, context) => {
      const said = node?.metadata.annotations?.[ttlAnnotation];
      // The number of nodes changes with those that come and go; other looks need not count.
      if (seconds === undefined || said === undefined) seconds = ttlSeconds(context.informer(Node).list().length, seconds);
      if (node === undefined || node.metadata.deletionTimestamp !== undefined || said === String(seconds)) return undefined;
      const wanted = String(seconds);
      await unlessGone(context.client.of(Node).modify({ name }, (draft) => {
        draft.metadata.annotations = { ...draft.metadata.annotations, [ttlAnnotation]: wanted };
      }, { hint: node }));
      return undefined;
    },
  };
};

import type { Controller } from '../../client/controller.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { unlessGone } from '../ensure.ts';

const tokenType = 'bootstrap.kubernetes.io/token';
const tokenNamespace = 'kube-system';

/** When a join token ends, in Unix milliseconds; undefined for one that does not, or whose date cannot be read. */
export const tokenEndMs = ({ type, metadata, data }: Secret): number | undefined => {
  if (type !== tokenType || metadata.namespace !== tokenNamespace) return undefined;
  const endMs = Date.parse(Buffer.from(data?.['expiration'] ?? '', 'base64').toString('utf8'));
  return Number.isNaN(endMs) ? undefined : endMs;
};

/** Removes the Secrets of join tokens that have ended. They are worthless from that moment; this is only for order. */
export const tokenCleanerController = (): Controller<Secret> => ({
  name: 'tokencleaner',
  reconciles: Secret,
  reconcile: async (secret, key, { client, clock }) => {
    const endMs = secret === undefined ? undefined : tokenEndMs(secret);
    if (secret === undefined || endMs === undefined) return undefined;
    const afterMs = endMs - clock.now();
    if (afterMs > 0) return { afterMs };
    await unlessGone(client.of(Secret).delete(key, { preconditions: { uid: secret.metadata.uid } }));
    return undefined;
  },
});

/**
 * How a command asks the server to replace its authority: a ConfigMap which names authorities by their hashes, so that what was
 * asked for once is done once, however often it is read.
 */
import type { Client } from '../../../client/client.ts';
import { isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';

export const rotationRequestAt = { namespace: 'kube-system', name: 'barge-authority' } as const;

export interface RotationRequest {
  /** The authority after which another is to come. */
  readonly replace?: string | undefined;
  /** The authority that is to be trusted no longer. */
  readonly drop?: string | undefined;
}

export const rotationRequestOf = ({ data = {} }: ConfigMap): RotationRequest => ({ replace: data['replace'], drop: data['drop'] });

/** Asks the server; it does it as soon as it runs. */
export const requestRotation = async (client: Client, request: RotationRequest): Promise<void> => {
  const data = Object.fromEntries(Object.entries(request).filter((entry): entry is [string, string] => entry[1] !== undefined));
  try {
    await client.of(ConfigMap).create({ metadata: { ...rotationRequestAt }, data });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await client.of(ConfigMap).modify(rotationRequestAt, (draft) => {
      draft.data = data;
    });
  }
};

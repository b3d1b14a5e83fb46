import type { RotationRequest } from './rotation-request.ts';

/** What the server knows of its authority, by hashes. */
export interface RotationState {
  readonly signer: string;
  /** The one that is still trusted beside it; undefined where none is being replaced. */
  readonly outgoing: string | undefined;
  /** Whether the signer has signed all that the servers themselves show. */
  readonly renewed: boolean;
}

/** `wait`: what was asked for has to wait until the servers' own certificates are renewed. */
export type RotationStep = 'begin' | 'finish' | 'wait';

/** The step to take now; undefined where what was asked for is done, or is about another authority. */
export const planRotation = ({ signer, outgoing, renewed }: RotationState, { replace, drop }: RotationRequest): RotationStep | undefined => {
  if (outgoing === undefined) return replace === signer ? 'begin' : undefined;
  if (drop !== outgoing) return undefined;
  return renewed ? 'finish' : 'wait';
};

/** Lets the agent wait until no new connection can reach a pod any more, so that stopping its containers loses no request. */
export interface Withdrawal {
  /**
   * Resolves when the applied service table has sent no new connection to this address for a moment, but as the last resort
   * of a service that has nothing else; or when the signal aborts.
   */
  withdrawn(podIp: string, signal: AbortSignal): Promise<void>;
}

/** One node's service table, as far as others may ask about it. */
export interface WithdrawalState {
  /** The newest write that the applied table was made of; a table made of it and all before knows what this one does. */
  readonly revision: number;
  /** True when the applied table is made of this write, or a later one, and has sent nothing to the address for a moment. */
  isGone(podIp: string, revision: number): boolean;
}

/** Lets the agent wait until no new connection can reach a pod any more, so that stopping its containers loses no request. */
export interface Withdrawal {
  /**
   * Resolves when the applied service table has sent no new connection to this address for a moment, but as the last resort
   * of a service that has nothing else; or when the signal aborts.
   */
  withdrawn(podIp: string, signal: AbortSignal): Promise<void>;
}

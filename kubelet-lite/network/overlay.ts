/** Overlay makes pods of all nodes reach each other by address. */

export interface Self {
  readonly nodeName: string;
  /** Where other nodes reach this one. */
  readonly nodeIp: string;
  /** The node's own pod addresses, such as `10.244.0.0/24`. */
  readonly podCidr: string;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

/** Another node. */
export interface Peer {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly podCidr: string;
}

export interface Overlay {
  readonly name: string;
  /** Bytes that the overlay adds to each packet; 0 for none. */
  readonly overheadBytes: number;
  /** Makes this node's side; gives the address at which pods reach their node (the bridge's own). Idempotent. */
  prepare(self: Self): Promise<{ readonly gatewayIp: string }>;
  /** The whole list each time, also the same one again: what somebody else broke is repaired then. */
  apply(peers: readonly Peer[]): Promise<void>;
  /** A cheap look: true where nothing hints that what stood after the last apply does not stand any more. */
  isUndisturbed(): Promise<boolean>;
  /** Takes away everything that it ever made. */
  remove(): Promise<void>;
}

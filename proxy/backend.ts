/**
 * ProxyBackend makes traffic to services reach their endpoints. One suite (test/suites/proxy-backend.ts) holds all
 * implementations to this.
 */
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** Public addresses that take only clients of some ranges, from wherever they come; what others send is dropped. */
export interface Guard {
  readonly ips: readonly string[];
  /** IPv4 networks; none: nobody may. */
  readonly ranges: readonly string[];
}

/** One port of one service, with the endpoints that take new connections. */
export interface ServicePort {
  /** `namespace/service:port-name`; the key in the table. */
  readonly name: string;
  readonly protocol: Protocol;
  /** Addresses of the service network. */
  readonly clusterIps: readonly string[];
  /** Public addresses, those of load balancers and external ones, as pods and this machine reach them. */
  readonly insideIps: readonly string[];
  /**
   * Public addresses as all others reach them. Without endpoints, an address that is not among insideIps too drops what
   * comes: other nodes have endpoints, and a router may well choose one of these for the client's next try.
   */
  readonly outsideIps: readonly string[];
  /** Who may use public addresses; undefined: everybody. */
  readonly guard: Guard | undefined;
  readonly port: number;
  /** The node port as pods of this node and the node itself reach it; 0: none. */
  readonly insideNodePort: number;
  /** The node port as all others reach it; 0: none. Without endpoints, one that is not the inside's too drops what comes. */
  readonly nodePort: number;
  readonly endpoints: readonly Endpoint[];
  /** Seconds for which a client stays with its endpoint; 0: no affinity. */
  readonly affinitySeconds: number;
}

export type ServiceTable = ReadonlyMap<string, ServicePort>;

export interface ProxyBackend {
  readonly name: string;
  /**
   * Makes the world agree with the whole table; work and traffic are in proportion to the difference. Resolves when new
   * connections follow the table; established ones go on. A port without endpoints refuses connections.
   */
  apply(table: ServiceTable): Promise<void>;
  /** Takes away everything that this backend ever made. */
  remove(): Promise<void>;
}

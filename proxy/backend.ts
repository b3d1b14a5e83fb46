/**
 * ProxyBackend makes traffic to services reach their endpoints. One suite (test/suites/proxy-backend.ts) holds all
 * implementations to this.
 */
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** One port of one service, with the endpoints that take new connections. */
export interface ServicePort {
  /** `namespace/service:port-name`; the key in the table. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly clusterIps: readonly string[];
  readonly port: number;
  /** 0: none. */
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

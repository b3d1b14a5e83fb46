/** How the agent's probes and hooks reach a pod; the real network, or a simulated runtime's. */
export interface HttpProbeRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly scheme: 'HTTP' | 'HTTPS';
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface GrpcProbeRequest {
  readonly host: string;
  readonly port: number;
  /** Name of the service whose health is asked for; empty for the server's own. */
  readonly service: string;
}

export interface PodNetwork {
  /** The status code of a GET, and the first bytes of a body for messages. Rejects when there is no answer. */
  httpGet(request: HttpProbeRequest, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }>;
  /** Resolves when a connection was accepted. */
  tcpConnect(host: string, port: number, signal: AbortSignal): Promise<void>;
  /** Undefined where gRPC's health service says SERVING, else what it says. Rejects when there is no answer. */
  grpcHealth(request: GrpcProbeRequest, signal: AbortSignal): Promise<string | undefined>;
}

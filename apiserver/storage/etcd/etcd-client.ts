/**
 * The calls of etcd that a store needs, on one connection to one of several members. When that one is lost or does not
 * serve, the next call goes to the next member. A read is asked again there; a write only if the first member surely has
 * not seen it, for what was sent and not answered may have been done.
 */
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { Compacted, StorageUnavailable, TransactionTooLarge } from '../storage.ts';
import { GrpcConnection, type GrpcTls } from './grpc-connection.ts';
import { grpcCodes, GrpcError } from './grpc-frames.ts';
import { compactionRequest, rangeRequest, rangeResponse, txnRequest, txnResponse, watchRequest, watchResponse, type RangeRequest, type RangeResponse, type TxnRequest, type TxnResponse, type WatchResponse } from './messages.ts';

export interface EtcdClientOptions {
  /** URLs of members, such as `https://10.0.0.1:2379`; at least one. */
  readonly endpoints: readonly string[];
  readonly tls?: GrpcTls | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const connectMs = 3_000;
/** etcd itself gives up after 7 s with its usual settings: its word comes first. */
const callMs = 10_000;

interface Sent {
  readonly path: string;
  readonly message: Buffer;
  /** `safe`: it changes nothing, or nothing more when it is done twice. */
  readonly repeat: 'safe' | 'unsafe';
}

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  #connection: GrpcConnection | undefined;
  #connecting: Promise<GrpcConnection> | undefined;
  /** Index of the endpoint that is tried first. */
  #first = 0;
  /** Set from the first call that failed to the next that did not: a log says each once. */
  #away = false;
  #closed = false;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
  }

  /** Throws StorageUnavailable, and Compacted for a revision that is gone. */
  async range(request: RangeRequest): Promise<RangeResponse> {
    return rangeResponse(await this.#call({ path: '/etcdserverpb.KV/Range', message: rangeRequest(request), repeat: 'safe' }, request.revision));
  }

  /** Throws StorageUnavailable, which says whether it may have been carried out, and TransactionTooLarge. */
  async txn(request: TxnRequest, repeat: Sent['repeat']): Promise<TxnResponse> {
    return txnResponse(await this.#call({ path: '/etcdserverpb.KV/Txn', message: txnRequest(request), repeat }));
  }

  /** Lets etcd forget what is before a revision, where it has not forgotten more. */
  async compact(revision: number): Promise<void> {
    await this.#call({ path: '/etcdserverpb.KV/Compact', message: compactionRequest(revision), repeat: 'safe' }, revision).catch((error: unknown) => {
      if (!(error instanceof Compacted)) throw error;
    });
  }

  /** All changes of a range from a revision on, until the signal aborts. Throws Compacted, and StorageUnavailable when the connection is lost. */
  async *watch(request: { readonly key: Buffer; readonly end: Buffer; readonly from: number }, signal: AbortSignal): AsyncGenerator<WatchResponse, void> {
    let connection: GrpcConnection | undefined;
    try {
      connection = await this.#connected();
      for await (const message of connection.stream('/etcdserverpb.Watch/Watch', watchRequest(request), signal)) {
        const response = watchResponse(message);
        if (response.compactRevision > 0) throw new Compacted(response.compactRevision);
        if (response.canceled !== undefined) throw new GrpcError(grpcCodes.unavailable, `${connection.url} ended the watch: ${response.canceled}`, { sent: true });
        yield response;
      }
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      if (connection !== undefined) this.#leave(connection, error);
      throw new StorageUnavailable(error.message, { written: 'no', cause: error });
    }
  }

  /** Ends the connection, and all calls on it. */
  close(): void {
    this.#closed = true;
    this.#connection?.destroy();
  }

  async #call(sent: Sent, revision = 0): Promise<Buffer> {
    for (let tries = 1; ; tries++) {
      let connection: GrpcConnection | undefined;
      try {
        connection = await this.#connected();
        const answer = await connection.call(sent.path, sent.message, callMs);
        this.#noteServing(connection);
        return answer;
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        if (connection !== undefined) this.#leave(connection, error);
        const again = connection !== undefined && isAway(error) && (sent.repeat === 'safe' || !mayBeDone(error)) && tries <= this.#options.endpoints.length;
        if (!again) throw storageError(error, { sent, revision });
      }
    }
  }

  async #connected(): Promise<GrpcConnection> {
    if (this.#closed) throw new GrpcError(grpcCodes.unavailable, 'the store is closed', { sent: false });
    if (this.#connection?.usable === true) return this.#connection;
    this.#connecting ??= this.#connect().finally(() => { this.#connecting = undefined; });
    return this.#connecting;
  }

  /** To the first endpoint that answers, beginning with the one whose turn it is. */
  async #connect(): Promise<GrpcConnection> {
    const { endpoints, tls, clock, log } = this.#options;
    const failures: string[] = [];
    for (let n = 0; n < endpoints.length && !this.#closed; n++) {
      const index = (this.#first + n) % endpoints.length;
      try {
        const connection = await GrpcConnection.open({ url: endpoints[index]!, tls, clock, connectMs });
        if (this.#closed) connection.destroy();
        else log.debug('connected to etcd', { endpoint: connection.url });
        this.#first = index;
        return this.#connection = connection;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new GrpcError(grpcCodes.unavailable, `no member of etcd answers: ${failures.join('; ')}`, { sent: false });
  }

  /** After an error that another member may not have, the next call goes there. */
  #leave(connection: GrpcConnection, error: GrpcError): void {
    if (!isAway(error)) return;
    connection.retire();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#first = (this.#first + 1) % this.#options.endpoints.length;
    if (this.#closed) return;
    this.#options.log[this.#away ? 'debug' : 'warn']('a member of etcd does not serve; going to the next', { endpoint: connection.url, error });
    this.#away = true;
  }

  #noteServing({ url }: GrpcConnection): void {
    if (!this.#away) return;
    this.#away = false;
    this.#options.log.info('etcd serves again', { endpoint: url });
  }
}

const isAway = ({ code }: GrpcError): boolean => code === grpcCodes.unavailable || code === grpcCodes.deadlineExceeded;

/** Codes by which etcd refuses before it does anything. */
const refusals: ReadonlySet<number> = new Set([grpcCodes.invalidArgument, grpcCodes.permissionDenied, grpcCodes.resourceExhausted, grpcCodes.outOfRange, grpcCodes.unauthenticated]);

/** A member without a leader refuses before it looks at the request. */
const mayBeDone = ({ code, sent, message }: GrpcError): boolean => sent && !refusals.has(code) && !message.endsWith('etcdserver: no leader');

const storageError = (error: GrpcError, { sent, revision }: { readonly sent: Sent; readonly revision: number }): Error => {
  if (/too large|too many operations|larger than max/.test(error.message)) return new TransactionTooLarge(`${error.message}; see etcd's --max-request-bytes and --max-txn-ops`, { cause: error });
  if (error.code === grpcCodes.outOfRange && error.message.includes('compacted')) return new Compacted(revision);
  return new StorageUnavailable(error.message, { written: sent.repeat === 'unsafe' && mayBeDone(error) ? 'unknown' : 'no', cause: error });
};

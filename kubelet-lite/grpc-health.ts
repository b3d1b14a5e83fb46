/**
 * The health check of gRPC (grpc.health.v1.Health/Check) over HTTP/2 without TLS, as Kubernetes' agents ask it. The two
 * messages are so small that they are written and read here, field by field, without a library for protocol buffers.
 */
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import type { GrpcProbeRequest } from './runtime/pod-network.ts';

const path = '/grpc.health.v1.Health/Check';
/** Larger answers are none of this service's. */
const answerLimitBytes = 4 * 1024;

/** ServingStatus of grpc.health.v1. */
const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** Names of gRPC's status codes that a probe may meet. */
const codeNames: Readonly<Record<number, string>> = {
  1: 'Canceled', 2: 'Unknown', 3: 'InvalidArgument', 4: 'DeadlineExceeded', 5: 'NotFound', 7: 'PermissionDenied', 8: 'ResourceExhausted', 12: 'Unimplemented', 13: 'Internal', 14: 'Unavailable', 16: 'Unauthenticated',
};

const varint = (value: number): readonly number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);

/** A HealthCheckRequest in gRPC's frame: not compressed, its length, field 1 with the service's name. */
export const checkRequest = (service: string): Buffer => {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
};

/** The serving status in a framed HealthCheckResponse; other fields are passed over. Throws where it is none. */
export const servingStatus = (frame: Buffer): string => {
  if (frame.length < 5 || frame[0] !== 0 || frame.readUInt32BE(1) !== frame.length - 5) throw new Error('the answer is no plain gRPC message');
  let at = 5;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = frame[at++];
      if (byte === undefined) throw new Error('the answer ends too early');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('the answer has a number that is too large');
  };
  let status = 0;
  while (at < frame.length) {
    const key = number();
    const kind = key % 8;
    if (kind === 0) {
      const value = number();
      if (key === 8) status = value;
    } else if (kind === 2) {
      const length = number();
      at += length;
    } else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else throw new Error('the answer has a field of an unknown kind');
  }
  return servingStatuses[status] ?? String(status);
};

/** Undefined where the service says SERVING, else why not. Rejects when there is no connection; the signal ends it. */
export const grpcHealth = ({ host, port, service }: GrpcProbeRequest, signal: AbortSignal): Promise<string | undefined> => new Promise((resolve, reject) => {
  const session: ClientHttp2Session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const end = (settle: () => void): void => {
    signal.removeEventListener('abort', stop);
    settle();
    session.destroy();
  };
  const stop = (): void => end(() => reject(new Error('given up')));
  signal.addEventListener('abort', stop, { once: true });
  session.on('error', (error: Error) => end(() => reject(error)));
  // A peer that speaks no HTTP/2 may just hang up.
  session.on('close', () => end(() => reject(new Error('the connection was closed before the answer'))));
  if (signal.aborted) return stop();
  const stream = session.request({
    ':method': 'POST', ':path': path, ':scheme': 'http', ':authority': `${host}:${port}`, 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'kube-probe/1.32',
  });
  const chunks: Buffer[] = [];
  let size = 0;
  let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  let tail: IncomingHttpHeaders = {};
  stream.on('response', (headers) => { head = headers; });
  stream.on('trailers', (headers) => { tail = headers; });
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > answerLimitBytes) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.on('error', (error) => end(() => reject(error)));
  // Trailers, which have the outcome, come before this.
  stream.on('close', () => end(() => resolve(outcome(Number(head[':status'] ?? 0), { ...head, ...tail }, Buffer.concat(chunks)))));
  stream.end(checkRequest(service));
});

/** gRPC writes its messages with percents; what is not well written is shown as it came. */
const plainWords = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const outcome = (status: number, headers: IncomingHttpHeaders, body: Buffer): string | undefined => {
  if (status !== 200) return `the answer is no gRPC: HTTP status ${status}`;
  const code = Number(headers['grpc-status'] ?? Number.NaN);
  if (Number.isNaN(code)) return 'the answer is no gRPC: it has no grpc-status';
  if (code !== 0) {
    const words = plainWords(String(headers['grpc-message'] ?? ''));
    return `rpc error: code = ${codeNames[code] ?? code}${words === '' ? '' : ` desc = ${words}`}`;
  }
  try {
    const serving = servingStatus(body);
    return serving === 'SERVING' ? undefined : `service unhealthy (responded with ${JSON.stringify(serving)})`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

import { once } from 'node:events';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';

type Json = Readonly<Record<string, unknown>>;

/** Answers a call: with JSON, or by itself on the response (then undefined comes out). */
export type WebhookHandler = (body: Json, request: IncomingMessage, response: ServerResponse) => unknown;

export interface WebhookServer {
  readonly port: number;
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** In base64, as a webhook configuration wants it. */
  readonly caBundle: string;
  /** What was asked, in order. */
  readonly calls: Json[];
  readonly requests: IncomingMessage[];
  handler: WebhookHandler;
  close(): Promise<void>;
}

let certificates: Promise<{ readonly ca: CertificatePair; readonly server: CertificatePair }> | undefined;

const makeCertificates = async (): Promise<{ readonly ca: CertificatePair; readonly server: CertificatePair }> => {
  const nowMs = Date.now();
  const ca = await createCa({ commonName: 'webhook-ca', lifetimeDays: 2, nowMs });
  const server = await issueCertificate({ ca, commonName: 'webhook', dnsNames: ['localhost', 'hook.default.svc'], ipAddresses: ['127.0.0.1'], usages: ['server'], lifetimeDays: 1, nowMs });
  return { ca, server };
};

/** A real HTTPS server on loopback; it asks for client certificates, so that a test sees whether one is shown. */
export const webhookServer = async (handler: WebhookHandler): Promise<WebhookServer> => {
  const { ca, server: pair } = await (certificates ??= makeCertificates());
  const calls: Json[] = [];
  const requests: IncomingMessage[] = [];
  const http = createServer({ cert: pair.cert, key: pair.key, requestCert: true, rejectUnauthorized: false }, async (request, response) => {
    let text = '';
    request.setEncoding('utf8');
    try {
      for await (const chunk of request) text += String(chunk);
    } catch {
      // the caller has given up
      return;
    }
    const body = JSON.parse(text) as Json;
    calls.push(body);
    requests.push(request);
    const answer = await made.handler(body, request, response);
    if (answer === undefined) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const made: WebhookServer = {
    port, url: `https://127.0.0.1:${port}`, caBundle: Buffer.from(ca.cert).toString('base64'), calls, requests, handler,
    close: async () => {
      if (!http.listening) return;
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return made;
};

import type { ExecutionContext } from 'ava';
import type { ApiObject } from '../../schemas/kind.ts';
import { testApi, type TestApi, type TestApiOptions } from './api.ts';
import { webhookServer, type WebhookHandler, type WebhookServer } from './webhook-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** The request of an AdmissionReview. */
export type ReviewRequest = Json & { readonly uid: string; readonly operation: string; readonly object: ApiObject & Json; readonly oldObject: (ApiObject & Json) | null };

export const requestOf = (body: Json): ReviewRequest => body['request'] as ReviewRequest;

/** An AdmissionReview that answers the one that came. */
export const verdict = (body: Json, response: Json = {}): Json => ({ kind: 'AdmissionReview', apiVersion: body['apiVersion'], response: { uid: requestOf(body).uid, allowed: true, ...response } });

export const patched = (body: Json, operations: readonly unknown[]): Json =>
  verdict(body, { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') });

export interface WebhookWords extends Json {
  readonly name?: string;
  readonly path?: string;
}

/** A webhook that is asked about ConfigMaps as they are created and changed, but for what is said otherwise. */
export const webhook = (server: WebhookServer, { path = '/', ...words }: WebhookWords = {}): Json => ({
  name: 'hook.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig: { url: `${server.url}${path}`, caBundle: server.caBundle },
  rules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }], ...words,
});

export interface AdmissionTest {
  readonly api: TestApi;
  readonly server: WebhookServer;
  /** Stores a configuration of the webhooks. */
  configure(sort: 'mutating' | 'validating', name: string, webhooks: readonly Json[]): Promise<void>;
}

/** Runs a test with an API server and a webhook's server that answers with the handler. */
export const withWebhooks = async (handler: WebhookHandler, use: (test: AdmissionTest) => Promise<void>, options: TestApiOptions = {}): Promise<void> => {
  const [api, server] = await Promise.all([testApi({ namespaces: ['apps'], ...options }), webhookServer(handler)]);
  const configure = async (sort: 'mutating' | 'validating', name: string, webhooks: readonly Json[]): Promise<void> => {
    await api.transport.send({ verb: 'create', group: 'admissionregistration.k8s.io', version: 'v1', resource: `${sort}webhookconfigurations`, body: { metadata: { name }, webhooks } });
  };
  try {
    await use({ api, server, configure });
  } finally {
    await api.close();
    await server.close();
  }
};

/** The same as the body of a test. */
export const webhookTest = (handler: WebhookHandler, use: (t: ExecutionContext, test: AdmissionTest) => Promise<void>, options: TestApiOptions = {}) =>
  (t: ExecutionContext): Promise<void> => withWebhooks(handler, (test) => use(t, test), options);

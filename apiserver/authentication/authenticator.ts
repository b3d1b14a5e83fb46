import type { UserInfo } from '../../schemas/api.ts';

/** What a request shows to prove who it is from. */
export interface Credentials {
  /** The client certificate of the connection, if there is one. */
  readonly certificate?: PresentedCertificate | undefined;
  /** Value of the Authorization header. */
  readonly authorization?: string | undefined;
}

/** A client certificate as the TLS layer saw it. */
export interface PresentedCertificate {
  /** True when the chain leads to the cluster's CA and the certificate may be used by clients. */
  readonly trusted: boolean;
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly notAfterMs: number;
}

/**
 * Authenticator tells who asks. Undefined: these credentials are none of the sort that it knows, ask the next one.
 * It throws ApiError Unauthorized for a credential of its sort that is wrong.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): UserInfo | undefined;
}

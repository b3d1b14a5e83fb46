import type { RequestFacts } from '../../base/certificate-request.ts';
import { signers, whyNotSigned } from '../certificate-rules.ts';

/** What the authority is asked to sign. */
export interface Signing {
  /** PEM of the request. */
  readonly request: string;
  readonly extendedKeyUsage: 'serverAuth' | 'clientAuth';
  readonly keyUsages: readonly ('digitalSignature' | 'keyEncipherment')[];
  readonly lifetimeMs: number;
}

/** Names that are the API server's own: whoever had a certificate for one of them could pass for it. */
export interface OwnNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export interface SigningInput {
  readonly signerName: string;
  readonly request: string;
  readonly facts: RequestFacts;
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
  /** Longest life of what is signed; a request may ask for less. */
  readonly longestMs: number;
  readonly own: OwnNames;
}

const isOurs = (signerName: string): boolean => Object.values(signers).some((one) => one === signerName);

/** What to sign, why it is not signed, or undefined for a request to another signer. */
export const planSigning = ({ signerName, request, facts, usages, expirationSeconds, longestMs, own }: SigningInput): Signing | { readonly fail: string } | undefined => {
  if (!isOurs(signerName)) return undefined;
  const why = whyNotSigned(signerName, facts, usages);
  if (why !== undefined) return { fail: why };
  const serving = signerName === signers.nodeServing;
  const taken = serving ? [...facts.dnsNames.filter((name) => own.dnsNames.includes(name)), ...facts.ipAddresses.filter((address) => own.ipAddresses.includes(address))] : [];
  if (taken.length > 0) return { fail: `the API server itself is at ${taken.join(', ')}: nobody else gets a certificate for that` };
  return {
    request, extendedKeyUsage: serving ? 'serverAuth' : 'clientAuth',
    keyUsages: ['digitalSignature', ...(usages.includes('key encipherment') ? ['keyEncipherment' as const] : [])],
    lifetimeMs: expirationSeconds === undefined ? longestMs : Math.min(expirationSeconds * 1_000, longestMs),
  };
};

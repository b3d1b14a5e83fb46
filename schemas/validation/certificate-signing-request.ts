/** Rules for requests for certificates, and for what is decided about them. */
import { X509Certificate } from 'node:crypto';
import { duplicate, forbidden, required, tooLong, unsupported, wrong, type FieldError } from '../errors.ts';
import type { CertificateSigningRequestCondition, CertificateSigningRequestSpec, CertificateSigningRequestStatus } from '../kinds/certificates/certificate-signing-request.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from '../names.ts';
import { pemContent, whyNotPkcs10 } from '../pkcs10.ts';

/** Shortest life that a certificate can be asked for, in seconds; Kubernetes' limit. */
const shortestSeconds = 600;

/** Longest domain and path of a signer's name: a DNS subdomain; a label, a dot and a subdomain. */
const maxDomainLength = 253;
const maxPathLength = 317;

const usages = [
  'any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment', 'decipher only', 'digital signature', 'email protection',
  'encipher only', 'ipsec end system', 'ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing',
  's/mime', 'server auth', 'signing', 'timestamping',
];

const validateSignerName = (name: string, field: string): readonly FieldError[] => {
  if (name === '') return [required(field)];
  const [domain = '', path = '', ...more] = name.split('/');
  if (!name.includes('/') || more.length > 0) return [wrong(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  const labels = domain.split('.');
  const whyNotLabel = labels.map(whyNotDnsLabel).find((why) => why !== undefined);
  const whyNotPath = whyNotDnsSubdomain(path.slice(0, maxDomainLength));
  return [
    ...(domain.length > maxDomainLength ? [tooLong(field, maxDomainLength)] : []),
    ...(whyNotLabel === undefined ? [] : [wrong(field, domain, whyNotLabel)]),
    ...(labels.length < 2 ? [wrong(field, domain, 'should be a domain with at least two segments separated by dots')] : []),
    ...(path.length > maxPathLength ? [tooLong(field, maxPathLength)] : []),
    ...(whyNotPath === undefined ? [] : [wrong(field, path, whyNotPath)]),
    ...(name === 'kubernetes.io/legacy-unknown' ? [wrong(field, name, 'the legacy signerName is not allowed via this API version')] : []),
  ];
};

/** Every wrong field of a new request. */
export const validateCertificateRequest = (spec: CertificateSigningRequestSpec): readonly FieldError[] => {
  const { request, usages: wanted = [], signerName, expirationSeconds } = spec;
  const why = whyNotPkcs10(Buffer.from(request, 'base64').toString('latin1'));
  return [
    ...(why === undefined ? [] : [wrong('spec.request', request, why)]),
    ...(wanted.length === 0 ? [required('spec.usages', 'usages is required')] : []),
    ...wanted.flatMap((usage, index) => {
      if (!usages.includes(usage)) return [unsupported(`spec.usages[${index}]`, usage, usages)];
      return wanted.indexOf(usage) < index ? [duplicate(`spec.usages[${index}]`, usage)] : [];
    }),
    ...validateSignerName(signerName, 'spec.signerName'),
    ...(expirationSeconds !== undefined && expirationSeconds < shortestSeconds
      ? [wrong('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)')] : []),
  ];
};

/** Conditions that say how it ends; they are only ever true and never taken back. */
const final = ['Approved', 'Denied', 'Failed'];
const statuses = ['True', 'False', 'Unknown'];

const validateConditions = (conditions: readonly CertificateSigningRequestCondition[], field: string): readonly FieldError[] =>
  conditions.flatMap(({ type, status }, index) => {
    const at = `${field}[${index}]`;
    const errors: FieldError[] = type === '' ? [required(`${at}.type`)] : [];
    const allowed = final.includes(type) ? ['True'] : statuses;
    if (status === '') errors.push(required(`${at}.status`));
    else if (!allowed.includes(status)) errors.push(unsupported(`${at}.status`, status, allowed));
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (opposite !== undefined && conditions.slice(0, index).some((other) => other.type === opposite)) {
      errors.push(wrong(`${at}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    return errors;
  });

const whyNotCertificate = (pem: string): string | undefined => {
  const der = pemContent(pem, 'CERTIFICATE');
  if (der === undefined) return 'must contain one or more PEM blocks of type CERTIFICATE';
  try {
    void new X509Certificate(der);
    return undefined;
  } catch {
    return 'must contain certificates that can be read';
  }
};

/** Who writes the status: whoever approves adds decisions, the signer everything else. */
export interface StatusWriter {
  readonly by: 'approver' | 'signer';
}

/** Every wrong field of a write to a request's status. What is decided stays, and so does a certificate that was issued. */
export const validateCertificateStatus = (status: CertificateSigningRequestStatus = {}, old: CertificateSigningRequestStatus = {}, { by }: StatusWriter): readonly FieldError[] => {
  const { conditions = [], certificate = '' } = status;
  const has = (among: readonly CertificateSigningRequestCondition[] | undefined, type: string): boolean => (among ?? []).some((one) => one.type === type);
  const removed = final.filter((type) => has(old.conditions, type) && !has(conditions, type));
  const added = by === 'approver' ? [] : ['Approved', 'Denied'].filter((type) => has(conditions, type) && !has(old.conditions, type));
  const changed = certificate !== (old.certificate ?? '');
  const why = changed && certificate !== '' ? whyNotCertificate(Buffer.from(certificate, 'base64').toString('latin1')) : undefined;
  return [
    ...validateConditions(conditions, 'status.conditions'),
    ...removed.map((type) => forbidden('status.conditions', `updates may not remove a condition of type "${type}"`)),
    ...added.map((type) => forbidden('status.conditions', `updates may not add a condition of type "${type}"`)),
    ...(changed && by === 'approver' ? [forbidden('status.certificate', 'updates may not set certificate content')] : []),
    ...(changed && by === 'signer' && (old.certificate ?? '') !== '' ? [forbidden('status.certificate', 'updates may not modify existing certificate content')] : []),
    ...(why === undefined ? [] : [wrong('status.certificate', '<certificate data>', why)]),
  ];
};

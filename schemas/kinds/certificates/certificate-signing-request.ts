import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { draftOf } from '../../frozen.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotPathSegment } from '../../names.ts';
import { as, bytes, int32, list, mapOf, object, string, time, type Static } from '../../schema.ts';
import { humanDuration } from '../../table-cells.ts';
import { validateCertificateRequest, validateCertificateStatus } from '../../validation/certificate-signing-request.ts';

export const CertificateSigningRequestCondition = object('certificates.v1.CertificateSigningRequestCondition', 'What somebody has decided about a request.', {
  lastTransitionTime: time('When the status last changed.'),
  lastUpdateTime: time('When the condition was last written.'),
  message: string('Explanation for people.'),
  reason: string('Explanation for programs, in one word.'),
  status: string('True, False or Unknown; True for Approved, Denied and Failed.'),
  type: string('Approved, Denied, Failed or a name with a domain.'),
}, ['status', 'type']);
export type CertificateSigningRequestCondition = Static<typeof CertificateSigningRequestCondition>;

export const CertificateSigningRequestSpec = object('certificates.v1.CertificateSigningRequestSpec', 'Which certificate is wanted, from whom and by whom. It cannot be changed.', {
  expirationSeconds: int32('How long the certificate should be good for, in seconds, at least 600; the signer may shorten it.'),
  extra: mapOf(list(string('Value.'), 'Values of the fact.'), 'Further facts about the one who asks; the server fills them in.'),
  groups: list(string('Group.'), 'Groups of the one who asks; the server fills them in.', { listType: 'atomic' }),
  request: bytes('The request: PKCS#10 in PEM, block CERTIFICATE REQUEST.'),
  signerName: string('Who is to sign, such as kubernetes.io/kube-apiserver-client.'),
  uid: string('UID of the one who asks; the server fills it in.'),
  usages: list(string('Use.'), "What the certificate is for, such as 'client auth' or 'digital signature'.", { listType: 'atomic' }),
  username: string('Name of the one who asks; the server fills it in.'),
}, ['request', 'signerName']);
export type CertificateSigningRequestSpec = Static<typeof CertificateSigningRequestSpec>;

export const CertificateSigningRequestStatus = object('certificates.v1.CertificateSigningRequestStatus', 'What has become of a request.', {
  certificate: bytes('The certificate, in PEM, once it has been issued.'),
  conditions: list(CertificateSigningRequestCondition, 'What has been decided.', { mapKeys: ['type'] }),
});
export type CertificateSigningRequestStatus = Static<typeof CertificateSigningRequestStatus>;

const schema = topLevel('certificates.v1.CertificateSigningRequest', 'Asks for a certificate, which a signer issues once somebody has approved.', {
  spec: as(CertificateSigningRequestSpec, 'Which certificate is wanted.'),
  status: as(CertificateSigningRequestStatus, 'What has become of the request.'),
}, ['spec']);

/** `Pending`, `Approved`, `Approved,Issued`, `Denied`, `Approved,Failed` ... */
const conditionText = ({ conditions = [], certificate = '' }: CertificateSigningRequestStatus = {}): string => {
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decided}${has('Failed') ? ',Failed' : ''}${certificate === '' ? '' : ',Issued'}`;
};

export const CertificateSigningRequest = defineKind(schema, {
  group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest', plural: 'certificatesigningrequests', scope: 'Cluster',
  generationCounts: [],
  shortNames: ['csr'],
  subresources: {
    status: true,
    special: { approval: { kind: 'CertificateSigningRequest', group: 'certificates.k8s.io', version: 'v1', verbs: ['get', 'patch', 'update'] } },
  },
  fields: { 'spec.signerName': ({ spec }) => spec.signerName },
  nameRule: whyNotPathSegment,
  columns: [
    nameColumn,
    ageColumn,
    column('SignerName', 'Who is to sign.', ({ spec }) => spec.signerName),
    column('Requestor', 'Who asks.', ({ spec }) => spec.username ?? ''),
    column('RequestedDuration', 'How long the certificate should be good for.', ({ spec: { expirationSeconds } }) => (expirationSeconds === undefined ? '<none>' : humanDuration(expirationSeconds * 1_000))),
    column('Condition', 'What has become of the request.', ({ status }) => conditionText(status)),
  ],
  initialStatus: () => ({}),
  // What has been asked stays as it was asked: whoever approves it has read it.
  prepare: (request, old) => {
    if (old !== undefined) request.spec = draftOf(old.spec);
  },
  validate: ({ spec }, old) => (old === undefined ? validateCertificateRequest(spec) : []),
  validateStatus: (request, old) => validateCertificateStatus(request.status, old.status, { by: 'signer' }),
});
export type CertificateSigningRequest = BodyOf<typeof CertificateSigningRequest>;

/**
 * What becomes of a request for a certificate is written through two doors: /approval takes decisions from whoever may
 * `approve` for the signer, /status takes certificates and failures from whoever may `sign` for it. Both rights are about
 * the resource `signers` of the group, by the name of the signer or by `<domain>/*`.
 */
import { rfc3339, type Clock } from '../../base/clock.ts';
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { CertificateSigningRequest, CertificateSigningRequestCondition as Condition } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { check } from '../../schemas/validate.ts';
import { validateCertificateStatus } from '../../schemas/validation/certificate-signing-request.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { assertValid } from '../verbs/body.ts';
import type { Surroundings } from '../verbs/call.ts';
import { statusOnly, type Part } from '../verbs/update.ts';

type Request = CertificateSigningRequest;

const requireSigner = (authorizer: Authorizer, user: UserInfo, verb: 'approve' | 'sign', { metadata: { name = '' }, spec: { signerName } }: Request): void => {
  const may = (signer: string): boolean => authorizer.authorize({ user, verb, resource: { group: 'certificates.k8s.io', resource: 'signers', name: signer } }) === undefined;
  if (may(signerName) || may(`${signerName.split('/')[0] ?? ''}/*`)) return;
  throw new ApiError('Forbidden', `certificatesigningrequests.certificates.k8s.io ${JSON.stringify(name)} is forbidden: user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`, { name, group: 'certificates.k8s.io', kind: 'certificatesigningrequests' });
};

/** Conditions with the times that their writer left out: now, but for a status that has not changed. */
const timed = (conditions: readonly Condition[], old: readonly Condition[], clock: Pick<Clock, 'now'>): readonly Condition[] =>
  conditions.map((condition) => {
    const before = old.find((one) => one.type === condition.type);
    const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
    const now = rfc3339(clock.now());
    return { ...condition, lastUpdateTime: condition.lastUpdateTime ?? now, lastTransitionTime: condition.lastTransitionTime ?? kept ?? now };
  });

/** `/approval`: the conditions and annotations of the body, and nothing else of it but what would be refused. */
export const certificateApproval = ({ authorizer, clock }: Pick<Surroundings, 'authorizer' | 'clock'>): Part => ({
  admitted: false,
  combine: (draft, current, call) => {
    const whole = statusOnly.combine(draft, current, call);
    const status = whole['status'] as Request['status'];
    if (status?.conditions !== undefined) whole['status'] = { ...status, conditions: timed(status.conditions, (current as Request).status?.conditions ?? [], clock) };
    return whole;
  },
  validate: (object, current, { kind, name, user }) => {
    requireSigner(authorizer, user, 'approve', current as Request);
    assertValid(kind, name, [...check(kind, object), ...validateCertificateStatus((object as Request).status, (current as Request).status, { by: 'approver' })]);
  },
});

/** `/status`: the certificate and what went wrong. */
export const certificateStatus = ({ authorizer, clock }: Pick<Surroundings, 'authorizer' | 'clock'>): Part => {
  const { combine } = certificateApproval({ authorizer, clock });
  const failures = ({ status }: Request): readonly Condition[] => (status?.conditions ?? []).filter((one) => one.type === 'Failed');
  return {
    admitted: false,
    combine,
    validate: (object, current, call) => {
      const [next, before] = [object as Request, current as Request];
      if (next.status?.certificate !== before.status?.certificate || !deepEqual(failures(next), failures(before))) requireSigner(authorizer, call.user, 'sign', before);
      statusOnly.validate(object, current, call);
    },
  };
};

/**
 * Who asks for a certificate is for the server to say and not for the body, and nobody can ask for a client certificate
 * of those who may do everything: such a certificate could not be taken back.
 */
import { ApiError } from '../../schemas/errors.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { organizationsIn } from '../../schemas/pkcs10.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const mightyGroup = 'system:masters';

const isRequest = (object: Pick<ApiObject, 'kind' | 'apiVersion'>): boolean => object.kind === 'CertificateSigningRequest' && object.apiVersion === 'certificates.k8s.io/v1';

export const certificateRequests = (): AdmissionPlugin => ({
  name: 'CertificateRequests',
  mutate: (draft, { user, old }) => {
    if (!isRequest(draft) || old !== undefined) return;
    const { spec } = draft as unknown as Draft<Partial<CertificateSigningRequest>>;
    if (spec === undefined) return;
    for (const member of ['username', 'uid', 'groups', 'extra'] as const) delete spec[member];
    spec.username = user.name;
    if (user.uid !== undefined) spec.uid = user.uid;
    spec.groups = [...user.groups];
    if (user.extra !== undefined) spec.extra = Object.fromEntries(Object.entries(user.extra).map(([fact, values]) => [fact, [...values]]));
  },
  admit: (object, { old, name }: AdmissionContext) => {
    if (!isRequest(object) || old !== undefined) return;
    const { signerName, request } = (object as CertificateSigningRequest).spec;
    if (signerName !== clientSigner || !organizationsIn(Buffer.from(request, 'base64').toString('latin1')).includes(mightyGroup)) return;
    throw new ApiError('Forbidden', `certificatesigningrequests.certificates.k8s.io ${JSON.stringify(name)} is forbidden: use of ${clientSigner} signer with ${mightyGroup} group is not allowed`, { name, group: 'certificates.k8s.io', kind: 'certificatesigningrequests' });
  },
});

import { readCertificateRequest, type RequestFacts } from '../../base/certificate-request.ts';
import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { SubjectAccessReview } from '../../schemas/kinds/authorization/subject-access-review.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { signers } from '../certificate-rules.ts';
import { unlessGone } from '../ensure.ts';
import { sortRequest, whyNotGranted, type Granted, type Sorted } from './plan.ts';

const words = {
  nodeclient: 'a new node may have a client certificate', selfnodeclient: 'a node may renew its own client certificate',
  selfnodeserver: 'a node may have a serving certificate for its own addresses',
} as const;

const factsOf = ({ spec }: CertificateSigningRequest): Promise<RequestFacts> => readCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1'));

const isDecided = ({ status }: CertificateSigningRequest): boolean => (status?.conditions ?? []).some(({ type }) => type === 'Approved' || type === 'Denied' || type === 'Failed');

/** Whether the one who asks may ask for this sort: roles say so, as in Kubernetes. */
const mayAsk = async ({ spec }: CertificateSigningRequest, { recognized }: Sorted, { client }: ReconcileContext): Promise<boolean> => {
  const { status } = await client.of(SubjectAccessReview).create({
    metadata: {},
    spec: {
      user: spec.username, groups: spec.groups, uid: spec.uid, extra: spec.extra,
      resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', subresource: recognized, verb: 'create' },
    },
  });
  return status?.allowed === true;
};

/** Requests by which a token got a certificate of this node, other than the one in question. */
const grantedTo = async (facts: RequestFacts, { metadata }: CertificateSigningRequest, { informer }: ReconcileContext): Promise<readonly Granted[]> => {
  const approved = informer(CertificateSigningRequest).list().filter((one) => one.metadata.uid !== metadata.uid && one.spec.signerName === signers.nodeClient
    && one.spec.username !== facts.commonNames[0] && (one.status?.conditions ?? []).some(({ type }) => type === 'Approved'));
  const read = await Promise.all(approved.map(async (one) => ({ name: one.metadata.name ?? '', facts: await factsOf(one) })));
  return read.filter((one) => one.facts.commonNames[0] === facts.commonNames[0]).map(({ name, facts: { publicKeyHash } }) => ({ name, publicKeyHash }));
};

const decide = (request: CertificateSigningRequest, { client }: ReconcileContext, decision: { readonly type: 'Approved' | 'Denied'; readonly reason: string; readonly message: string }): Promise<void> =>
  unlessGone(client.transport.send({
    verb: 'update', group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests', name: request.metadata.name, subresource: 'approval',
    body: { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), { ...decision, status: 'True' }] } },
  }));

/** Approves or denies what agents and new nodes ask for, and leaves everything else to people. The condition says why. */
export const certificateApproverController = (): Controller<CertificateSigningRequest> => ({
  name: 'csrapproving',
  reconciles: CertificateSigningRequest,
  reads: [Node],
  // One at a time: of two that want to be the same new node the second must see the first.
  workers: 1,
  reconcile: async (request, _key, context) => {
    if (request === undefined || isDecided(request)) return;
    const { signerName, usages = [], username = '' } = request.spec;
    if (signerName !== signers.nodeClient && signerName !== signers.nodeServing) return;
    const facts = await factsOf(request);
    const sorted = sortRequest({ signerName, facts, usages, username });
    if (sorted === undefined) return;
    const deny = (message: string): Promise<void> => decide(request, context, { type: 'Denied', reason: 'NotAllowed', message });
    if ('deny' in sorted) return deny(sorted.deny);
    if (!await mayAsk(request, sorted, context)) {
      context.log.debug('a request for a certificate waits for a person', { request: request.metadata.name, username, recognized: sorted.recognized });
      return;
    }
    // What the informer knows may be a moment old, and both of its mistakes would be grave.
    const node = await context.client.of(Node).find({ name: sorted.nodeName });
    const others = context.informer(Node).list().filter(({ metadata }) => metadata.name !== sorted.nodeName);
    const granted = sorted.recognized === 'nodeclient' ? await grantedTo(facts, request, context) : [];
    const why = whyNotGranted(sorted, facts, { node, others, granted });
    if (why !== undefined) return deny(why);
    return decide(request, context, { type: 'Approved', reason: 'AutoApproved', message: words[sorted.recognized] });
  },
});

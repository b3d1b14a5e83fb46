/** Kubernetes' rules for the certificates that its three signers give, for who approves and for who signs. */
import type { RequestFacts } from '../base/certificate-request.ts';

export const signers = {
  /** Certificates by which the agents of nodes are known to the API server. */
  nodeClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  /** Certificates of agents' own servers. */
  nodeServing: 'kubernetes.io/kubelet-serving',
  /** Certificates of all other clients; approved by people only. */
  client: 'kubernetes.io/kube-apiserver-client',
} as const;

export const nodeNamePrefix = 'system:node:';
export const nodesOrganization = 'system:nodes';
const mightyOrganization = 'system:masters';

const quoted = (words: readonly string[]): string => words.map((word) => JSON.stringify(word)).join(', ') || 'none';

const whyNotUsages = (usages: readonly string[], needed: readonly string[]): string | undefined => {
  const allowed = [...needed, 'key encipherment'];
  if (needed.every((usage) => usages.includes(usage)) && usages.every((usage) => allowed.includes(usage))) return undefined;
  return `spec.usages: must be ${quoted(needed)} and may be "key encipherment" too, not ${quoted(usages)}`;
};

const whyNotNodeSubject = ({ commonNames, organizations }: RequestFacts): string | undefined => {
  if (organizations.length !== 1 || organizations[0] !== nodesOrganization) return `the subject's organization must be ${JSON.stringify(nodesOrganization)} alone, not ${quoted(organizations)}`;
  if (!commonNames[0]!.startsWith(nodeNamePrefix) || commonNames[0] === nodeNamePrefix) return `the subject's common name must be "${nodeNamePrefix}NAME", not ${quoted(commonNames)}`;
  return undefined;
};

const whyNotNames = (facts: RequestFacts, allowed: readonly ('dnsNames' | 'ipAddresses' | 'emailAddresses' | 'uris')[]): string | undefined => {
  const words = { dnsNames: 'DNS', ipAddresses: 'IP', emailAddresses: 'email', uris: 'URI' } as const;
  for (const [kind, word] of Object.entries(words) as [keyof typeof words, string][]) {
    if (!allowed.includes(kind) && facts[kind].length > 0) return `${word} subjectAltNames are not allowed: ${quoted(facts[kind])}`;
  }
  return facts.otherNames.length === 0 ? undefined : `subjectAltNames of other sorts are not allowed: ${quoted(facts.otherNames)}`;
};

/** Why the signer can never give this certificate, or undefined. Rules of Kubernetes' documentation of signers, and of nobody's becoming system:masters. */
export const whyNotSigned = (signerName: string, facts: RequestFacts, usages: readonly string[]): string | undefined => {
  if (facts.commonNames.length !== 1 || facts.commonNames[0] === '') return `the subject must have exactly one common name, not ${quoted(facts.commonNames)}`;
  switch (signerName) {
    case signers.nodeClient:
      return whyNotNodeSubject(facts) ?? whyNotNames(facts, []) ?? whyNotUsages(usages, ['digital signature', 'client auth']);
    case signers.nodeServing:
      if (facts.dnsNames.length + facts.ipAddresses.length === 0) return 'a DNS or IP subjectAltName is required';
      return whyNotNodeSubject(facts) ?? whyNotNames(facts, ['dnsNames', 'ipAddresses']) ?? whyNotUsages(usages, ['digital signature', 'server auth']);
    case signers.client: {
      if (facts.organizations.includes(mightyOrganization)) return `the organization ${mightyOrganization} is not given away: such a certificate could not be taken back`;
      const usage = usages.find((one) => !['digital signature', 'key encipherment', 'client auth'].includes(one));
      if (usage !== undefined) return `spec.usages: ${JSON.stringify(usage)} is not for the certificate of a client`;
      if (!usages.includes('client auth')) return 'spec.usages: "client auth" is required';
      return whyNotNames(facts, ['dnsNames', 'ipAddresses', 'emailAddresses', 'uris']);
    }
    default:
      return `there is no signer ${signerName}`;
  }
};

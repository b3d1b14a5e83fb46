/**
 * Which requests of agents are approved without a person. A join token makes new nodes and nothing else: whoever stole one
 * can not become a node that is there, whose Secrets he would read. A node renews its own certificate as long as its Node
 * object is there, and gets serving certificates for the addresses of that Node, which are nobody else's.
 */
import { isIP } from 'node:net';
import { canonicalAddress } from '../../base/pki.ts';
import type { RequestFacts } from '../../base/certificate-request.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { whyNotDnsSubdomain } from '../../schemas/names.ts';
import { nodeNamePrefix, signers, whyNotSigned } from '../certificate-rules.ts';

/** What a request is recognized as: the subresource of certificatesigningrequests that its author must be allowed to create. */
export type Recognized = 'nodeclient' | 'selfnodeclient' | 'selfnodeserver';

export interface ApprovalInput {
  readonly signerName: string;
  readonly facts: RequestFacts;
  readonly usages: readonly string[];
  /** Who asks. */
  readonly username: string;
}

export interface Sorted {
  readonly recognized: Recognized;
  readonly nodeName: string;
}

/** What sort of request it is; why it can never be granted; or undefined for one that people decide about. */
export const sortRequest = ({ signerName, facts, usages, username }: ApprovalInput): Sorted | { readonly deny: string } | undefined => {
  if (signerName !== signers.nodeClient && signerName !== signers.nodeServing) return undefined;
  const why = whyNotSigned(signerName, facts, usages);
  if (why !== undefined) return { deny: why };
  const commonName = facts.commonNames[0]!;
  const nodeName = commonName.slice(nodeNamePrefix.length);
  const whyNotName = whyNotDnsSubdomain(nodeName);
  if (whyNotName !== undefined) return { deny: `${JSON.stringify(nodeName)} cannot be the name of a node: ${whyNotName}` };
  const own = username === commonName;
  if (signerName === signers.nodeClient) return { recognized: own ? 'selfnodeclient' : 'nodeclient', nodeName };
  return own ? { recognized: 'selfnodeserver', nodeName } : { deny: `only ${commonName} itself gets its serving certificate, not ${username}` };
};

/** Another request for the same node's certificate that was granted. */
export interface Granted {
  readonly name: string;
  readonly publicKeyHash: string;
}

export interface NodesNow {
  /** The node that the certificate would be for, if it is there. */
  readonly node: Node | undefined;
  readonly others: readonly Node[];
  /** Requests for a certificate of this node that were granted to a new node, as long as they are kept. */
  readonly granted: readonly Granted[];
}

const addressesOf = ({ status }: Node): readonly { readonly type: string; readonly address: string }[] => status?.addresses ?? [];
const ipsOf = (node: Node): readonly string[] => addressesOf(node).map(({ address }) => address).filter((address) => isIP(address) !== 0).map(canonicalAddress);

/** Names by which the API server is known inside a cluster, or a machine to itself. */
const everybodys = /^(localhost(\..*)?|kubernetes(\..*)?)$/;

const whyNotServing = (nodeName: string, { dnsNames, ipAddresses }: RequestFacts, node: Node, others: readonly Node[]): string | undefined => {
  const wrongName = dnsNames.find((name) => name !== nodeName || isIP(name) !== 0 || everybodys.test(name));
  if (wrongName !== undefined) return `node ${nodeName} gets no serving certificate for the name ${wrongName}: a node's name is all that its certificate may have`;
  const own = ipsOf(node);
  const strange = ipAddresses.find((address) => !own.includes(address));
  if (strange !== undefined) return `node ${nodeName} gets no serving certificate for ${strange}: the addresses of its Node are ${own.join(', ') || 'not known yet'}`;
  for (const other of others) {
    const shared = ipAddresses.find((address) => ipsOf(other).includes(address));
    if (shared !== undefined) return `node ${nodeName} gets no serving certificate for ${shared}: it is an address of node ${other.metadata.name}; give each node its own with --node-ip`;
  }
  return undefined;
};

/** Why a request of this sort is not granted, or undefined. */
export const whyNotGranted = ({ recognized, nodeName }: Sorted, facts: RequestFacts, { node, others, granted }: NodesNow): string | undefined => {
  if (recognized === 'nodeclient') {
    if (node !== undefined) return `node ${nodeName} is there already, and a token makes new nodes only; if this machine takes its place, delete the Node first: kubectl delete node ${nodeName}`;
    const taken = granted.find(({ publicKeyHash }) => publicKeyHash !== facts.publicKeyHash);
    return taken === undefined ? undefined : `a certificate for node ${nodeName} has just been given to another key by request ${taken.name}; if that machine is not to come, delete the request first: kubectl delete csr ${taken.name}`;
  }
  if (node === undefined) return `node ${nodeName} is not there (any more): a machine whose Node was deleted joins again with a token`;
  return recognized === 'selfnodeclient' ? undefined : whyNotServing(nodeName, facts, node, others);
};

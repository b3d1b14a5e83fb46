/**
 * How a machine becomes a node: it knows the server by the pin of its token, asks for a client certificate as the token's
 * user, and from there on is the node. Nothing of that is repeated at a restart, which has the certificates.
 */
import type { Clock } from '../../../base/clock.ts';
import { certificatesIn } from '../../../base/authorities.ts';
import { whyUnusable, type CertificatePair } from '../../../base/pki.ts';
import { boundTransport } from '../../../client/bound-transport.ts';
import { createClient } from '../../../client/client.ts';
import { createHttpTransport, type HttpTransport } from '../../../client/http-transport.ts';
import { isReason } from '../../../schemas/errors.ts';
import { CommandError } from '../../command.ts';
import { machineAddresses } from '../addresses.ts';
import { nodeUser } from '../part-users.ts';
import { readAuthorities, readClusterInfo } from './cluster-info.ts';
import { fetchAuthority } from './fetch-authority.ts';
import { authorityHash, parseJoinToken, type JoinToken } from './join-token.ts';
import type { KeptMembership, MembershipFiles } from './membership.ts';
import { requestCertificate, RequestRefused } from './request-certificate.ts';

export interface JoinOptions {
  /** URL of the API server; that of the last time where absent. */
  readonly server: string | undefined;
  readonly token: string | undefined;
  /** Undefined: the name of the last time, else `defaultNodeName`. */
  readonly nodeName: string | undefined;
  readonly defaultNodeName: string;
  readonly nodeIp: string | undefined;
  readonly files: MembershipFiles;
  readonly clock: Clock;
  /** Tells the user what is waited for. */
  readonly say: (line: string) => void;
  /** The server, where it has been looked at already. */
  readonly introduction?: Introduction | undefined;
}

/** A server that is the token's, and what the machine is to it. */
export interface Introduction {
  readonly url: URL;
  readonly token: JoinToken;
  /** PEM of the authority by which the server is known. */
  readonly ca: string;
  /** IPv4 address by which others reach this machine. */
  readonly nodeIp: string;
}

const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
const patienceMs = 5_000;

const urlOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') throw new CommandError(`${JSON.stringify(text)} must be the URL of the API server, such as https://192.0.2.1:6443`);
  return url;
};

/** Throws CommandError. */
export const tokenOf = (text: string): JoinToken => {
  try {
    return parseJoinToken(text);
  } catch (error) {
    throw new CommandError(`--token: ${(error as Error).message}`, { cause: error });
  }
};

/** Looks whether the server is the one that the token names; it is told nothing of the token. Throws CommandError for everything that the user can mend. */
export const introduce = async ({ server, token: text, nodeIp }: Pick<JoinOptions, 'server' | 'token' | 'nodeIp'>, signal: AbortSignal): Promise<Introduction> => {
  if (server === undefined || text === undefined) throw new CommandError("a machine that has not joined yet needs the server and a token: barge join https://ADDRESS:6443 --token TOKEN; 'barge token create' on the server prints the line");
  const [url, token] = [urlOf(server), tokenOf(text)];
  const { ca, localAddress } = await fetchAuthority(url, token.authority, signal);
  return { url, token, ca, nodeIp: nodeIp ?? (localAddress === undefined || localAddress.startsWith('127.') ? machineAddresses()[0]! : localAddress) };
};

/** The API as the bearer of the token, for whom it is shown for the first time. */
export const asToken = ({ url, ca, token }: Introduction): HttpTransport => createHttpTransport({ server: url.origin, ca, token: `${token.id}.${token.secret}`, userAgent: 'barge-join' });

/** What is wrong with the token, or the error itself. */
export const tokenError = (error: unknown): unknown => (isReason(error, 'Unauthorized')
  ? new CommandError("the token is not good (any more): it was deleted, rotated, or has ended; 'barge token create' on the server makes another", { cause: error }) : error);

/** Joins for the first time. Throws CommandError for everything that the user can mend. */
const joinAnew = async (options: JoinOptions, signal: AbortSignal): Promise<KeptMembership> => {
  const { clock, say, files } = options;
  const introduction = options.introduction ?? await introduce(options, signal);
  const { url, ca, nodeIp } = introduction;
  const nodeName = options.nodeName ?? options.defaultNodeName;
  const transport = asToken(introduction);
  const over = new AbortController();
  let client: CertificatePair;
  try {
    client = await requestCertificate({
      client: createClient(boundTransport(transport, signal)), clock, signerName: clientSigner, usages: ['digital signature', 'client auth'],
      wanted: { commonName: `${nodeUser.prefix}${nodeName}`, organizations: [nodeUser.group] },
      onRequest: (name) => {
        const cancel = clock.after(patienceMs, () => say(`waiting for somebody to approve the request ${name}: kubectl certificate approve ${name}`));
        over.signal.addEventListener('abort', cancel, { once: true });
      },
    }, AbortSignal.any([signal, over.signal]));
  } catch (error) {
    if (error instanceof RequestRefused) throw new CommandError(error.message, { cause: error });
    throw tokenError(error);
  } finally {
    over.abort();
    transport.close();
  }
  const asNode = createHttpTransport({ server: url.origin, ca, ...client, userAgent: 'barge-join' });
  try {
    const reader = createClient(boundTransport(asNode, signal));
    const membership = { server: url.origin, nodeName, nodeIp, cluster: await readClusterInfo(reader) };
    const kept = { ca: await readAuthorities(reader) ?? ca, client };
    await files.write(membership, kept);
    return { ...membership, ...kept, serving: undefined };
  } finally {
    asNode.close();
  }
};

/** Why what is kept does not go with what is asked for; undefined where it does. */
const whyNotKept = (kept: KeptMembership, { token, nodeName, clock }: JoinOptions): string | undefined => {
  const again = "'barge reset' removes what it kept, and it can join again";
  if (nodeName !== undefined && nodeName !== kept.nodeName) return `this machine has joined as ${kept.nodeName}, not ${nodeName}; ${again}`;
  if (token !== undefined && !certificatesIn(kept.ca).some((one) => authorityHash(one) === tokenOf(token).authority)) return `this machine has joined another cluster, whose authority is ${authorityHash(kept.ca)}, and the token names ${tokenOf(token).authority}; ${again}`;
  const why = whyUnusable(kept.client, { ca: kept.ca, nowMs: clock.now(), remainingDays: 0, commonName: `${nodeUser.prefix}${kept.nodeName}` });
  return why === undefined ? undefined : `the certificate of ${kept.nodeName} is of no use: ${why}; ${again} when its Node was deleted (kubectl delete node ${kept.nodeName})`;
};

/** What this machine has kept of having joined, brought in line with what is asked for; joins where it has not. */
export const joinCluster = async (options: JoinOptions, signal: AbortSignal): Promise<KeptMembership> => {
  const kept = await options.files.read();
  if (kept === undefined) return joinAnew(options, signal);
  const why = whyNotKept(kept, options);
  if (why !== undefined) throw new CommandError(why);
  const server = options.server === undefined ? kept.server : urlOf(options.server).origin;
  const nodeIp = options.nodeIp ?? (machineAddresses().includes(kept.nodeIp) || kept.nodeIp.startsWith('127.') ? kept.nodeIp : machineAddresses()[0]!);
  const now = { ...kept, server, nodeIp };
  if (server !== kept.server || nodeIp !== kept.nodeIp) await options.files.update({ server, nodeIp, nodeName: kept.nodeName, cluster: kept.cluster });
  const unfit = now.serving === undefined ? undefined : whyUnusable(now.serving, { ca: now.ca, nowMs: options.clock.now(), remainingDays: 0, ipAddresses: [nodeIp], dnsNames: [now.nodeName] });
  return unfit === undefined ? now : { ...now, serving: undefined };
};

import { connect, type DetailedPeerCertificate } from 'node:tls';
import { isIP, isIPv4 } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { CommandError } from '../../command.ts';
import { authorityHash } from './join-token.ts';

const connectMs = 15_000;

export interface Authority {
  /** PEM of the authority's certificate, whose hash is the pin. */
  readonly ca: string;
  /** IPv4 address of this machine from which the server was reached. */
  readonly localAddress: string | undefined;
}

/** The certificates that a server sent, its own first. */
const chainOf = (peer: DetailedPeerCertificate): readonly X509Certificate[] => {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  for (let at: DetailedPeerCertificate | undefined = peer; at?.raw !== undefined && !seen.has(at.fingerprint256); at = at.issuerCertificate) {
    seen.add(at.fingerprint256);
    chain.push(new X509Certificate(at.raw));
  }
  return chain;
};

/** Whether each certificate up to that of the authority was signed by the next: directly, or by one that the authority has signed. */
const leads = (chain: readonly X509Certificate[], ca: X509Certificate): boolean => {
  const issuers = chain.slice(1, chain.indexOf(ca) + 1);
  return issuers.length > 0 && issuers.every((issuer, index) => issuer.ca && chain[index]!.verify(issuer.publicKey));
};

/**
 * Asks a server for the certificate of its authority and takes it only if it is the one that the pin names and has signed
 * the server's own. The connection carries a handshake and nothing else: nothing is said to a server that is not known.
 */
export const fetchAuthority = async (url: URL, pin: string, signal: AbortSignal): Promise<Authority> => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve, reject } = Promise.withResolvers<Authority>();
  const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : {}) });
  const stop = (): void => void socket.destroy(new Error('interrupted'));
  signal.addEventListener('abort', stop, { once: true });
  socket.setTimeout(connectMs, () => socket.destroy(new Error(`no answer within ${connectMs / 1_000} s`)));
  socket.once('error', (error) => reject(new CommandError(`${url.origin}: ${error.message}`, { cause: error })));
  socket.once('secureConnect', () => {
    const chain = chainOf(socket.getPeerCertificate(true));
    const ca = chain.find((one) => one.ca && authorityHash(one) === pin);
    const last = chain.at(-1);
    if (ca === undefined) {
      reject(new CommandError(`${url.origin} is not the server that the token is for, and was told nothing: the token names the authority ${pin}, the server shows ${last === undefined ? 'none' : authorityHash(last)}`));
    } else if (!leads(chain, ca)) {
      reject(new CommandError(`${url.origin} is not the server that the token is for, and was told nothing: it shows the authority ${pin}, which has not signed its certificate`));
    } else {
      resolve({ ca: ca.toString(), localAddress: socket.localAddress !== undefined && isIPv4(socket.localAddress) ? socket.localAddress : undefined });
    }
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
};

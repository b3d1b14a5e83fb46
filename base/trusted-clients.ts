import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificatesIn, signerAmong } from './authorities.ts';

/**
 * The open connections of a TLS server that knows its clients by certificates. A certificate is checked at the
 * handshake alone, against the authorities at its beginning; when one is dropped, this ends the connections that it let in.
 */
export class TrustedClients {
  readonly #open = new Set<TLSSocket>();
  /** Undefined as long as they are those of the first handshake: OpenSSL's check is enough then. */
  #authorities: readonly X509Certificate[] | undefined;

  /** To be called with each connection of which the handshake is done. */
  add(socket: TLSSocket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#cutStranger(socket);
  }

  /** Ends the connections of clients whose certificates none of these authorities (PEM) has signed, now and from now on. */
  trust(authorities: string): void {
    this.#authorities = certificatesIn(authorities);
    for (const socket of this.#open) this.#cutStranger(socket);
  }

  /** Ends all connections. */
  cutAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #cutStranger(socket: TLSSocket): void {
    // Who is not authorized has shown no certificate, or is refused with words in each request.
    if (this.#authorities === undefined || !socket.authorized) return;
    const certificate = socket.getPeerX509Certificate();
    if (certificate !== undefined && signerAmong(this.#authorities, certificate) === undefined) socket.destroy();
  }
}

import type { Overlay, Peer, Self } from './overlay.ts';
import { parseSubnet } from './subnets.ts';

/** An overlay that remembers which other nodes it was told of last. */
export class KnownPeers implements Overlay {
  readonly #overlay: Overlay;
  #peers: readonly Peer[] = [];

  constructor(overlay: Overlay) {
    this.#overlay = overlay;
  }

  get name(): string {
    return this.#overlay.name;
  }

  get overheadBytes(): number {
    return this.#overlay.overheadBytes;
  }

  /** The address of each other node on its own pods' bridge. */
  gatewayIps(): readonly string[] {
    return this.#peers.flatMap(({ podCidr }) => {
      try {
        return [parseSubnet(podCidr).gatewayIp];
      } catch {
        // The overlay leaves such a node out, and says why.
        return [];
      }
    });
  }

  prepare(self: Self): Promise<{ readonly gatewayIp: string }> {
    return this.#overlay.prepare(self);
  }

  async apply(peers: readonly Peer[]): Promise<void> {
    this.#peers = peers;
    await this.#overlay.apply(peers);
  }

  isUndisturbed(): Promise<boolean> {
    return this.#overlay.isUndisturbed();
  }

  remove(): Promise<void> {
    return this.#overlay.remove();
  }
}

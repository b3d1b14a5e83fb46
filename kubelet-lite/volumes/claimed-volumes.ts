import { stat } from 'node:fs/promises';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { NodeIdentity } from '../../schemas/node-selector.ts';
import type { PodClaim } from '../../schemas/volumes/pod-claims.ts';
import { ConfigError } from '../config-error.ts';
import { planClaimMount } from './claim-mount.ts';
import { hostPath } from './host-path.ts';
import type { LocalDirs } from './local-dirs.ts';

export interface ClaimedVolumesOptions {
  readonly dirs: LocalDirs;
  readonly node: () => NodeIdentity;
  /** The copy of a claim that a pod of this node names. */
  readonly claim: (namespace: string, name: string) => PersistentVolumeClaim | undefined;
  readonly volume: (name: string) => Promise<PersistentVolume | undefined>;
}

export interface ClaimedPath {
  readonly path: string;
  /** Whether a pod's fsGroup is to own it, which a path of the whole node never is. */
  readonly takesGroup: boolean;
}

/** Volumes of claims on this node, and which of its pods use them. */
export class ClaimedVolumes {
  readonly #o: ClaimedVolumesOptions;
  /** Uids of pods by the name of the folder that they use. */
  readonly #users = new Map<string, Set<string>>();

  constructor(options: ClaimedVolumesOptions) {
    this.#o = options;
  }

  /** Where the volume of a pod's claim is, made where it is this agent's to make. Rejects with ConfigError that says why it is not there. */
  async mount(pod: Pod, podClaim: PodClaim): Promise<ClaimedPath> {
    const claim = this.#o.claim(pod.metadata.namespace ?? '', podClaim.claimName);
    const name = claim?.spec.volumeName ?? '';
    const volume = name === '' ? undefined : await this.#o.volume(name);
    const mount = planClaimMount({ pod, podClaim, claim, volume, node: this.#o.node() });
    if (mount.from === 'hostPath') return { path: await hostPath(mount.source), takesGroup: false };
    if (mount.from === 'local') {
      const found = await stat(mount.path).catch(() => undefined);
      if (found?.isDirectory() !== true) throw new ConfigError(`path ${JSON.stringify(mount.path)} of volume "${name}" ${found === undefined ? 'does not exist' : 'is not a directory'}`);
      return { path: mount.path, takesGroup: true };
    }
    const folder = this.#o.dirs.nameAt(mount.path);
    if (folder === undefined) throw new ConfigError(`path ${JSON.stringify(mount.path)} of volume "${name}" is not in this node's folder of volumes, ${this.#o.dirs.dir}`);
    const users = this.#users.get(folder) ?? new Set();
    this.#users.set(folder, users.add(pod.metadata.uid ?? ''));
    return { path: await this.#o.dirs.make(folder), takesGroup: true };
  }

  /** The pod uses nothing any more. */
  release(podUid: string): void {
    for (const [folder, users] of this.#users) {
      users.delete(podUid);
      if (users.size === 0) this.#users.delete(folder);
    }
  }

  /** Whether a pod of this node uses a folder. */
  isUsed(folder: string): boolean {
    return this.#users.has(folder);
  }
}

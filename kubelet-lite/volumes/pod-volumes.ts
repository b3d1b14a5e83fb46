/** The volumes of a pod on disk: `<dataDir>/pods/<uid>/volumes/<name>`, made before the sandbox and gone with the pod. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryBytes } from '../../schemas/quantity.ts';
import type { Volume } from '../../schemas/types/volume.ts';
import { podClaims, type PodClaim } from '../../schemas/volumes/pod-claims.ts';
import { ConfigError, unsupported } from '../config-error.ts';
import { writeAtomically } from './atomic-dir.ts';
import type { ClaimedVolumes } from './claimed-volumes.ts';
import { hostPath } from './host-path.ts';
import type { Mounts } from './mounts.ts';
import { giveToGroup, isGivenTo } from './ownership.ts';
import { hasPayload, payloadOf, type PayloadInput } from './payload.ts';
import { bindSubPath } from './sub-path.ts';

export interface PodVolumesOptions {
  readonly mounts: Mounts;
  readonly claimed: Pick<ClaimedVolumes, 'mount'>;
  /** Is told what is not as it should be, and does not keep the pod from running. */
  readonly warn: (message: string) => void;
}

export class PodVolumes {
  readonly #dir: string;
  readonly #mounts: Mounts;
  readonly #claimed: PodVolumesOptions['claimed'];
  readonly #paths = new Map<string, string>();
  readonly #warn: (message: string) => void;

  /** `podDir` is this pod's own folder. */
  constructor(podDir: string, { mounts, claimed, warn }: PodVolumesOptions) {
    this.#dir = podDir;
    this.#mounts = mounts;
    this.#claimed = claimed;
    this.#warn = warn;
  }

  /** Makes all volumes, or finds them; rejects with ConfigError that names the volume. */
  async prepare(input: PayloadInput): Promise<void> {
    for (const volume of input.pod.spec?.volumes ?? []) {
      if (this.#paths.has(volume.name)) continue;
      try {
        this.#paths.set(volume.name, await this.#make(volume, input));
      } catch (error) {
        throw new ConfigError(`MountVolume.SetUp failed for volume "${volume.name}": ${error instanceof Error ? error.message : String(error)}`, error instanceof ConfigError && error.unsupported);
      }
    }
  }

  /** Brings the volumes that are made from API objects up to date, in place. */
  async refresh(input: PayloadInput): Promise<void> {
    for (const volume of input.pod.spec?.volumes ?? []) {
      if (hasPayload(volume) && this.#paths.has(volume.name)) await writeAtomically(this.#path(volume.name), await payloadOf(volume, input), groupOf(input));
    }
  }

  /** Where a volume is on the node; with a sub path, a bind of that part which links cannot lead astray. */
  async pathOf(volume: string, mount: { readonly container: string; readonly index: number; readonly subPath: string }): Promise<string> {
    const path = this.#paths.get(volume);
    if (path === undefined) throw new ConfigError(`volume "${volume}" is not one of the pod's volumes`);
    if (mount.subPath === '') return path;
    return bindSubPath(this.#mounts, path, mount.subPath, join(this.#dir, 'subpaths', mount.container, String(mount.index)));
  }

  /** Takes away everything of the pod on this node's disk. */
  async remove(): Promise<void> {
    for (const point of await this.#mounts.under(this.#dir)) await this.#mounts.unmount(point);
    try {
      await rm(this.#dir, { recursive: true, force: true });
    } catch (error) {
      // Without root, what other users' processes wrote cannot be removed; that must not keep the pod for ever.
      if (this.#mounts.allowed || !['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      this.#warn(`files of other users are left in ${this.#dir}`);
    }
    this.#paths.clear();
  }

  #path(name: string): string {
    return join(this.#dir, 'volumes', name);
  }

  async #make(volume: Volume, input: PayloadInput): Promise<string> {
    const path = this.#path(volume.name);
    const groupId = groupOf(input);
    if (hasPayload(volume)) {
      await writeAtomically(path, await payloadOf(volume, input), groupId);
      return path;
    }
    if (volume.hostPath !== undefined) return hostPath(volume.hostPath);
    const claim = podClaims(input.pod).find((one) => one.volume.name === volume.name);
    if (claim !== undefined) return this.#ofClaim(claim, input);
    const kinds = Object.keys(volume).filter((key) => key !== 'name');
    if (volume.emptyDir === undefined && kinds.length > 0) throw unsupported(`a volume of kind ${kinds.join(', ')}`);
    await mkdir(path, { recursive: true });
    if (volume.emptyDir?.medium === 'Memory') await this.#inMemory(path, volume);
    else if ((volume.emptyDir?.medium ?? '') !== '') throw unsupported(`an emptyDir with medium ${volume.emptyDir?.medium}`);
    await chmod(path, 0o777);
    if (groupId !== undefined) await giveToGroup(path, groupId);
    return path;
  }

  async #ofClaim(claim: PodClaim, input: PayloadInput): Promise<string> {
    const { path, takesGroup } = await this.#claimed.mount(input.pod, claim);
    const groupId = groupOf(input);
    if (groupId === undefined || !takesGroup || claim.volume.persistentVolumeClaim?.readOnly === true) return path;
    const policy = input.pod.spec?.securityContext?.fsGroupChangePolicy;
    if (policy !== 'OnRootMismatch' || !await isGivenTo(path, groupId)) await giveToGroup(path, groupId);
    return path;
  }

  async #inMemory(path: string, { name, emptyDir: { sizeLimit } = {} }: Volume): Promise<void> {
    if (!this.#mounts.allowed) return this.#warn(`volume "${name}" is on disk and without a size limit: a volume in memory needs root`);
    if ((await this.#mounts.under(path)).length > 0) return;
    await this.#mounts.tmpfs(path, sizeLimit === undefined || sizeLimit === '0' ? undefined : memoryBytes(sizeLimit));
  }
}

const groupOf = ({ pod }: PayloadInput): number | undefined => pod.spec?.securityContext?.fsGroup;

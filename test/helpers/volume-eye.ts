/** An eye on claims and volumes that notes what must never be: two that are bound to one, and one that changes hands. */
import type { Client } from '../../client/client.ts';
import type { ApiObject, Kind } from '../../schemas/kind.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';

export class VolumeEye {
  readonly claims = new Map<string, PersistentVolumeClaim>();
  readonly volumes = new Map<string, PersistentVolume>();
  readonly #wrong: (what: string) => void;
  /** By the UID of a claim or volume: what it was bound to first. */
  readonly #partners = new Map<string, string>();

  constructor(wrong: (what: string) => void) {
    this.#wrong = wrong;
  }

  /** Follows both, from now until the signal aborts. */
  async run(client: Client, signal: AbortSignal): Promise<void> {
    const follow = async <T extends ApiObject>(kind: Kind<T>, held: Map<string, T>, partner: (object: T) => string | undefined): Promise<void> => {
      const { metadata } = await client.of(kind).list();
      for await (const events of client.of(kind).watch({ resourceVersion: metadata.resourceVersion }, signal)) {
        for (const { type, object } of events) {
          if (type === 'BOOKMARK') continue;
          if (type === 'DELETED') held.delete(object.metadata.uid!);
          else held.set(object.metadata.uid!, object);
          this.#look(held, object, partner);
        }
      }
    };
    await Promise.all([
      follow(PersistentVolumeClaim, this.claims, ({ spec }) => spec.volumeName),
      follow(PersistentVolume, this.volumes, ({ spec }) => spec.claimRef?.uid),
    ]);
  }

  #look<T extends ApiObject>(held: ReadonlyMap<string, T>, object: T, partner: (object: T) => string | undefined): void {
    const name = `${object.kind} ${object.metadata.name}`;
    const its = partner(object) ?? '';
    if (its === '') return;
    const first = this.#partners.get(object.metadata.uid!) ?? its;
    this.#partners.set(object.metadata.uid!, first);
    if (first !== its) this.#wrong(`${name} was bound to ${first} and then to ${its}`);
    const others = [...held.values()].filter((one) => one !== object && partner(one) === its);
    if (others.length > 0) this.#wrong(`${name} and ${others[0]!.metadata.name} are both bound to ${its}`);
  }
}

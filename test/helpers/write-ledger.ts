import type { ResourceClient } from '../../client/client.ts';
import { isReason } from '../../schemas/errors.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';

/** What may stand under a name: a value and its version, or nothing. */
export type State = { readonly value: string; readonly revision: string | undefined } | undefined;

export const namespace = 'default';
const refusedValue = 'must never be seen';

/** What a list or event shows of a config map of ours. */
export const stateOf = (object: ConfigMap): NonNullable<State> => ({ value: object.data?.['value'] ?? '', revision: object.metadata.resourceVersion });

const shown = (state: State): string => (state === undefined ? 'nothing' : `${state.value}@${state.revision ?? 'any'}`);

/**
 * One writer of names that nobody else writes. It notes what the server acknowledged; a request that broke off leaves
 * two states possible until the next look. It also writes what must be refused.
 */
export class WriteLedger {
  readonly #prefix: string;
  readonly #possible = new Map<string, readonly State[]>();
  #count = 0;
  acknowledged = 0;
  highestRevision = 0;
  readonly wrongs: string[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Writes on and on until the server goes away. */
  async write(client: ResourceClient<ConfigMap>): Promise<void> {
    for (;;) {
      const name = `${this.#prefix}-${this.#count % 7}`;
      const value = `${this.#prefix} ${this.#count++}`;
      const before = this.#possible.get(name)?.[0];
      try {
        if (before === undefined) await this.#try(name, before, value, () => client.create({ metadata: { name, namespace }, data: { value } }));
        else if (this.#count % 5 === 0) await this.#try(name, before, undefined, () => client.delete({ name, namespace }));
        else await this.#try(name, before, value, () => client.patch({ name, namespace }, 'merge', { data: { value } }));
        if (this.#count % 3 === 0) await this.#refused(client, name);
      } catch (error) {
        if (isReason(error, 'ServiceUnavailable')) return;
        throw error;
      }
    }
  }

  async #try(name: string, before: State, value: string | undefined, request: () => Promise<ConfigMap | void>): Promise<void> {
    const after: State = value === undefined ? undefined : { value, revision: undefined };
    this.#possible.set(name, [before, after]);
    const object = await request();
    this.acknowledged++;
    this.#possible.set(name, [object === undefined ? after : stateOf(object)]);
    if (object !== undefined) this.highestRevision = Math.max(this.highestRevision, Number(object.metadata.resourceVersion));
  }

  /** A create of a name that is there, or an update from an old version: 409 either way. */
  async #refused(client: ResourceClient<ConfigMap>, name: string): Promise<void> {
    if (this.#possible.get(name)?.[0] === undefined) return;
    const data = { value: refusedValue };
    const request = this.#count % 2 === 0
      ? client.create({ metadata: { name, namespace }, data })
      : client.update({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace, resourceVersion: '1' }, data });
    const taken = await request.then(() => true, (error: unknown) => {
      if (isReason(error, 'AlreadyExists', 'Conflict')) return false;
      throw error;
    });
    if (taken) this.wrongs.push(`${name}: a write that had to be refused was taken`);
  }

  /** Compares with what the server shows after a restart, and goes on from there. */
  compare(objects: ReadonlyMap<string, ConfigMap>): void {
    for (const [name, possible] of this.#possible) {
      const object = objects.get(name);
      const found = object === undefined ? undefined : stateOf(object);
      const fits = possible.some((one) => one?.value === found?.value && (one?.revision === undefined || one.revision === found?.revision));
      if (!fits) this.wrongs.push(`${name}: ${shown(found)} stands where it should be ${possible.map(shown).join(' or ')}`);
      this.#possible.set(name, [found]);
    }
    for (const name of objects.keys()) if (name.startsWith(`${this.#prefix}-`) && !this.#possible.has(name)) this.wrongs.push(`${name} came from nowhere`);
  }
}

/** What a reader that follows all changes checks of each: nothing refused, nothing twice, nothing backwards. */
export class WatchLedger {
  #last = 0;
  relists = 0;
  events = 0;
  readonly wrongs: string[] = [];

  /** The version from which to watch on. */
  get after(): string {
    return String(this.#last);
  }

  listed(revision: string): void {
    if (Number(revision) < this.#last) this.wrongs.push(`a list at ${revision} after ${this.#last} was seen`);
    this.#last = Number(revision);
    this.relists++;
  }

  saw(type: string, object: ConfigMap): void {
    const revision = Number(object.metadata.resourceVersion);
    if (revision <= this.#last) this.wrongs.push(`${type} ${object.metadata.name} at ${revision} came after ${this.#last}`);
    if (object.data?.['value'] === refusedValue) this.wrongs.push(`${object.metadata.name} was seen with what was refused`);
    this.#last = revision;
    this.events++;
  }
}

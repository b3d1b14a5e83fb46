/**
 * What one reconcile wrote, and whether the informers have seen it. A write is seen when the informer of its kind has
 * reached its revision; a deletion, whose answer carries none, when the object of that uid is no longer held.
 */
import type { ApiAnswer, ApiRequest } from '../schemas/api.ts';
import type { ApiObject } from '../schemas/kind.ts';
import type { Informer } from './informer.ts';
import { keyText, revisionOf } from './key.ts';

/** A resource as informers are found by it. */
export const resourceId = (group: string, plural: string): string => `${group}/${plural}`;

export class OwnWrites {
  readonly #informers: ReadonlyMap<string, Informer<ApiObject>>;
  /** The highest revision written, per resource. */
  readonly #revisions = new Map<Informer<ApiObject>, number>();
  readonly #gone: { readonly informer: Informer<ApiObject>; readonly key: { readonly namespace: string | undefined; readonly name: string }; readonly uid: string }[] = [];

  /** `informers` by resourceId; writes to other resources are nobody's business here. */
  constructor(informers: ReadonlyMap<string, Informer<ApiObject>>) {
    this.#informers = informers;
  }

  /** Takes note of a write that was done. */
  note({ group, resource, namespace, name = '', verb }: ApiRequest, { body }: ApiAnswer): void {
    const informer = this.#informers.get(resourceId(group, resource));
    if (informer === undefined) return;
    const revision = revisionOf(body);
    if (revision > 0) this.#revisions.set(informer, Math.max(this.#revisions.get(informer) ?? 0, revision));
    else if (verb === 'delete' && body.kind === 'Status' && 'details' in body && body.details?.uid !== undefined) this.#gone.push({ informer, key: { namespace, name }, uid: body.details.uid });
  }

  /** True when the informers have seen all of it. */
  get seen(): boolean {
    for (const [informer, revision] of this.#revisions) if (informer.revision < revision) return false;
    return this.#gone.every(({ informer, key, uid }) => informer.get(key)?.metadata.uid !== uid);
  }

  /** Resolves when all of it is seen, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#revisions].map(([informer, revision]) => informer.reached(revision, signal)));
    for (const { informer, key, uid } of this.#gone) {
      if (signal.aborted || informer.get(key)?.metadata.uid !== uid) continue;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          off();
          signal.removeEventListener('abort', done);
          resolve();
        };
        const off = informer.on({ deleted: (object) => {
          if (object.metadata.uid === uid) done();
        } });
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  /** What was written and is not seen, for a log line. */
  get unseen(): readonly string[] {
    return [
      ...[...this.#revisions].filter(([informer, revision]) => informer.revision < revision).map(([informer, revision]) => `${informer.kind.plural} at ${revision}`),
      ...this.#gone.filter(({ informer, key, uid }) => informer.get(key)?.metadata.uid === uid).map(({ informer, key }) => `${informer.kind.plural} ${keyText(key)} deleted`),
    ];
  }
}

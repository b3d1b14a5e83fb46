/** The way of one request past those who are asked about it. */
import { ApiError } from '../../../schemas/errors.ts';
import { deepEqual } from '../../../schemas/frozen.ts';
import type { AnyKind, ApiObject } from '../../../schemas/kind.ts';
import type { WatchCache } from '../../watch/watch-cache.ts';
import { shownIn, takenFrom } from './forms.ts';
import type { Mutator, Scope, Validator } from './hook.ts';
import { formFor, isMeant } from './matching.ts';
import type { Subject, View } from './subject.ts';

/** Those whose rules mean such requests, and the forms in which they can be shown, the client's first. */
export interface Candidates {
  readonly forms: readonly AnyKind[];
  readonly mutators: readonly Mutator[];
  readonly validators: readonly Validator[];
}

export interface ReviewState {
  readonly cache: Pick<WatchCache, 'get'>;
  readonly candidates: Candidates;
  readonly subject: Subject;
  readonly old: ApiObject | undefined;
}

/** What becomes of an object that was changed from outside. */
export interface Mending<T extends ApiObject> {
  /** The changed object, in the given form, as a draft in the stored form with all defaults. Throws what is against it. */
  readonly settle: (changed: unknown, form: AnyKind, before: T) => T;
  /** Lets the cluster's own rules look at the object once more, after others have changed it. */
  readonly rerun?: ((object: T) => void) | undefined;
}

export class Review {
  readonly #state: ReviewState;

  constructor(state: ReviewState) {
    this.#state = state;
  }

  /** True where anybody means the request as it stands. */
  isWanted(object: ApiObject | undefined): boolean {
    const { mutators, validators } = this.#state.candidates;
    return mutators.some((one) => this.#formFor(one.scopes, object) !== undefined) || validators.some((one) => this.#formFor(one.scopes, object) !== undefined);
  }

  /** What those who may change the request make of the object, one after the other; the object itself where nobody changes it. */
  async mutate<T extends ApiObject>(first: T, { settle, rerun }: Mending<T>): Promise<T> {
    const { mutators } = this.#state.candidates;
    let object = first;
    /** What each left behind that wants to be asked again. */
    const seen = new Map<Mutator, T>();
    const ask = async (mutator: Mutator): Promise<void> => {
      const form = this.#formFor(mutator.scopes, object);
      if (form === undefined) return;
      const changed = await mutator.mutate(await this.#view(form, object));
      if (changed !== undefined) {
        const taken = await takenFrom(form, this.#state.subject.call.kind, changed);
        object = settle(taken.changed, taken.form, object);
      }
      if (mutator.again) seen.set(mutator, object);
    };
    for (const mutator of mutators) await ask(mutator);
    if (object === first) return object;
    rerun?.(object);
    for (const [mutator, left] of seen) if (left !== object && !deepEqual(left, object)) await ask(mutator);
    return object;
  }

  /** For requests that may only be refused: deletions, connections, questions. Throws what is against them. */
  async permit(object: ApiObject | undefined): Promise<void> {
    for (const mutator of this.#state.candidates.mutators) {
      const form = this.#formFor(mutator.scopes, object);
      if (form === undefined) continue;
      const view = await this.#view(form, object);
      const changed = await mutator.mutate(view);
      if (changed !== undefined && !deepEqual(changed, view.object)) throw new ApiError('InternalError', `Internal error occurred: admission webhook ${JSON.stringify(mutator.name)} attempted to modify the object, which is not supported for this operation`);
    }
    await this.validate(object);
  }

  /** Asks all who judge the request, at the same time, and throws what the first of them in order has against it. */
  async validate(object: ApiObject | undefined): Promise<void> {
    const asked = this.#state.candidates.validators.flatMap((validator) => {
      const form = this.#formFor(validator.scopes, object);
      return form === undefined ? [] : [this.#view(form, object).then((view) => validator.validate(view))];
    });
    for (const result of await Promise.allSettled(asked)) if (result.status === 'rejected') throw result.reason;
  }

  /** The form in which those with these scopes are shown the request; undefined where one of them does not mean it. */
  #formFor(scopes: readonly Scope[], object: ApiObject | undefined): AnyKind | undefined {
    const { cache, candidates, subject, old } = this.#state;
    let first: AnyKind | undefined;
    for (const scope of scopes) {
      const form = formFor(scope, subject, candidates.forms);
      if (form === undefined || !isMeant(scope, subject, { form, object, old, cache })) return undefined;
      first ??= form;
    }
    return first;
  }

  async #view(form: AnyKind, object: ApiObject | undefined): Promise<View> {
    const { subject, old } = this.#state;
    if (subject.body !== undefined) return { subject, form, object, old };
    const { kind } = subject.call;
    return { subject, form, object: object && await shownIn(form, kind, object), old: old && await shownIn(form, kind, old) };
  }
}

/** One of those who are asked about requests: a webhook, or a policy that a binding has put into force. */
import type { LabelMatcher } from '../../../schemas/label-selector.ts';
import type { Rule } from './rules.ts';
import type { View } from './subject.ts';

/** Which requests are meant; what is compiled from rules and selectors. */
export interface Scope {
  readonly rules: readonly Rule[];
  readonly excluded: readonly Rule[];
  readonly matchPolicy: string;
  readonly namespaces: LabelMatcher;
  readonly objects: LabelMatcher;
}

interface Asked {
  /** For the log and for messages. */
  readonly name: string;
  /** All must mean a request. The first says in which form it is shown. */
  readonly scopes: readonly Scope[];
}

export interface Mutator extends Asked {
  /** Asked once more where others have changed the object since. */
  readonly again: boolean;
  /** The changed object in the form of the view, or undefined where it stays. Throws ApiError for a refusal. */
  mutate(view: View): Promise<unknown>;
}

export interface Validator extends Asked {
  /** Throws ApiError for a refusal. */
  validate(view: View): Promise<void>;
}

/** Those who are asked, in order. */
export interface Hooks {
  readonly mutators: readonly Mutator[];
  readonly validators: readonly Validator[];
}

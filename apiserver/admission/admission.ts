/**
 * Admission is what the cluster has to say about a write beyond the kind's own schema and checks: defaults that depend on
 * the cluster, addresses that must be unique, namespaces that are about to go. Each rule is one plugin; they run in the
 * order of the list, inside the write's transaction.
 */
import type { UserInfo } from '../../schemas/api.ts';
import type { Draft } from '../../schemas/frozen.ts';
import type { AnyKind, ApiObject } from '../../schemas/kind.ts';
import type { Annotate } from '../audit/auditor.ts';
import type { Attempt } from '../verbs/object-writer.ts';

export interface AdmissionContext {
  readonly kind: AnyKind;
  readonly user: UserInfo;
  readonly namespace: string;
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** The stored object on an update. */
  readonly old: ApiObject | undefined;
  /** What the client's user should know, although the write is done. */
  readonly warnings: Set<string>;
  /** Adds a fact to the audit log's events of the request: `context.audit?.('example.com/why', 'because')`. */
  readonly audit?: Annotate | undefined;
  /** The transaction that the write will be. */
  readonly attempt: Attempt;
}

/** One rule. Whatever it refuses it throws as ApiError. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Changes the object of a create or update before it is validated. */
  mutate?(draft: Draft<ApiObject>, context: AdmissionContext): void;
  /** Fills in what no client may say, such as a status that follows the spec at once; runs after all that mutates. */
  complete?(draft: Draft<ApiObject>, context: AdmissionContext): void;
  /** Looks at the object of a create or update after it was validated. */
  admit?(object: ApiObject, context: AdmissionContext): void;
  /** Somebody asks for the object to be deleted. */
  deleting?(object: ApiObject, context: AdmissionContext): void;
  /** The object goes now: whatever was reserved for it is given back. */
  removed?(object: ApiObject, context: AdmissionContext): void;
}

export type Admission = Required<Omit<AdmissionPlugin, 'name'>>;

export const createAdmission = (plugins: readonly AdmissionPlugin[]): Admission => ({
  mutate: (draft, context) => {
    for (const plugin of plugins) plugin.mutate?.(draft, context);
  },
  complete: (draft, context) => {
    for (const plugin of plugins) plugin.complete?.(draft, context);
  },
  admit: (object, context) => {
    for (const plugin of plugins) plugin.admit?.(object, context);
  },
  deleting: (object, context) => {
    for (const plugin of plugins) plugin.deleting?.(object, context);
  },
  removed: (object, context) => {
    for (const plugin of plugins) plugin.removed?.(object, context);
  },
});

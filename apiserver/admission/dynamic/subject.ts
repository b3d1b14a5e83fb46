/** A request as those who are asked about it see it. */
import type { ApiObject, AnyKind } from '../../../schemas/kind.ts';
import type { Call } from '../../verbs/call.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What is asked about a call. */
export interface Question {
  readonly operation: Operation;
  /** Name of the object; of the call where absent. */
  readonly name?: string | undefined;
  /** What is to be stored, or is sent to a subresource; undefined for a deletion. */
  readonly object: ApiObject | undefined;
  /** What stands there now; undefined for what is new. */
  readonly old: ApiObject | undefined;
  /** Kind of the objects, where they are not of the resource itself: Scale, Binding, PodExecOptions, ... */
  readonly body?: GroupVersionKind | undefined;
}

/** What stays the same about a request while it is changed and judged. */
export interface Subject {
  readonly call: Call;
  readonly operation: Operation;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly body: GroupVersionKind | undefined;
}

/** The request in the form in which one of those who are asked wants it. */
export interface View {
  readonly subject: Subject;
  /** The kind whose version the rule names. */
  readonly form: AnyKind;
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
}

export const subjectOf = (call: Call, { operation, name = call.name, body }: Question): Subject => ({
  call, operation, subresource: call.request.subresource ?? '', namespace: call.namespace, name, body,
});

/** Group, version and kind of what a view shows. */
export const kindOf = ({ subject, form }: Pick<View, 'subject' | 'form'>): GroupVersionKind => subject.body ?? { group: form.group, version: form.version, kind: form.kind };

/** The kind that the client speaks. */
export const requestedOf = ({ kind, served = kind }: Pick<Call, 'kind' | 'served'>): AnyKind => served;

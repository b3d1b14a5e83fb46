import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { validateFinalizer } from '../../schemas/validation/object-meta.ts';
import { assertValid, type ObjectDraft } from '../verbs/body.ts';
import type { Part } from '../verbs/update.ts';

/** `/finalize` of a namespace changes spec.finalizers and nothing else; the last one to go lets a deleted namespace go. */
export const namespaceFinalizers: Part = {
  admitted: false,
  combine: (draft, current) => {
    const { finalizers } = (draft as Partial<Namespace>).spec ?? {};
    const { spec } = current as Namespace;
    return { ...current, spec: { ...spec, finalizers } } as unknown as ObjectDraft;
  },
  validate: (object, _current, { kind, name }) =>
    assertValid(kind, name, ((object as Namespace).spec?.finalizers ?? []).flatMap((finalizer, index) => validateFinalizer(finalizer, `spec.finalizers[${index}]`))),
};

/** Where a CustomResourceDefinition stands among all others, as a pure decision: which of its names it may have. */
import { rfc3339 } from '../../base/clock.ts';
import { conditionOf, isConditionTrue, withCondition } from '../../schemas/conditions.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import type { CustomResourceDefinition, DefinitionNames, DefinitionStatus } from '../../schemas/types/custom-resource-definition.ts';
import { approvalOf, isProtectedGroup } from '../../schemas/validation/custom-resource-definition.ts';

type Condition = NonNullable<DefinitionStatus['conditions']>[number];

/** What is taken in a group: by whom does not matter. */
interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export interface Neighbours {
  /** All definitions, this one among them. */
  readonly definitions: readonly CustomResourceDefinition[];
  readonly builtin: readonly AnyKind[];
}

const takenIn = ({ spec, metadata }: CustomResourceDefinition, { definitions, builtin }: Neighbours): Taken => {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of definitions) {
    const names = other.status?.acceptedNames;
    if (other.spec.group !== spec.group || other.metadata.name === metadata.name || names === undefined) continue;
    for (const name of [names.plural, names.singular ?? '', ...(names.shortNames ?? [])]) resources.add(name);
    for (const name of [names.kind, names.listKind ?? '']) kinds.add(name);
  }
  for (const kind of builtin) {
    if (kind.group !== spec.group) continue;
    for (const name of [kind.plural, kind.singular, ...kind.shortNames]) resources.add(name);
    for (const name of [kind.kind, `${kind.kind}List`]) kinds.add(name);
  }
  resources.delete('');
  kinds.delete('');
  return { resources, kinds };
};

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;

/** The names that a definition has from now on, and what keeps it from having those that it asks for. */
export const namesFor = (definition: CustomResourceDefinition, neighbours: Neighbours): { readonly accepted: DefinitionNames; readonly conflict: Pick<Condition, 'reason' | 'message'> | undefined } => {
  const wanted = definition.spec.names;
  const { resources, kinds } = takenIn(definition, neighbours);
  const before: DefinitionNames = definition.status?.acceptedNames ?? { plural: '', kind: '' };
  const accepted: Record<string, unknown> = { ...before };
  let conflict: Pick<Condition, 'reason' | 'message'> | undefined;
  const take = (field: 'plural' | 'singular' | 'kind' | 'listKind', taken: ReadonlySet<string>, reason: string): void => {
    const name = wanted[field];
    if (name !== undefined && taken.has(name)) conflict ??= { reason, message: inUse(name) };
    else accepted[field] = name;
  };
  take('plural', resources, 'PluralConflict');
  take('singular', resources, 'SingularConflict');
  const doubled = (wanted.shortNames ?? []).filter((name) => resources.has(name));
  if (doubled.length > 0) conflict ??= { reason: 'ShortNamesConflict', message: doubled.map(inUse).join(', ') };
  else accepted['shortNames'] = wanted.shortNames;
  take('kind', kinds, 'KindConflict');
  take('listKind', kinds, 'ListKindConflict');
  accepted['categories'] = wanted.categories;
  return { accepted: Object.fromEntries(Object.entries(accepted).filter(([, value]) => value !== undefined)) as unknown as DefinitionNames, conflict };
};

const approval = (definition: CustomResourceDefinition): Omit<Condition, 'lastTransitionTime'> | undefined => {
  if (!isProtectedGroup(definition.spec.group)) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const text = definition.metadata.annotations?.['api-approved.kubernetes.io'];
  switch (approvalOf(definition)) {
    case 'approved': return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${text}` };
    case 'unapproved': return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(text)}` };
    default: return { type, status: 'False', reason: 'MissingAnnotation', message: 'protected groups must have approval annotation "api-approved.kubernetes.io"' };
  }
};

/** The status that a definition should have. One that is served stays so, whatever becomes of its names; objects may exist. */
export const statusFor = (definition: CustomResourceDefinition, neighbours: Neighbours, nowMs: number): DefinitionStatus => {
  const { accepted, conflict } = namesFor(definition, neighbours);
  const old = definition.status?.conditions ?? [];
  const wasEstablished = isConditionTrue(old, 'Established');
  const conditions: Omit<Condition, 'lastTransitionTime'>[] = [
    conflict === undefined ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' } : { type: 'NamesAccepted', status: 'False', ...conflict },
  ];
  if (!wasEstablished) {
    conditions.push(conflict === undefined ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
      : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' });
  }
  const approved = approval(definition);
  if (approved !== undefined) conditions.push(approved);
  if (definition.metadata.deletionTimestamp !== undefined && conditionOf(old, 'Terminating')?.status !== 'True') {
    conditions.push({ type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' });
  }
  const now = rfc3339(nowMs);
  return {
    ...definition.status, acceptedNames: accepted,
    conditions: conditions.reduce<readonly Condition[]>((all, condition) => withCondition(all, condition, now), old),
  };
};

/** Which fields of an object somebody can own at all, and the comparison of two of its states as ownership sees it. */
import { reportedMetadata, type AnyKind, type ApiObject } from '../../../schemas/kind.ts';
import type { JsonSchema } from '../../../schemas/schema.ts';
import { compare, noChange, type Comparison } from './compare.ts';
import { elementsOf, isMember, nodeOf, type FieldSet } from './field-set.ts';
import { shapeOf } from './shape.ts';

/** Members of metadata that are the server's, or the object's identity. */
const nobodysMetadata = new Set(['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation', 'managedFields', 'resourceVersion'].map((name) => `f:${name}`));

/** A set without what nobody can own: type, identity and, for writes to the object itself, the status that has an address of its own. */
export const ownable = (kind: AnyKind, subresource: string, set: FieldSet | undefined): FieldSet | undefined => {
  if (set === undefined) return undefined;
  // Through its own address nothing but the status and what stands beside it is written.
  if (subresource === 'status') return nodeOf(false, Object.entries(set).flatMap(([element, child]) => reported(kind, element, child)));
  const withoutStatus = subresource === '' && kind.subresources.status === true;
  const left: (readonly [string, FieldSet])[] = [];
  let same = true;
  for (const element of elementsOf(set)) {
    const child = element === 'f:metadata' ? ownableMetadata(set[element]!) : element === 'f:apiVersion' || element === 'f:kind' || (element === 'f:status' && withoutStatus) ? undefined : set[element]!;
    same &&= child === set[element];
    if (child !== undefined) left.push([element, child]);
  }
  return same ? set : nodeOf(isMember(set), left);
};

const reported = (kind: AnyKind, element: string, child: FieldSet): readonly (readonly [string, FieldSet])[] => {
  if (element === 'f:status') return [[element, child]];
  if (element !== 'f:metadata') return [];
  const members = reportedMetadata(kind).map((member) => `f:${member}`);
  const kept = nodeOf(false, Object.entries(child).filter(([name]) => members.includes(name)));
  return kept === undefined ? [] : [[element, kept]];
};

const ownableMetadata = (set: FieldSet): FieldSet | undefined => {
  const kept = Object.entries(set).filter(([element]) => element.startsWith('f:') && !nobodysMetadata.has(element));
  return kept.length === Object.keys(set).length ? set : nodeOf(false, kept);
};

/** How a write changes an object, in fields that somebody can own; `noChange` itself where it changes none. */
export const compareStates = (kind: AnyKind, subresource: string, before: ApiObject, after: ApiObject): Comparison => {
  const found = compare(shapeOf(kind.schema), withStatus(before, after), after);
  if (found === noChange) return noChange;
  const added = ownable(kind, subresource, found.added);
  const modified = ownable(kind, subresource, found.modified);
  const removed = ownable(kind, subresource, found.removed);
  return added === undefined && modified === undefined && removed === undefined ? noChange : { added, modified, removed };
};

/** Every object has a status, even where nobody has said anything in it yet: whoever does first owns what it says, not the status. */
const withStatus = (before: ApiObject, after: ApiObject): ApiObject => {
  const { status } = before as { readonly status?: unknown };
  return status === undefined && (after as { readonly status?: unknown }).status !== undefined ? { ...before, status: {} } as ApiObject : before;
};

const empties = new WeakMap<AnyKind, ApiObject>();

/**
 * An object of a kind that says nothing: with the parts that every object of the kind has. Whoever creates an object
 * owns what is in those parts, not the parts.
 */
export const emptyObject = (kind: AnyKind): ApiObject => {
  let empty = empties.get(kind);
  if (empty === undefined) {
    const parts = Object.entries(kind.schema.properties ?? {}).filter(([, schema]) => schema.type === 'object').map(([name, schema]) => [name, emptyPart(schema, 1)] as const);
    empties.set(kind, empty = Object.fromEntries(parts) as unknown as ApiObject);
  }
  return empty;
};

/** Parts that have defaults and yet count as said by whoever creates the object, as in Kubernetes, whose types keep them behind pointers. */
const said = new Set(['securityContext', 'persistentVolumeClaimRetentionPolicy']);

/** Nesting of parts that are always there; no kind of ours needs more. */
const maxParts = 8;

const emptyPart = (schema: JsonSchema, depth: number): unknown => {
  if (schema.type === 'array') return [];
  const { properties = {}, required = [] } = schema;
  const always = Object.entries(properties).filter(([name, part]) =>
    depth < maxParts && (part.type === 'object' || part.type === 'array') && (required.includes(name) || (part['x-barge-default-object'] === true && !said.has(name)) || (name === 'metadata' && part.properties !== undefined)));
  return Object.fromEntries(always.map(([name, part]) => [name, emptyPart(part, depth + 1)]));
};

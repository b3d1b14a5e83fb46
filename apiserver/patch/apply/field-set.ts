/**
 * A set of field paths is the very tree that FieldsV1 writes: `f:name` for a member of an object, `k:{"name":"web"}` for
 * an item of a list that is a map, `v:"x"` for an item of a set. A path belongs to the set where its node has the member
 * `.` or nothing below it. So a set needs no decoding, is shared between objects and is never changed in place; its
 * nodes keep their members in the order of their names, so that equal sets have equal text.
 *
 * The empty set is `undefined`.
 */
import { isObject } from '../json.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A path that ends here. */
export const leaf: FieldSet = Object.freeze({});

/** The member that puts a node with children into the set. */
export const self = '.';

/** True when the node's own path belongs to the set. Not for the root. */
export const isMember = (node: FieldSet | undefined): boolean => {
  if (node === undefined) return false;
  if (Object.hasOwn(node, self)) return true;
  for (const _ in node) return false;
  return true;
};

/** What lies below an element of a node; undefined when nothing does. */
export const below = (node: FieldSet | undefined, element: string): FieldSet | undefined =>
  (node !== undefined && Object.hasOwn(node, element) ? node[element] : undefined);

/** Elements below a node, without the node itself. */
export const elementsOf = (node: FieldSet): readonly string[] => Object.keys(node).filter((element) => element !== self);

/** A node of children that come in order; undefined when there is nothing to say. */
export const nodeOf = (member: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet | undefined => {
  if (children.length === 0) return member ? leaf : undefined;
  const node: Record<string, FieldSet> = {};
  if (member) node[self] = leaf;
  for (const [element, child] of children) node[element] = child;
  return node;
};

/** The node as one whose own path belongs to the set. */
export const asMember = (node: FieldSet | undefined): FieldSet => {
  if (node === undefined) return leaf;
  return isMember(node) ? node : { [self]: leaf, ...node };
};

/** Paths of either set. */
export const union = (a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined => {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  const elements = elementsOf(a);
  const more = elementsOf(b).filter((element) => !Object.hasOwn(a, element));
  const all = more.length === 0 ? elements : [...elements, ...more].sort();
  let same = true;
  const children = all.map((element) => {
    const child = union(below(a, element), below(b, element))!;
    same &&= child === below(a, element);
    return [element, child] as const;
  });
  const member = (isMember(a) || isMember(b));
  return same && member === isMember(a) ? a : nodeOf(member, children);
};

/** Paths of `a` that are not in `b`. A path goes by itself: what lies below it stays. */
export const difference = (a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined => {
  if (a === undefined || b === undefined) return a;
  const member = isMember(a);
  const stays = member && !isMember(b);
  let same = member === stays;
  const children: (readonly [string, FieldSet])[] = [];
  for (const element of elementsOf(a)) {
    const before = a[element]!;
    const child = difference(before, below(b, element));
    same &&= child === before;
    if (child !== undefined) children.push([element, child]);
  }
  return same ? a : nodeOf(stays, children);
};

/** Paths of both sets. */
export const intersection = (a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined => {
  if (a === undefined || b === undefined) return undefined;
  const children: (readonly [string, FieldSet])[] = [];
  for (const element of elementsOf(a)) {
    const child = intersection(a[element], below(b, element));
    if (child !== undefined) children.push([element, child]);
  }
  return nodeOf(isMember(a) && isMember(b), children);
};

/** How the path of an element is written for people: `.name`, `[containerPort=80,protocol="TCP"]`, `[="value"]`. */
const textOfElement = (element: string): string => {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  const keys = parsed(rest);
  return isObject(keys) ? `[${Object.entries(keys).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]` : `[${rest}]`;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Every path of the set as text, such as `.spec.containers[name="web"].image`, in order. */
export const pathsOf = (set: FieldSet | undefined, prefix = ''): readonly string[] => {
  if (set === undefined) return [];
  return [
    ...(prefix !== '' && isMember(set) ? [prefix] : []),
    ...elementsOf(set).flatMap((element) => pathsOf(set[element], prefix + textOfElement(element))),
  ];
};

/** How deep a set from outside may nest; deeper than any object can. */
const maxDepth = 200;

/** A set that came from outside, in order; `false` when the value is none. */
export const readFieldSet = (value: unknown, depth = 0): FieldSet | undefined | false => {
  if (!isObject(value) || depth > maxDepth) return false;
  const children: (readonly [string, FieldSet])[] = [];
  for (const element of Object.keys(value).sort()) {
    if (element === self) continue;
    if (!/^[fkvi]:/.test(element)) return false;
    const child = readFieldSet(value[element], depth + 1);
    if (child === false) return false;
    children.push([element, child ?? leaf]);
  }
  return nodeOf(Object.hasOwn(value, self) && depth > 0, children);
};

/**
 * JSON patch (RFC 6902). The operations are read and checked once, then carried out on a private copy of the document:
 * either all of them take effect or the first that cannot ends the request with 422.
 */
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { isObject } from './json.ts';

/** Operations in one patch; the limit of Kubernetes. */
export const maxOperations = 10_000;
/** What all copy operations of a patch together may copy, in characters of JSON (roughly); the limit of Kubernetes. */
export const maxCopiedSize = 3 * 1024 * 1024;

/** A JSON pointer (RFC 6901), unescaped and in pieces. The empty one is the whole document. */
type Pointer = readonly string[];

type Action =
  | { readonly op: 'add' | 'replace' | 'test'; readonly value: unknown }
  | { readonly op: 'remove' }
  | { readonly op: 'move' | 'copy'; readonly from: Pointer };

export type Operation = Action & { readonly path: Pointer };

type Container = unknown[] | Record<string, unknown>;

const pointerText = (pointer: Pointer): string => pointer.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const readPointer = (value: unknown, where: string): Pointer => {
  if (typeof value !== 'string') throw badRequest(`${where} must be a JSON pointer such as "/metadata/labels/app"`);
  if (value === '') return [];
  if (!value.startsWith('/') || /~(?![01])/.test(value)) throw badRequest(`${where}: ${JSON.stringify(value)} is not a JSON pointer: it starts with "/", and "~" is only followed by 0 or 1`);
  const steps = value.slice(1).split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (steps.includes('__proto__')) throw badRequest(`${where}: "__proto__" is not allowed`);
  return steps;
};

const readOperation = (entry: unknown, index: number): Operation => {
  const where = `operation ${index} of the JSON patch`;
  if (!isObject(entry)) throw badRequest(`${where} must be an object with "op" and "path"`);
  const path = readPointer(entry['path'], `"path" of ${where}`);
  const op = entry['op'];
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(entry, 'value')) throw badRequest(`${where} (${op}) must have a "value"`);
      return { op, path, value: entry['value'] };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy': {
      const from = readPointer(entry['from'], `"from" of ${where}`);
      if (op === 'move' && from.length < path.length && from.every((step, at) => step === path[at])) {
        throw badRequest(`${where} cannot move ${JSON.stringify(pointerText(from))} into itself`);
      }
      return { op, path, from };
    }
    default:
      throw badRequest(`"op" of ${where} is ${JSON.stringify(op)}; it must be one of add, remove, replace, move, copy, test`);
  }
};

/** Reads the operations; throws BadRequest that names the one that is malformed. */
export const readJsonPatch = (patch: unknown): readonly Operation[] => {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > maxOperations) {
    throw new ApiError('RequestEntityTooLarge', `the allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`);
  }
  return patch.map(readOperation);
};

/** The 422 of an operation that cannot be carried out; the message is the one that clients know, the cause says more. */
const rejected = (message: string, field: string): ApiError =>
  new ApiError('Invalid', 'the server rejected our request due to an error in our request', { causes: [{ reason: 'FieldValueInvalid', message, field }] });

class Patching {
  document: unknown;
  #copiedSize = 0;
  #at = '';

  constructor(document: unknown) {
    this.document = document;
  }

  run(operation: Operation, index: number): void {
    this.#at = `operation ${index} (${operation.op} ${pointerText(operation.path)})`;
    const { path } = operation;
    switch (operation.op) {
      case 'add':
        return this.#add(path, draftOf(operation.value));
      case 'replace':
        this.#get(path);
        return this.#set(path, draftOf(operation.value));
      case 'test': {
        const found = this.#get(path);
        if (!deepEqual(found, operation.value)) throw this.#rejected(`is ${shown(found)}, not ${shown(operation.value)}`, path);
        return undefined;
      }
      case 'remove':
        this.#remove(path);
        return undefined;
      case 'move':
        if (pointerText(operation.from) === pointerText(path)) {
          this.#get(path);
          return undefined;
        }
        return this.#add(path, this.#remove(operation.from));
      case 'copy': {
        const value = this.#get(operation.from);
        this.#copiedSize += sizeOf(value);
        if (this.#copiedSize > maxCopiedSize) throw this.#rejected(`the copy operations copy more than ${maxCopiedSize} characters`, path);
        return this.#add(path, draftOf(value));
      }
    }
  }

  #rejected(why: string, path: Pointer): ApiError {
    return rejected(`${this.#at}: ${pointerText(path) || 'the document'} ${why}`, pointerText(path));
  }

  /** The list or object that holds the last step of a path. */
  #container(path: Pointer): Container {
    const parent = path.slice(0, -1);
    const found = this.#get(parent);
    if (typeof found !== 'object' || found === null) throw this.#rejected('is neither an object nor a list', parent);
    return found as Container;
  }

  #get(path: Pointer): unknown {
    let value = this.document;
    for (const [depth, step] of path.entries()) {
      if (Array.isArray(value)) {
        value = value[this.#index(value, step, value.length - 1, path.slice(0, depth + 1))];
      } else if (isObject(value) && Object.hasOwn(value, step)) {
        value = value[step];
      } else {
        throw this.#rejected('does not exist', path.slice(0, depth + 1));
      }
    }
    return value;
  }

  #index(list: readonly unknown[], step: string, last: number, path: Pointer): number {
    if (!/^(0|[1-9][0-9]*)$/.test(step)) throw this.#rejected(`is not an index of the list: ${JSON.stringify(step)}`, path);
    const index = Number(step);
    if (index > last) throw this.#rejected(`does not exist: the list has ${list.length} items`, path);
    return index;
  }

  #add(path: Pointer, value: unknown): void {
    const step = path.at(-1);
    if (step === undefined) {
      this.document = value;
      return;
    }
    const container = this.#container(path);
    if (Array.isArray(container)) container.splice(step === '-' ? container.length : this.#index(container, step, container.length, path), 0, value);
    else container[step] = value;
  }

  #set(path: Pointer, value: unknown): void {
    const step = path.at(-1);
    if (step === undefined) {
      this.document = value;
      return;
    }
    const container = this.#container(path);
    if (Array.isArray(container)) container[Number(step)] = value;
    else container[step] = value;
  }

  #remove(path: Pointer): unknown {
    const step = path.at(-1);
    if (step === undefined) throw this.#rejected('cannot be removed', path);
    const value = this.#get(path);
    const container = this.#container(path);
    if (Array.isArray(container)) container.splice(Number(step), 1);
    else delete container[step];
    return value;
  }
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
};

const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 2;
  for (const key in value) size += key.length + 4 + sizeOf((value as Record<string, unknown>)[key]);
  return size;
};

/** Carries the operations out on a copy of the document. Throws Invalid that names the operation that failed, and why. */
export const applyJsonPatch = (document: unknown, operations: readonly Operation[]): unknown => {
  const patching = new Patching(draftOf(document));
  operations.forEach((operation, index) => patching.run(operation, index));
  return patching.document;
};

import { badRequest } from '../schemas/errors.ts';

/** Nesting that no object of ours reaches; schemas of custom kinds come nearest. */
export const maxDepth = 100;

/**
 * Refuses a parsed body that is not plain data: nested too deep, with a `__proto__` member, a number that JSON cannot
 * write, or (YAML aliases) bigger when written out than a body may be. Throws BadRequest with the path.
 */
export const checkBody = (value: unknown, maxBytes: number): void => {
  let left = maxBytes;
  const refuse = (path: readonly (string | number)[], why: string): never => {
    const shown = path.slice(0, 12).map((part) => (typeof part === 'number' ? `[${part}]` : `.${part.slice(0, 64)}`)).join('').replace(/^\./, '');
    throw badRequest(`${shown === '' ? 'the body' : shown} ${why}`);
  };
  const walk = (node: unknown, path: (string | number)[]): void => {
    left -= typeof node === 'string' ? node.length + 1 : 1;
    if (left < 0) refuse([], `is larger than ${maxBytes} bytes when its aliases are written out`);
    if (typeof node === 'number' && !Number.isFinite(node)) refuse(path, 'is not a number that JSON can write');
    if (typeof node !== 'object' || node === null) return;
    if (path.length >= maxDepth) refuse(path, `is nested deeper than ${maxDepth} levels`);
    if (Array.isArray(node)) {
      for (let index = 0; index < node.length; index++) {
        path.push(index);
        walk(node[index], path);
        path.pop();
      }
      return;
    }
    for (const name of Object.keys(node)) {
      if (name === '__proto__') refuse(path, 'has a member named "__proto__", which is not allowed');
      left -= name.length;
      path.push(name);
      walk((node as Readonly<Record<string, unknown>>)[name], path);
      path.pop();
    }
  };
  walk(value, []);
};

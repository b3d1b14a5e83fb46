/**
 * ajv, loaded when the first schema is to be checked: nodes, the proxy and most commands check none, and its 63 modules take
 * 3 to 4 MB.
 */
import { createRequire } from 'node:module';
import type { Ajv, Options } from 'ajv';

const require = createRequire(import.meta.url);

/** An instance of ajv. */
export const newAjv = (options: Options): Ajv => {
  const library = require('ajv') as typeof import('ajv');
  return new library.Ajv(options);
};

/**
 * Several files of tests in one thread. ava starts a thread for each file that it is given, and to load the program into
 * each takes longer than the tests of most files do. In a group files have their turns: the tests of one begin when all
 * of the one before it have ended, so that they run among themselves as when ava is given their file.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ava, { type ExecutionContext } from 'ava';

type Work = (t: ExecutionContext) => unknown;

/** Of the file that is being loaded. */
let declared: (readonly [title: string, work: Work])[] = [];

/** In place of ava's `test` in the files of a group. It has no hooks and nothing serial, for those are of a thread as a whole. */
const test = (title: string, work: Work): void => void declared.push([title, work]);

export default test;

const folder = join(import.meta.dirname, '..');
const inFolder = pathToFileURL(`${folder}/`).href;

/** Declares tests that begin when those before them have ended; resolves when they have, too. */
const inTurn = (prefix: string, tests: typeof declared, before: Promise<void>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let open = tests.length;
  for (const [title, work] of tests) {
    ava(`${prefix} › ${title}`, async (t) => {
      await before;
      try {
        await work(t);
      } finally {
        open--;
        if (open === 0) resolve();
      }
    });
  }
  return promise;
};

/** Loads files of test/ into this thread, which is one of ava's. */
export const together = async (files: readonly string[]): Promise<void> => {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => (specifier === 'ava' && context.parentURL !== import.meta.url && context.parentURL?.startsWith(inFolder) === true
      ? { url: import.meta.url, shortCircuit: true } : next(specifier, context)),
  });
  const loaded: [prefix: string, tests: typeof declared][] = [];
  for (const file of files) {
    declared = [];
    await import(join(folder, file));
    if (declared.length === 0) throw new Error(`test/${file} has no tests`);
    loaded.push([file.replace(/\.test\.ts$/, '').replaceAll('/', ' › '), declared]);
  }
  hooks.deregister();
  // ava takes tests for as long as nothing is waited for once it has the first.
  let before = Promise.resolve();
  for (const [prefix, tests] of loaded) before = inTurn(prefix, tests, before);
};

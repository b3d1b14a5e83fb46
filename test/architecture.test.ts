import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import test from 'ava';

// Holds what docs/design/README.md says of the folders: imports point one way, files stay small.

const root = join(import.meta.dirname, '..');

/** What each folder may import beside itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  base: ['schemas'],
  apiserver: ['schemas', 'base'],
  client: ['schemas', 'base'],
  controllers: ['schemas', 'base', 'client'],
  scheduler: ['schemas', 'base', 'client'],
  'kubelet-lite': ['schemas', 'base', 'client'],
  proxy: ['schemas', 'base', 'client'],
  cli: ['schemas', 'base', 'client', 'apiserver', 'controllers', 'scheduler', 'kubelet-lite', 'proxy'],
};

const maxLines = 400;

/** Packages that belong to one place. */
const packagesIn: Readonly<Record<string, string>> = {
  koa: 'apiserver/http', '@koa/router': 'apiserver/http', 'better-sqlite3': 'apiserver/storage', ajv: 'schemas',
  dockerode: 'kubelet-lite',
};

const sources = async (folder: string): Promise<readonly string[]> =>
  (await readdir(join(root, folder), { recursive: true })).filter((file) => file.endsWith('.ts')).map((file) => join(folder, file));

const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g)].map((match) => (match[1] ?? match[2] ?? match[3])!);

for (const [folder, others] of Object.entries(allowed)) {
  test(`${folder} imports only ${others.join(', ') || 'itself'}`, async (t) => {
    const files = await sources(folder);
    t.true(files.length > 0, `${folder} has no source`);
    for (const file of files) {
      for (const target of importsOf(await readFile(join(root, file), 'utf8'))) {
        if (target.startsWith('.')) {
          const top = relative(root, join(root, dirname(file), target)).split('/')[0]!;
          t.true(top === folder || others.includes(top), `${file} imports ${target}`);
        } else if (target in packagesIn) {
          t.true(file.startsWith(packagesIn[target]!), `${file} imports ${target}, which belongs to ${packagesIn[target]}`);
        }
      }
    }
  });
}

/** Imports of a module that bring more than types. */
const valueImportsOf = (text: string, module: string): readonly string[] =>
  [...text.matchAll(/(?:^|\n)\s*(import|export)\s+(type\b)?([^'";]*?)from\s*'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g)]
    .filter((match) => (match[4] ?? match[5] ?? match[6]) === module && match[2] === undefined).map((match) => match[0].trim());

test('nobody imports node:http but for its types', async (t) => {
  for (const folder of Object.keys(allowed)) {
    for (const file of await sources(folder)) t.deepEqual(valueImportsOf(await readFile(join(root, file), 'utf8'), 'node:http'), [], `${file}: take it from base/node-http.ts, which says why`);
  }
  t.is(valueImportsOf("import type { A } from 'node:http';\nimport { b, type C } from 'node:http';\nimport http from 'node:http';\nawait import('node:http');\nimport 'node:http';\nimport d from 'node:https';", 'node:http').length, 4);
});

test(`no source file passes ${maxLines} lines`, async (t) => {
  for (const folder of Object.keys(allowed)) {
    for (const file of await sources(folder)) {
      const lines = (await readFile(join(root, file), 'utf8')).split('\n').length - 1;
      t.true(lines <= maxLines, `${file} has ${lines} lines`);
    }
  }
});

test('the check sees every form of import', (t) => {
  t.deepEqual(importsOf("import a from 'x';\nimport type { B,\n C } from './y.ts';\nexport * from '../z.ts';\nimport 'w';\nconst q = await import('./v.ts');"),
    ['x', './y.ts', '../z.ts', 'w', './v.ts']);
});

// Holds what docs/design/conformance.md and network-conformance.md say of tests: each that it names is there, and each row names one.

const titleOf = (quote: string, text: string): RegExp => {
  const parts = text.replaceAll(/\\(.)/g, '$1').split(quote === '`' ? /\$\{[^}]*\}/ : /(?!)/);
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
};

/** The titles of a file's tests; what is filled in when it runs may be anything. */
const titlesIn = (source: string): readonly RegExp[] =>
  [...source.matchAll(/\b(?:test(?:\.serial)?|check|serial|withApi)\(\s*(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g)].map(([, quote = '', text = '']) => titleOf(quote, text));

/** What is wrong with a page of rows `| what must hold | `test/file.test.ts` *title*; *another* |`. */
const staleRows = async (page: string, read: (file: string) => Promise<string | undefined>): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const [row, what = '', held = ''] of page.matchAll(/^\| (.+?) \| (.+) \|$/gm)) {
    if (what === 'what must hold' || /^-+$/.test(what)) continue;
    let source: string | undefined;
    let named = 0;
    for (const [, file, title] of held.matchAll(/`(test\/[^`]+)`|\*([^*]+)\*/g)) {
      if (file !== undefined) {
        source = await read(file);
        if (source === undefined) wrong.push(`${what}: there is no ${file}`);
      } else {
        named++;
        if (source !== undefined && !titlesIn(source).some((one) => one.test(title!))) wrong.push(`${what}: no test has the title ${title}`);
      }
    }
    if (named === 0 && !held.startsWith('not held: ')) wrong.push(`${row}: names no test, nor why it is not held`);
  }
  return wrong;
};

for (const [name, rows] of [['conformance', 60], ['network-conformance', 40]] as const) test(`docs/design/${name}.md names tests that there are`, async (t) => {
  const page = await readFile(join(root, `docs/design/${name}.md`), 'utf8');
  t.true([...page.matchAll(/^\| /gm)].length > rows);
  t.deepEqual(await staleRows(page, (file) => readFile(join(root, file), 'utf8').catch(() => undefined)), []);
});

test('a page of tests that are not there is stale', async (t) => {
  const source = "test('it\\'s so', f);\n  check(`with ${one} and ${two}`, f);\ntest.serial('third', f);";
  const stale = (held: string) => staleRows(`| what must hold | held by |\n| --- | --- |\n| a | ${held} |\n`, async (file) => (file === 'test/a.test.ts' ? source : undefined));
  t.deepEqual(await stale("`test/a.test.ts` *it's so*; *with 1 and 2*; *third*"), []);
  t.deepEqual(await stale('not held: there is no such thing'), []);
  t.deepEqual(await stale('`test/a.test.ts` *fourth*; *third*'), ['a: no test has the title fourth']);
  t.deepEqual(await stale('`test/b.test.ts` *third*'), ['a: there is no test/b.test.ts']);
  t.deepEqual(await stale('`test/a.test.ts`'), ['| a | `test/a.test.ts` |: names no test, nor why it is not held']);
});

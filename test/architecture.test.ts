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

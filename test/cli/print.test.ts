import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { customCells, parseCustomColumns } from '../../cli/custom-columns.ts';
import { alignTabs } from '../../cli/describe/page.ts';
import { parseJsonPath } from '../../schemas/jsonpath.ts';
import { renderJsonPath } from '../../schemas/jsonpath-evaluate.ts';
import { parseYaml } from '../../cli/manifest-yaml.ts';
import { prettyJson } from '../../schemas/print-json.ts';
import { ColumnLayout, tableText, type TableOptions } from '../../cli/print-table.ts';
import { toYaml } from '../../cli/print-yaml.ts';
import { sortBy } from '../../cli/sort-by.ts';

// The golden files are what kubectl 1.32 printed for the same objects (`kubectl label --local -o ...`).
const golden = (name: string): Promise<string> => readFile(join(import.meta.dirname, '../golden/cli', name), 'utf8');

for (const name of ['scalars', 'pod']) {
  test(`prints ${name} as kubectl does`, async (t) => {
    const json = await golden(`${name}.json`);
    const object: unknown = JSON.parse(json);
    t.is(toYaml(object), await golden(`${name}.yaml`));
    t.is(prettyJson(object), json);
    t.deepEqual(parseYaml(toYaml(object), 'x')[0]?.value, object);
  });
}

test('YAML that is printed reads back as the same value', (t) => {
  const words = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[-+.:\d_eExXnyt ~#'"|>\n\t{}[\]*&!%@`,?]{0,12}$/), fc.stringMatching(/^( ?[a-z:#-]{1,30}){1,12}$/));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(words.filter((key) => key !== '__proto__' && key.length < 100), tie('value'), { maxKeys: 4, noNullPrototype: true })),
  }));
  fc.assert(fc.property(fc.record({ a: value }), (object) => {
    t.deepEqual(parseYaml(toYaml(object), 'x')[0]?.value, object, toYaml(object));
  }), { numRuns: 1_000 });
});

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
}

test('evaluates JSONPath as kubectl does', async (t) => {
  const { object, cases } = JSON.parse(await golden('jsonpath.json')) as { readonly object: unknown; readonly cases: readonly Case[] };
  t.true(cases.length > 50);
  for (const { template, output, error } of cases) {
    if (error === undefined) t.is(renderJsonPath(parseJsonPath(template), object), output!, template);
    else t.is(t.throws(() => renderJsonPath(parseJsonPath(template), object), undefined, template)?.message, error, template);
  }
});

test('JSONPath is bounded', (t) => {
  t.throws(() => parseJsonPath(`{${'.a'.repeat(40_000)}}`), { message: /longer than 65536 characters/ });
  t.throws(() => parseJsonPath(`{.a${'[?(@'.repeat(30)}.b${')]'.repeat(30)}}`), { message: /more than 20 filters/ });
  const wide = Array.from({ length: 1_100 }, () => 1);
  t.throws(() => renderJsonPath(parseJsonPath('{.a[*][*]}'), { a: wide.map(() => wide) }), { message: /more than 1000000 values/ });
  t.is(renderJsonPath(parseJsonPath('{.constructor}{.__proto__}'), {}), '');
});

const options: TableOptions = { wide: false, headers: true, withNamespace: false, showLabels: false, labelColumns: [], nowMs: Date.UTC(2026, 0, 1, 1) };
const pods = {
  kind: 'Table' as const,
  columnDefinitions: [{ name: 'Name', type: 'string', format: 'name' }, { name: 'Ready', type: 'string' }, { name: 'Age', type: 'date' }, { name: 'IP', type: 'string', priority: 1 }],
  rows: [
    { cells: ['web-1', '1/1', '2026-01-01T00:00:00Z', null], object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'default', labels: { app: 'web', 'a/tier': 'x' } } } },
    { cells: ['a-much-longer-name', '0/1\nmore', '5m', '10.0.0.1'], object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a-much-longer-name', namespace: 'shop' } } },
  ],
};

test('tables', (t) => {
  t.is(tableText(pods, options), 'NAME                 READY    AGE\nweb-1                1/1      60m\na-much-longer-name   0/1...   5m\n');
  t.is(tableText(pods, { ...options, wide: true, headers: false }), 'web-1                1/1      60m   <none>\na-much-longer-name   0/1...   5m    10.0.0.1\n');
  t.is(tableText(pods, { ...options, withNamespace: true, kindPrefix: 'pod', showLabels: true, labelColumns: ['a/tier'] }), [
    'NAMESPACE   NAME                     READY    AGE   TIER   LABELS',
    'default     pod/web-1                1/1      60m   x      a/tier=x,app=web',
    'shop        pod/a-much-longer-name   0/1...   5m           <none>', '',
  ].join('\n'));
});

test('rows of a watch stay under their headers', (t) => {
  const layout = new ColumnLayout();
  t.is(layout.lines([['NAME', 'X'], ['a-long-name', '1']]), 'NAME          X\na-long-name   1\n');
  t.is(layout.lines([['b', '2']]), 'b             2\n');
});

test('custom columns', (t) => {
  const columns = parseCustomColumns("NAME:.metadata.name,ALL:{.spec.c[*].i},ONE:.spec.c[?(@.i==\"x,y\")].n,NONE:.nope");
  t.deepEqual(columns.map(({ header }) => header), ['NAME', 'ALL', 'ONE', 'NONE']);
  t.deepEqual(customCells(columns, { metadata: { name: 'w' }, spec: { c: [{ i: 'a' }, { i: 'x,y', n: 1 }] } }), ['w', 'a,x,y', '1', '<none>']);
  t.throws(() => parseCustomColumns('NAME'), { message: /expected <header>:<json-path-expr>/ });
});

test('sorts by numbers, amounts and natural order', (t) => {
  const sorted = (path: string, items: readonly unknown[]): readonly unknown[] => sortBy(items, path, (item) => item);
  t.deepEqual(sorted('.a', [{ a: 'web-10' }, { a: 'web-2' }, {}]), [{}, { a: 'web-2' }, { a: 'web-10' }]);
  t.deepEqual(sorted('.a', ['b', 'a01b', 'a1', 'a1b', 'B', 'a', 'a1-x10', 'a1-x9', 'a10'].map((a) => ({ a }))).map((one) => (one as { a: string }).a),
    ['B', 'a', 'a1', 'a1-x9', 'a1-x10', 'a1b', 'a01b', 'a10', 'b']);
  t.deepEqual(sorted('{.a}', [{ a: '1Gi' }, { a: '200Mi' }]), [{ a: '200Mi' }, { a: '1Gi' }]);
  t.deepEqual(sorted('a', [{ a: 10 }, { a: 9 }]), [{ a: 9 }, { a: 10 }]);
});

test('tabs line up within blocks', (t) => {
  t.is(alignTabs(['Name:\tweb', 'Longer Name:\tx', 'IPs:', '  IP:\t1', 'Controlled By:\ty']), 'Name:         web\nLonger Name:  x\nIPs:\n  IP:           1\nControlled By:  y\n');
});

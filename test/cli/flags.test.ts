import test from 'ava';
import { durationMs, flag, parseLine, UsageError } from '../../cli/flags.ts';
import { closest } from '../../cli/suggest.ts';

const specs = {
  output: flag.text('', { short: 'o' }), namespace: flag.text('', { short: 'n' }), watch: flag.on('', { short: 'w' }), stdin: flag.on('', { short: 'i' }),
  tty: flag.on('', { short: 't' }), container: flag.text('', { short: 'c' }), filename: flag.list('', { short: 'f' }), labels: flag.commaList('', { short: 'L' }),
  replicas: flag.integer(''), wait: flag.on('', { initial: true }), cascade: flag.oneOf(['background', 'orphan'], '', { bare: 'background' }), timeout: flag.durationMs(''),
};

const lines: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[] = [
  ['get pods -o yaml', { output: 'yaml' }, ['get', 'pods']],
  ['-oyaml pods', { output: 'yaml' }, ['pods']],
  ['-o=yaml pods', { output: 'yaml' }, ['pods']],
  ['--output=jsonpath={.a=b} pods', { output: 'jsonpath={.a=b}' }, ['pods']],
  ['--output yaml', { output: 'yaml' }, []],
  ['pods -w -n shop web', { watch: true, namespace: 'shop' }, ['pods', 'web']],
  ['-it web', { stdin: true, tty: true }, ['web']],
  ['-itc main web', { stdin: true, tty: true, container: 'main' }, ['web']],
  ['-itcmain web', { stdin: true, tty: true, container: 'main' }, ['web']],
  ['-f a -f b,c --filename=d', { filename: ['a', 'b,c', 'd'] }, []],
  ['-L a,b -Lc', { labels: ['a', 'b', 'c'] }, []],
  ['--wait=false', { wait: false }, []],
  ['--watch=0', { watch: false }, []],
  ['--cascade pods', { cascade: 'background' }, ['pods']],
  ['--cascade=orphan pods', { cascade: 'orphan' }, ['pods']],
  ['--replicas -1', { replicas: -1 }, []],
  ['--timeout=1m30s', { timeout: 90_000 }, []],
  ['- x', {}, ['-', 'x']],
];

for (const [line, values, args] of lines) {
  test(`reads: ${line}`, (t) => {
    const parsed = parseLine(specs, line.split(' '));
    for (const [name, value] of Object.entries(values)) t.deepEqual(parsed.flags[name as keyof typeof specs] as unknown, value, name);
    t.deepEqual(parsed.args, args);
    t.deepEqual([...parsed.given].sort(), Object.keys(values).sort());
  });
}

test('leaves what stands behind -- alone', (t) => {
  const parsed = parseLine(specs, ['web', '-i', '--', 'sh', '-c', 'ls -l', '--']);
  t.deepEqual(parsed.args, ['web', 'sh', '-c', 'ls -l', '--']);
  t.is(parsed.dashAt, 1);
  t.is(parsed.flags.container, undefined);
});

const wrong: readonly (readonly [string, RegExp])[] = [
  ['--wacth', /unknown flag: --wacth \(did you mean --watch\?\)/],
  ['--zzzzzz', /^unknown flag: --zzzzzz$/],
  ['-x', /unknown shorthand flag: 'x' in -x/],
  ['--output', /flag needs an argument: --output/],
  ['-itc', /flag needs an argument: 'c' in -itc/],
  ['--replicas=many', /invalid argument "many" for "--replicas" flag: "many" is no whole number/],
  ['--cascade=all', /"all" is not one of background, orphan/],
  ['--wait=perhaps', /"perhaps" is neither true nor false/],
  ['--timeout=soon', /"soon" is no duration/],
  ['--constructor', /unknown flag: --constructor/],
];

for (const [line, message] of wrong) {
  test(`refuses: ${line}`, (t) => {
    t.throws(() => parseLine(specs, line.split(' ')), { instanceOf: UsageError, message });
  });
}

test('durations', (t) => {
  for (const [text, ms] of [['10s', 10_000], ['1h30m', 5_400_000], ['500ms', 500], ['2', 2_000], ['-1s', -1_000], ['0', 0], ['1.5m', 90_000]] as const) t.is(durationMs(text), ms, text);
  for (const text of ['', 'x', '5x', '1h x', '--1s']) t.throws(() => durationMs(text), undefined, text);
});

test('suggests what was probably meant, and nothing that is far off', (t) => {
  const words = ['get', 'delete', 'describe', 'rollout'];
  t.is(closest('gte', words), 'get');
  t.is(closest('desribe', words), 'describe');
  t.is(closest('desc', words), 'describe');
  t.is(closest('xyz', words), undefined);
});

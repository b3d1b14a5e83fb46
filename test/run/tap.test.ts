import test from 'ava';
import { TapReader, type Verdict } from './tap.ts';

const readingOf = (text: string): readonly Verdict[] => {
  const verdicts: Verdict[] = [];
  const reader = new TapReader((verdict) => verdicts.push(verdict));
  for (const line of text.split('\n')) reader.read(line);
  reader.end();
  return verdicts;
};

test('each test is told once, with its detail where it failed', (t) => {
  t.deepEqual(readingOf(`TAP version 13
ok 1 - a › passes - well
#   what it logged
not ok 2 - a › fails
  ---
    name: AssertionError
  ...
ok 3 - b › left out # SKIP
not ok 4 - b › to be written # TODO

1..4
# tests 4
# fail 2`), [
    { outcome: 'passed', title: 'a › passes - well', detail: [] },
    { outcome: 'failed', title: 'a › fails', detail: ['  ---', '    name: AssertionError', '  ...'] },
    { outcome: 'skipped', title: 'b › left out', detail: [] },
    { outcome: 'failed', title: 'b › to be written # TODO', detail: ['', '1..4', '# tests 4', '# fail 2'] },
  ]);
});

test('a run that breaks off has failed', (t) => {
  t.deepEqual(readingOf('ok 1 - a\nBail out! no more'), [
    { outcome: 'passed', title: 'a', detail: [] },
    { outcome: 'failed', title: 'Bail out! no more', detail: [] },
  ]);
});

test('a verdict is told when all of it is there, not before', (t) => {
  const told: string[] = [];
  const reader = new TapReader(({ title }) => told.push(title));
  reader.read('not ok 1 - a');
  reader.read('  detail');
  t.deepEqual(told, []);
  reader.read('ok 2 - b');
  t.deepEqual(told, ['a']);
  reader.end();
  reader.end();
  t.deepEqual(told, ['a', 'b']);
});

import test from 'ava';
import { ObjectChange } from '../../../apiserver/watch/object-change.ts';
import { WatchHistory } from '../../../apiserver/watch/watch-history.ts';

const change = (revision: number, atMs = 0, characters = 0): ObjectChange => new ObjectChange({ key: '/pods/default/a', revision, atMs, characters, before: undefined, after: undefined });

test('a full history holds few of the changes that it has dropped', (t) => {
  const history = new WatchHistory(0, { count: 10_000, characters: 1_000, ageMs: 1_000 });
  let held = 0;
  for (let revision = 1; revision <= 25_000; revision++) {
    history.append(change(revision));
    held = Math.max(held, history.held);
  }
  t.is(history.size, 10_000);
  t.is(history.floor, 15_000);
  t.true(held <= 10_600, `${held} held`);
  t.deepEqual(history.after(24_998).map(({ revision }) => revision), [24_999, 25_000]);
  t.is(history.after(15_000).length, 10_000);
});

test('changes go by age too, and a revision goes as a whole', (t) => {
  const history = new WatchHistory(0, { count: 3, characters: 1_000, ageMs: 1_000 });
  for (const revision of [1, 2, 2, 2]) history.append(change(revision));
  t.is(history.floor, 1);
  history.append(change(3));
  t.deepEqual([history.floor, history.after(2).map(({ revision }) => revision)], [2, [3]]);
  history.append(change(4, 5_000));
  t.deepEqual([history.floor, history.size], [3, 1]);
});

test('changes go by the size of the states before them', (t) => {
  const history = new WatchHistory(0, { count: 10_000, characters: 1_000, ageMs: 1_000 });
  for (let revision = 1; revision <= 10; revision++) history.append(change(revision, 0, 300));
  t.deepEqual([history.floor, history.size, history.characters], [7, 3, 900]);
  history.append(change(11, 0, 5_000));
  t.deepEqual([history.floor, history.size, history.characters], [11, 0, 0], 'what is larger than the bound by itself is not kept');
  history.append(change(12));
  t.is(history.size, 1);
});

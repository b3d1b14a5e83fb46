import test from 'ava';
import { alone, groupOf, groups, unitFiles } from './groups.ts';

test('each file of unit tests runs once: in one group, or alone', async (t) => {
  const files = await unitFiles();
  t.true(files.length > 200);
  const grouped = (await Promise.all((await groups()).map(groupOf))).flat();
  t.deepEqual([...grouped, ...alone].sort(), files);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { schedulerProfiles } from '../../../cli/cluster/scheduler-profiles.ts';
import { failureLine } from '../../../cli/errors.ts';

test('profiles come from a file, else there is one with the strategy that is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-profiles-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const schedulerConfigFile = join(folder, 'profiles.yaml');
  const read = async (text: string) => {
    await writeFile(schedulerConfigFile, text);
    return schedulerProfiles({ schedulerConfigFile, schedulerStrategy: undefined });
  };
  const names = async (profiles: ReturnType<typeof schedulerProfiles>) => [...(await profiles)].map(([name, { strategy }]) => [name, strategy.name]);
  t.deepEqual(await names(schedulerProfiles({ schedulerConfigFile: undefined, schedulerStrategy: undefined })), [['default-scheduler', 'spread']]);
  t.deepEqual(await names(schedulerProfiles({ schedulerConfigFile: undefined, schedulerStrategy: 'binpack' })), [['default-scheduler', 'binpack']]);
  t.deepEqual(await names(read('profiles: [{schedulerName: a, strategy: random}]')), [['a', 'random']]);
  for (const [text, message] of [
    ['profiles: [{schedulerName: a, strategy: best}]', /^--scheduler-config: .*profiles\.yaml: profiles\[0\]\.strategy: "best" is not one of spread, binpack, random$/],
    ['profiles: [', /^--scheduler-config: .*profiles\.yaml/],
    ['', /^--scheduler-config: .*the input is empty$/],
    ['- a', /^--scheduler-config: .*: the scheduler's config: must be a map of: profiles$/],
  ] as const) {
    const error = await t.throwsAsync(read(text), { message });
    // It is the user's to mend: no stack.
    t.false(failureLine(error).includes('    at '), text);
  }
  await t.throwsAsync(schedulerProfiles({ schedulerConfigFile: '/nonexistent/profiles.yaml', schedulerStrategy: undefined }), { message: /^--scheduler-config: ENOENT/ });
});

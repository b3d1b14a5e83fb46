import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../base/commands.ts';

test.serial('a program of the system is not shadowed by one that PATH names first', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-commands-'));
  const before = process.env['PATH'];
  t.teardown(() => {
    process.env['PATH'] = before;
    return rm(folder, { recursive: true });
  });
  for (const name of ['cat', 'barge-only-here']) {
    await writeFile(join(folder, name), '#!/bin/sh\necho shadow\n');
    await chmod(join(folder, name), 0o755);
  }
  process.env['PATH'] = `${folder}:${before}`;
  t.deepEqual(await runCommand('cat', [], 'real'), { code: 0, stdout: 'real', stderr: '' });
  t.is((await runCommand('barge-only-here', [])).stdout, 'shadow\n');
});

test.serial('exit codes and errors are given back, a missing program is an error', async (t) => {
  t.like(await runCommand('sh', ['-c', 'echo no >&2; exit 3']), { code: 3, stderr: 'no\n' });
  await t.throwsAsync(runCommand('barge-no-such-program', []), { code: 'ENOENT' });
});

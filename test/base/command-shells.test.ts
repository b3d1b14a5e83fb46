import test from 'ava';
import { CommandShells } from '../../base/command-shells.ts';

test('arguments and input reach a program as they are, and what it wrote comes back as it was', async (t) => {
  const { run } = new CommandShells();
  const words = ["it's", '"$HOME" `id`', 'two\nlines\n', '', '\\', 'ü €', '-n'];
  t.deepEqual(await run('printf', ['[%s]', ...words]), { code: 0, stdout: words.map((word) => `[${word}]`).join(''), stderr: '' });
  const input = "$HOME 'x' `id` \\ \n\nEOF\n";
  t.deepEqual(await run('cat', [], input), { code: 0, stdout: input, stderr: '' });
  t.is((await run('cat', [], 'no newline')).stdout, 'no newline\n');
  t.deepEqual(await run('cat', []), { code: 0, stdout: '', stderr: '' });
  t.deepEqual(await run('sh', ['-c', 'printf out; printf err >&2; exit 3']), { code: 3, stdout: 'out', stderr: 'err' });
  t.is((await run('sh', ['-c', 'kill -9 $$'])).code, 137);
  await t.throwsAsync(run('printf', ['a\0b']), { message: /NUL/ });
});

test('much goes in and comes out', async (t) => {
  const { run } = new CommandShells();
  const input = `${'0123456789abcdef'.repeat(4)}\n`.repeat(20_000);
  t.true((await run('cat', [], input)).stdout === input);
  const { stdout, stderr } = await run('sh', ['-c', 'all=$(cat); echo "$all"; echo "$all" >&2'], input);
  t.true(stdout === input && stderr === input);
});

test('a program that is not installed is an error, and the next one runs', async (t) => {
  const { run } = new CommandShells({ atOnce: 1 });
  await t.throwsAsync(run('barge-no-such-program', ['x'], 'read by nobody\n'), { code: 'ENOENT' });
  t.is((await run('echo', ['here'])).stdout, 'here\n');
});

test('no more commands run at once than may, and all of them run', async (t) => {
  const { run } = new CommandShells({ atOnce: 3 });
  const shells = await Promise.all(Array.from({ length: 30 }, (_, n) => run('sh', ['-c', 'echo $PPID $0', String(n)])));
  t.deepEqual(shells.map(({ stdout }) => Number(stdout.split(' ')[1])), Array.from({ length: 30 }, (_, n) => n));
  t.true(new Set(shells.map(({ stdout }) => stdout.split(' ')[0])).size <= 3);
});

test('a shell that dies fails its command only', async (t) => {
  const { run } = new CommandShells({ atOnce: 1 });
  await t.throwsAsync(run('sh', ['-c', 'kill -9 $PPID']), { message: /the shell that runs commands ended with SIGKILL/ });
  t.is((await run('echo', ['again'])).stdout, 'again\n');
});

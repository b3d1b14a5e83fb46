import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

const tellLoads = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => { process._rawDebug('load ' + url); return next(url, context); } });
`)}`;

test('the launcher works through a link, and a command loads only what it needs', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-main-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, 'bin/barge'), join(folder, 'barge'));
  const kubeconfig = join(folder, 'config');
  // Port 1 of loopback: nothing listens there.
  await writeFile(kubeconfig, JSON.stringify({
    'current-context': 'a', clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }], users: [], contexts: [{ name: 'a', context: { cluster: 'a' } }],
  }));
  const failed: unknown = await run(join(folder, 'barge'), ['get', 'pods', '--kubeconfig', kubeconfig], {
    env: { ...process.env, NODE_OPTIONS: `--import ${tellLoads}`, NODE_COMPILE_CACHE: join(folder, 'cache') },
  }).catch((error: unknown) => error);
  const { code, stderr } = failed as { readonly code: number; readonly stderr: string };
  t.is(code, 1);
  t.regex(stderr, /The connection to the server 127\.0\.0\.1:1 was refused/);
  const loaded = [...stderr.matchAll(/^load (.*)$/gm)].map((match) => match[1]!);
  t.true(loaded.some((url) => url.endsWith('/cli/commands/get.ts')));
  // node:http would come with a second HTTP client when it is imported (base/node-http.ts).
  t.deepEqual(loaded.filter((url) => /\/(ajv|koa|ws|dockerode|better-sqlite3)\/|\/schemas\/kinds\/|\/apiserver\/|\/controllers\/|^node:http$/.test(url)), []);
  t.is(loaded.filter((url) => url.includes('/cli/commands/')).length, 1);
});

test('of a package, commands keep compiled code and what serves holds on to none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-package-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['bin', 'dist/cli', 'node_modules']) await mkdir(join(folder, name), { recursive: true });
  await copyFile(join(root, 'bin/barge'), join(folder, 'bin/barge'));
  await symlink(join(root, 'node_modules/node'), join(folder, 'node_modules/node'));
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const cacheOf = async (program: string, command: string): Promise<string> => (await run(program, [command], { env })).stdout.trim();

  await writeFile(join(folder, 'dist/cli/main.js'), 'console.log(process.env.NODE_COMPILE_CACHE)');
  t.is(await cacheOf(join(folder, 'bin/barge'), 'get'), join(folder, 'node_modules/.cache/barge'));
  for (const command of ['up', 'agent', 'join', 'controllers', 'scheduler', 'proxy']) t.is(await cacheOf(join(folder, 'bin/barge'), command), 'undefined', command);

  // A checkout, where stripped TypeScript is kept as well.
  await mkdir(join(folder, 'cli'));
  await writeFile(join(folder, 'cli/main.ts'), 'console.log(process.env.NODE_COMPILE_CACHE)');
  t.is(await cacheOf(join(folder, 'bin/barge'), 'up'), join(folder, 'node_modules/.cache/barge'));
});

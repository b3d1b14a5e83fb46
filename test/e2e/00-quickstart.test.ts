/**
 * README's first command, as a newcomer runs it: in a fresh clone, with nothing installed in it; then stop, start and
 * reset. This file is the first of all (test/run.ts), so that where no engine runs it is quickstart that starts one.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../base/commands.ts';
import { bargeBin, containers, docker, must, root, run } from '../helpers/e2e.ts';


test('quickstart brings up a cluster with an application, twice, and reset takes all of it away', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'barge-quickstart-'));
  const clone = await mkdtemp(join(tmpdir(), 'barge-clone-'));
  await must('git', ['clone', '-q', root, clone]);
  const quickstart = join(clone, 'quickstart');
  const answered = (await run('docker', ['version'])).code === 0;
  const env = { BARGE_DATA_DIR: data, BARGE_LISTEN: '127.0.0.1:16443', KUBECONFIG: '' };
  t.teardown(async () => {
    await run(bargeBin, ['reset', '--yes', '--data-dir', data]);
    await rm(data, { recursive: true, force: true });
    await rm(clone, { recursive: true, force: true });
  });
  const rules = (await runCommand('nft', ['list', 'tables'])).stdout;
  const first = await must(quickstart, [], { env, timeoutMs: 600_000 });
  t.regex(first, /barge quickstart will:\n {2}1\. /);
  t.regex(first, /2\. install the Node packages .*Node 24/);
  t.regex(first, answered ? /3\. use the Docker Engine that answers/ : /3\. start a Docker Engine\n[\s\S]*engine \S+ answers/);
  t.regex(first, /deployment "hello" successfully rolled out/);
  const callers = [...first.matchAll(/^ {2}\d+\. http:\S+ {2}-> {2}Hello from (hello-\S+)$/gm)].map((match) => match[1]!);
  t.is(callers.length, 6, first);
  t.is(new Set(callers).size, 3, 'different pods answer in turn');
  t.not(callers[0], callers[1]);
  t.regex(first, /export KUBECONFIG=\S+admin\.kubeconfig/);
  t.regex(first, /bin\/barge get pods -w/);
  t.regex(first, /To stop: /);
  t.is((await (await fetch('http://127.0.0.1:30080/')).text()).startsWith('Hello from hello-'), true);

  const second = await must(quickstart, [], { env, timeoutMs: 120_000 });
  t.regex(second, /The cluster is running already/);
  t.regex(second, /deployment\.apps\/hello unchanged/);

  // Something of somebody else's, that reset must leave alone.
  const foreign = await docker('run', '-d', 'barge/hello:1');
  t.teardown(async () => void await docker('rm', '-f', foreign));
  await writeFile(join(data, 'notes.txt'), 'mine');

  await must(bargeBin, ['stop', '--data-dir', data]);
  t.is((await containers()).length, 7, 'stop leaves three sandboxes, three containers and the foreign one running');

  await must(bargeBin, ['reset', '--yes', '--data-dir', data]);
  t.is(await docker('ps', '-aq', '--no-trunc'), foreign);
  t.notRegex(await docker('network', 'ls', '--format', '{{.Name}}'), /barge/);
  t.is((await runCommand('nft', ['list', 'tables'])).stdout, rules);
  t.notRegex((await run('ip', ['route'])).stdout, /barge/);
  t.deepEqual(await readdir(data), ['notes.txt']);
});

test('without root, or on another system, it names what to install', async (t) => {
  const result = await run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'bash', join(root, 'quickstart')], { env: { KUBECONFIG: '' } });
  t.is(result.code, 1);
  for (const word of ['root', 'Node.js', 'Docker Engine', 'nftables', 'busybox']) t.regex(result.stdout, new RegExp(word));
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writePair } from '../../../base/pki-files.ts';
import { keepOwner, ownerOf, readOwner } from '../../../cli/cluster/owner.ts';
import { removePid, runningPid, writePid } from '../../../cli/cluster/pid-file.ts';

const folder = async (t: { teardown(fn: () => Promise<void>): void }): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-owner-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

test('the owner of a folder is known by its CA, and on a machine with an agent alone by its note', async (t) => {
  const [cluster, node] = [await folder(t), await folder(t)];
  t.is(await readOwner(cluster), undefined);
  await writePair(join(cluster, 'pki'), 'ca', { cert: 'certificate', key: 'key' });
  t.is(await readOwner(cluster), ownerOf('certificate'));
  t.is(await keepOwner(node, 'certificate'), ownerOf('certificate'));
  t.is(await readOwner(node), ownerOf('certificate'));
  t.is(await keepOwner(node, 'the certificate that came after it'), ownerOf('certificate'), 'what was made before is still its own');
  await writeFile(join(node, 'agent', 'owner'), 'garbage\n');
  t.is(await readOwner(node), undefined);
});

test('an agent and a cluster in one folder are told apart', async (t) => {
  const dir = await folder(t);
  await writePid(dir, 'agent');
  t.is(await runningPid(dir), undefined);
  t.is(await runningPid(dir, 'agent'), process.pid);
  await removePid(dir);
  t.is(await runningPid(dir, 'agent'), process.pid);
  await removePid(dir, 'agent');
  t.is(await runningPid(dir, 'agent'), undefined);
});

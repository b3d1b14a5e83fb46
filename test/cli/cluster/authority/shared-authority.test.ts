import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { authorityOf, nextAuthority, type Authority } from '../../../../cli/cluster/authority/authority-files.ts';
import { seal, SharedAuthority, unseal, type Note } from '../../../../cli/cluster/authority/shared-authority.ts';
import { createCa } from '../../../../base/pki.ts';

const newKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const [ours, theirs] = [newKey(), newKey()];
const where = 'http://etcd under /barge';

/** A note in memory. */
const noteOf = (): Note & { standing: { value: string; revision: number } | undefined } => {
  const note: ReturnType<typeof noteOf> = {
    standing: undefined,
    read: () => Promise.resolve(note.standing),
    write: (value, revision) => {
      if (revision !== (note.standing?.revision ?? 0)) return Promise.resolve(false);
      note.standing = { value, revision: revision + 1 };
      return Promise.resolve(true);
    },
    follow: async function* () { if (note.standing !== undefined) yield note.standing; },
  };
  return note;
};

test('servers agree on one authority, and whoever has not their keys reads nothing of it', async (t) => {
  const note = noteOf();
  const [one, two] = [0, 1].map(() => new SharedAuthority({ note, accountKey: ours, where })) as [SharedAuthority, SharedAuthority];
  t.is(await one.read(), undefined);
  const first = authorityOf(await createCa({ commonName: 'barge-ca', lifetimeDays: 1, nowMs: Date.now() }));
  const [here, there] = await Promise.all([nextAuthority(first, Date.now()), nextAuthority(first, Date.now())]) as [Authority, Authority];
  t.deepEqual(await Promise.all([one.replace(here, 0), two.replace(there, 0)]), [true, false]);
  for (const server of [one, two]) t.deepEqual(await server.read(), { authority: here, revision: 1 });
  for await (const standing of two.follow(AbortSignal.abort())) t.deepEqual(standing, { authority: here, revision: 1 });
  t.false(await two.replace(there, 0), 'a step that was planned on the authority from before');

  const text = note.standing!.value;
  for (const secret of [here.signer.key, here.signer.key.split('\n')[1]!, 'PRIVATE KEY', 'CERTIFICATE']) t.false(text.includes(secret), secret);
  await t.throwsAsync(new SharedAuthority({ note, accountKey: theirs, where }).read(), { message: /http:\/\/etcd under \/barge holds the objects of a cluster whose keys are not in this data folder: join them/ });
});

test('what is sealed can be neither read nor changed with another key', (t) => {
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const sealed = seal('words', key);
  t.is(unseal(sealed, key), 'words');
  t.not(seal('words', key), sealed, 'no two are alike');
  t.throws(() => unseal(sealed, other));
  const { data, ...rest } = JSON.parse(sealed) as { data: string };
  const changed = Buffer.from(data, 'base64');
  changed[0]! ^= 1;
  t.throws(() => unseal(JSON.stringify({ ...rest, data: changed.toString('base64') }), key));
  t.throws(() => unseal(JSON.stringify({ ...rest, data, tag: Buffer.alloc(4).toString('base64') }), key), undefined, 'a short tag proves little');
});

test('what is no whole authority is not taken', (t) => {
  for (const data of [{}, { cert: 'a' }, { cert: 'a', key: 'b', outgoing: 'c' }, { cert: 'a', key: 'b', cross: 'c' }, { cert: 1, key: 'b' }]) {
    t.throws(() => authorityOf(data as never), { instanceOf: TypeError });
  }
});

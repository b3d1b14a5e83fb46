/** The authority of a running cluster is replaced: a server and a joined node as command lines of their own, on pretended containers. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { certificatesIn, signerAmong } from '../../base/authorities.ts';
import { readPairFile, writePrivate } from '../../base/pki-files.ts';
import { keepAuthority, nextAuthority, readAuthority } from '../../cli/cluster/authority/authority-files.ts';
import { authorityHash } from '../../cli/cluster/join/join-token.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { eventually } from '../helpers/eventually.ts';

const up = 'up --runtime simulated --data-dir @/data --node-name first --log-level error';
const second = '--runtime simulated --data-dir @/n2 --log-level error';

/** A cluster of two machines with a pod on the second. */
const cluster = async (t: ExecutionContext) => {
  // Many command lines: 20 s of one core.
  t.timeout(240_000);
  const processes = await bargeProcesses(t);
  const { folder, begin, barge } = processes;
  const server = await begin(`${up} --listen 127.0.0.1:0`);
  const line = (await barge('token create --ttl=1h')).trim().replace('barge ', '');
  const node = await begin(`${line} ${second} --node-name n2 --node-ip 127.0.0.2`);
  await barge('cordon first');
  await barge('run there --image=web:1');
  await barge('wait pod/there --for=condition=Ready --timeout=60s');
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  await copyFile(join(folder, 'data/admin.kubeconfig'), join(folder, 'old.kubeconfig'));
  return { ...processes, server, node, line, file, url: line.split(' ')[1] ?? '', old: await file('data/pki/ca.crt') };
};

const hashes = (pem: string): readonly string[] => certificatesIn(pem).map(authorityHash);

test('the authority is replaced while everything runs, and what the old one has signed ends with it', async (t) => {
  const { folder, barge, begin, start, file, line, url, old } = await cluster(t);
  const watch = start('get pods -w');
  const follow = start('logs -f there');
  t.regex(await barge('ca finish', 1), /no authority is being replaced: 'barge ca rotate' begins it/);

  t.regex(await barge('ca rotate'), /^the authority is now \S+; \S+ is still trusted\nAll servers and nodes have certificates of the new authority/);
  const [next = '', going = ''] = hashes(await barge('get configmap barge-cluster -n kube-public -o jsonpath={.data.authorities}'));
  t.is(going, authorityHash(old));
  t.not(next, going);
  t.regex(await barge('ca status'), new RegExp(`${next} +signs .*\\n${going} +goes with 'barge ca finish'.*\\n\\nNODE.*\\nfirst +the one that signs\\nn2 +the one that signs\\n`));

  // What knows the old one alone goes on, and so does what was open.
  for (const words of ['get pods', 'logs there', 'exec there -- true']) await barge(`${words} --kubeconfig @/old.kubeconfig`);
  for (const words of ['get pods', 'logs there', 'exec there -- true']) await barge(words);
  await barge('label pod there seen=yes');
  await eventually(() => assert.equal(watch.out().match(/^there /mg)?.length, 2, watch.out()));
  await eventually(async () => assert.deepEqual(hashes(await barge('get configmap kube-root-ca.crt -o jsonpath={.data.ca\\.crt}')), [next, going]));
  t.deepEqual(hashes(await file('n2/node/ca.crt')), [next, going]);

  // Tokens of both let machines in.
  const newLine = (await barge('token create')).trim().replace('barge ', '');
  t.is(newLine.split('-')[4], next);
  for (const [words, name, at] of [[line, 'n3', '127.0.0.3'], [newLine, 'n4', '127.0.0.4']] as const) {
    const one = await begin(`${words} --runtime simulated --data-dir @/${name} --log-level error --node-name ${name} --node-ip ${at}`);
    t.deepEqual(hashes(await file(`${name}/node/ca.crt`)), [next, going], name);
    await one.stop();
    await barge(`node rm ${name} --force`);
  }

  t.regex(await barge('ca finish --kubeconfig @/old.kubeconfig', 1), /this kubeconfig knows the old authority alone/);
  t.regex(await barge('ca finish'), new RegExp(`${going} is not trusted any more`));
  t.regex(await barge('ca status'), new RegExp(`^AUTHORITY.*\\n${next} +signs .*\\n\\nNODE`));
  t.regex(await barge('get pods --kubeconfig @/old.kubeconfig', 1), /self-signed certificate in certificate chain|unable to verify|unable to get/);
  t.regex(await barge('get pods --kubeconfig @/old.kubeconfig --insecure-skip-tls-verify', 1), /Unauthorized/);
  await watch.ended;
  await eventually(async () => {
    assert.deepEqual(hashes(await barge('get configmap kube-root-ca.crt -o jsonpath={.data.ca\\.crt}')), [next]);
    assert.deepEqual(hashes(await file('n2/node/ca.crt')), [next]);
  });
  for (const words of ['logs there', 'exec there -- true', 'get nodes']) await barge(words);
  t.regex(await barge('get nodes'), /^n2 +Ready/m);
  t.regex(await barge(`${line} --runtime simulated --data-dir @/n5`, 1), new RegExp(`the token names the authority ${going}, the server shows ${next}`));
  t.is((await barge('token create -q')).split('-')[2], next);
  for (const name of ['client', 'serving']) {
    t.not(signerAmong(certificatesIn(await file('data/pki/ca.crt')), new X509Certificate((await readPairFile(join(folder, `n2/node/${name}.pem`)))!.cert)), undefined, name);
  }
  const shown = await new Promise<X509Certificate>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!.issuerCertificate!);
      socket.destroy();
    }).on('error', reject);
  });
  t.is(authorityHash(shown), next);
  await follow.stop();
});

test('a rotation survives the end of the server between any two of its steps, and waits for a node that is away', async (t) => {
  const { folder, barge, begin, server, node, file, url, old } = await cluster(t);
  const pki = join(folder, 'data/pki');
  const again = `${up} --listen ${new URL(url).host}`;
  const works = async (): Promise<void> => {
    await eventually(async () => assert.match(await barge('get nodes'), /^n2 +Ready/m), 60_000);
    await eventually(() => barge('logs there'), 60_000);
  };
  await node.stop();
  await server.stop();

  // Killed right after the new authority was made: nothing has been signed by it, nobody has heard of it.
  const begun = await nextAuthority((await readAuthority(pki))!, Date.now());
  await keepAuthority(pki, begun);
  let running = await begin(again);
  const next = authorityHash(begun.signer.cert);
  await eventually(async () => assert.match(await barge('ca status'), new RegExp(`${next} +signs .*\\n${authorityHash(old)} +goes[^]*first +the one that signs\\nn2 +the one that goes`)), 60_000);
  t.regex(await barge('ca rotate --timeout=1s', 1), /the nodes n2 have no certificates of the new authority yet;/);
  t.regex(await barge('ca finish', 1), /the nodes n2 have certificates of the old authority, and would have to join anew;/);
  t.deepEqual(hashes(await file('n2/node/ca.crt')), [authorityHash(old)]);
  await begin(`join ${second}`);
  await barge('ca rotate');
  await works();

  // Killed when somebody had asked for the end, and again with half of that done.
  await running.stop();
  await writePrivate(join(pki, 'ca.key'), begun.signer.key);
  running = await begin(again);
  await works();
  t.regex(await barge('ca status'), new RegExp(`${authorityHash(old)} +goes`));
  await barge('ca finish');
  await works();
  await running.stop();
  await writePrivate(join(pki, 'rotation.json'), JSON.stringify(begun.data));
  await begin(again);
  await eventually(async () => assert.match(await barge('ca status'), new RegExp(`^AUTHORITY.*\\n${next} +signs .*\\n\\nNODE`)), 60_000);
  await works();
  t.deepEqual(hashes(await file('data/pki/ca.crt')), [next]);
});

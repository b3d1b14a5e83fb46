/** Servers of one cluster on one etcd, as command lines of their own in this process. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { EtcdStorage } from '../../apiserver/storage/etcd.ts';
import { certificatesIn } from '../../base/authorities.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { aloneOf, nextAuthority, readAuthority } from '../../cli/cluster/authority/authority-files.ts';
import { SharedAuthority } from '../../cli/cluster/authority/shared-authority.ts';
import { authorityHash } from '../../cli/cluster/join/join-token.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { cutConnection } from '../helpers/cut-connection.ts';
import { etcdTest, sharedEtcd } from '../helpers/etcd.ts';
import { eventually } from '../helpers/eventually.ts';

const etcd = sharedEtcd();
let clusters = 0;

/** `begin(name)` starts the server whose data folder is `@/NAME`; all of a cluster have the keys of `a`, which comes first. */
const servers = async (t: ExecutionContext) => {
  t.timeout(240_000);
  const processes = await bargeProcesses(t);
  const { folder } = processes;
  const prefix = `/servers${clusters++}`;
  const [endpoint = ''] = (await etcd()).endpoints;
  const begin = async (name: string, { flags = '', store = endpoint, at = prefix } = {}) => {
    if (name !== 'a' && at === prefix && !existsSync(join(folder, name, 'pki'))) {
      await mkdir(join(folder, name, 'pki'), { recursive: true, mode: 0o700 });
      for (const file of ['ca.crt', 'ca.key', 'service-account.key']) await copyFile(join(folder, 'a/pki', file), join(folder, name, 'pki', file));
    }
    return processes.begin(`up --data-dir @/${name} --kubeconfig @/${name}/admin.kubeconfig --node-name ${name} --listen 127.0.0.1:0 --etcd-servers ${store} --etcd-prefix ${at} --log-level error ${flags === '' ? '--no-agent' : flags}`);
  };
  return { ...processes, processes, begin, endpoint, prefix, on: (name: string, words: string, wanted?: number) => processes.barge(`${words} --kubeconfig @/${name}/admin.kubeconfig`, wanted) };
};

etcdTest('a server that does not reach its etcd says that it is not ready, and that it lives', async (t) => {
  const { begin, endpoint, on } = await servers(t);
  const way = await cutConnection(Number(new URL(endpoint).port));
  await begin('a');
  await begin('b', { store: `http://${way.address}` });
  for (const name of ['a', 'b']) t.regex(await on(name, 'get --raw=/readyz?verbose'), /^\[\+\]etcd ok$/m);
  await way.close();
  await eventually(async () => assert.match(await on('b', 'get --raw=/readyz', 1), /\[-\]etcd failed: it does not answer\n/));
  await on('b', 'get --raw=/healthz', 1);
  t.is(await on('b', 'get --raw=/livez'), 'ok');
  t.is(await on('b', 'get --raw=/readyz?exclude=etcd'), 'ok');
  t.is(await on('a', 'get --raw=/readyz'), 'ok');
});

etcdTest('a server that is reset leaves the cluster to the others; the last one can end it', async (t) => {
  const { folder, begin, barge, on, endpoint, prefix, processes } = await servers(t);
  const a = await begin('a');
  const b = await begin('b', { flags: '--runtime simulated' });
  await on('a', 'create configmap kept');
  await eventually(async () => assert.match(await on('a', 'get nodes'), /^b +Ready/m), 60_000);
  t.regex(await barge('reset --yes --store --runtime simulated --data-dir @/b', 1), /^error: --store: other servers of the cluster run on its objects: a; reset them first/);
  t.regex(await on('b', 'get nodes'), /^b +Ready/m, 'it runs as before');
  await b.stop();
  t.regex(await barge('reset --yes --runtime simulated --data-dir @/b'), new RegExp(`^took the server and the node b out of the cluster\nthe objects of the cluster stay in etcd \\(${endpoint} under ${prefix}\\) for its other servers: a\nremoved barge's files in .*/b\n$`));
  t.is(await on('a', 'get nodes -o name'), '');
  t.is(await on('a', 'get leases -n kube-system -l apiserver.kubernetes.io/identity -o name'), 'lease.coordination.k8s.io/apiserver-a\n');
  await t.throwsAsync(readdir(join(folder, 'b')), { code: 'ENOENT' });

  // Of the server's name, and another machine's: it is not the server's to take away.
  const line = (await on('a', 'token create --ttl=1h')).trim().replace('barge ', '');
  const namesake = await processes.begin(`${line} --runtime simulated --data-dir @/n --log-level error --node-name a --node-ip 127.0.0.2`);
  await namesake.stop();
  await a.stop();
  await cp(join(folder, 'a/pki'), join(folder, 'c/pki'), { recursive: true });
  const again = `barge reset --store --etcd-servers ${endpoint} --etcd-prefix ${prefix}`;
  t.regex(await barge('reset --yes --runtime simulated --data-dir @/a'), new RegExp(`^took the server a out of the cluster\\n.*; it has no other server: '${again}' removes them\n`));
  const c = await begin('c');
  await on('c', 'get configmap kept');
  t.is(await on('c', 'get nodes -o name'), 'node/a\n');
  await c.stop();
  await begin('d', { at: `${prefix}/nested` });
  await on('d', 'create configmap others');
  t.regex(await barge('reset --yes --store --runtime simulated --data-dir @/c'), new RegExp(`^removed all objects of the cluster from etcd \\(${endpoint} under ${prefix}\\)\n`));
  await on('d', 'get configmap others');
  t.is(await barge(`${again.replace('barge ', '')} --yes --runtime simulated --data-dir @/none`), `removed all objects of the cluster from etcd (${endpoint} under ${prefix})\n`);
  t.regex(await barge('reset --yes --store --runtime simulated --data-dir @/none', 1), /--store: \S+ names no etcd/);
});

const hashes = (pem: string): readonly string[] => certificatesIn(pem).map(authorityHash);

etcdTest('the authority of servers that share an etcd is replaced on all of them, by whichever is asked', async (t) => {
  const { folder, begin, barge, start, on, endpoint, prefix, processes } = await servers(t);
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  await begin('a');
  const b = await begin('b', { flags: '--runtime simulated' });
  const away = await begin('c');
  await away.stop();
  const line = (await on('a', 'token create --ttl=1h')).trim().replace('barge ', '');
  await processes.begin(`${line} --runtime simulated --data-dir @/n --log-level error --node-name n --node-ip 127.0.0.2`);
  const old = authorityHash(await file('a/pki/ca.crt'));
  for (const name of ['a', 'b']) await copyFile(join(folder, name, 'admin.kubeconfig'), join(folder, `old-${name}.kubeconfig`));
  const watches = ['a', 'b'].map((name) => start(`get pods -w --kubeconfig @/old-${name}.kubeconfig`));

  // Asked for at both at once, it is done once.
  await Promise.all([on('a', 'ca rotate'), on('b', 'ca rotate')]);
  const [next = '', going] = hashes(await on('a', 'get configmap barge-cluster -n kube-public -o jsonpath={.data.authorities}'));
  t.is(going, old);
  t.regex(await on('b', 'ca status'), new RegExp(`^AUTHORITY.*\\n${next} +signs .*\\n${old} +goes.*\\n\\nSERVER.*\\na +the one that signs\\nb +the one that signs\\n\\nNODE.*\\nb +the one that signs\\nn +the one that signs\\n`));
  for (const name of ['a', 'b']) {
    t.like(JSON.parse(await file(`${name}/pki/rotation.json`)), { key: (JSON.parse(await file('a/pki/rotation.json')) as { key: string }).key });
    for (const kubeconfig of [`old-${name}`, `${name}/admin`]) await barge(`get nodes --kubeconfig @/${kubeconfig}.kubeconfig`);
  }
  t.deepEqual(hashes(await file('n/node/ca.crt')), [next, old]);
  const storage = await EtcdStorage.open({ endpoints: [endpoint], prefix, clock: systemClock, log: silentLog });
  t.teardown(() => storage.close());
  const note = await storage.note('authority').read();
  t.notRegex(note?.value ?? '', /PRIVATE|CERTIFICATE/);
  t.is(await on('a', `get secrets,configmaps -A -o jsonpath={.items[*].data}`).then((all) => all.includes('PRIVATE KEY')), false);

  // A further server joins in the middle of it.
  const server = (await on('a', 'token create --role server')).trim().replace('barge ', '');
  await processes.begin(`${server} --runtime simulated --data-dir @/s --listen 127.0.0.1:0 --log-level error --node-name s`);
  t.is(await file('s/pki/rotation.json'), await file('a/pki/rotation.json'));
  const [url] = (await file('s/admin.kubeconfig')).match(/https:\S+\d/)!;
  for (const kubeconfig of ['old-a', 'a/admin', 's/admin']) t.regex(await barge(`ca status --kubeconfig @/${kubeconfig}.kubeconfig --server ${url}`), /^s +the one that signs$/m);
  watches.push(start(`get pods -w --kubeconfig @/old-a.kubeconfig --server ${url}`));

  // One that is away while it ends has the end before it when it is back, and one that was away for all of it too.
  await b.stop();
  await eventually(async () => assert.equal(await on('a', 'get leases -n kube-system apiserver-b --ignore-not-found -o name'), ''), 60_000);
  t.regex(await on('a', 'ca finish'), new RegExp(`${old} is not trusted any more`));
  t.regex(await barge('get pods --kubeconfig @/old-a.kubeconfig --insecure-skip-tls-verify', 1), /Unauthorized/);
  await Promise.all(watches.map(({ ended }) => ended));
  t.deepEqual(hashes((JSON.parse(await file('b/pki/rotation.json')) as { outgoing: string }).outgoing), [old]);
  await begin('b', { flags: '--runtime simulated' });
  await begin('c');
  for (const name of ['b', 'c', 's']) {
    t.is(await file(`${name}/pki/ca.key`), await file('a/pki/ca.key'));
    await t.throwsAsync(file(`${name}/pki/rotation.json`), { code: 'ENOENT' });
    t.regex(await on(name, 'ca status'), new RegExp(`^AUTHORITY.*\\n${next} +signs .*\\n\\nSERVER`));
    await barge(`get nodes --kubeconfig @/${name}/admin.kubeconfig`);
  }
  await eventually(async () => assert.match(await on('c', 'get nodes'), /^b +Ready.*\nn +Ready.*\ns +Ready/m), 60_000);
  t.deepEqual(hashes(await file('n/node/ca.crt')), [next]);
});

etcdTest('a rotation that the server which began it did not live to tell of goes on', async (t) => {
  const { folder, begin, on, endpoint, prefix } = await servers(t);
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  for (const server of [await begin('a'), await begin('b')]) await server.stop();
  const storage = await EtcdStorage.open({ endpoints: [endpoint], prefix, clock: systemClock, log: silentLog });
  t.teardown(() => storage.close());
  const shared = new SharedAuthority({ note: storage.note('authority'), accountKey: await file('a/pki/service-account.key'), where: endpoint });
  const first = (await readAuthority(join(folder, 'a/pki')))!;
  const begun = await nextAuthority(first, Date.now());
  t.true(await shared.replace(begun, 0));
  const next = authorityHash(begun.signer.cert);
  await begin('a');
  t.regex(await on('a', 'ca rotate'), new RegExp(`^the authority is now ${next}; ${authorityHash(first.signer.cert)} is still trusted\\n`));

  // It hears of what others have agreed upon while it runs, and is asked again for what is done.
  t.true(await shared.replace(aloneOf(begun), (await shared.read())!.revision));
  await eventually(async () => assert.match(await on('a', 'ca status'), new RegExp(`^AUTHORITY.*\\n${next} +signs .*\\n\\nSERVER`)), 60_000);
  await begin('b');
  for (const name of ['a', 'b']) t.is(authorityHash(await file(`${name}/pki/ca.crt`)), next);
  await on('b', 'ca rotate');
  await on('a', 'ca finish');
  t.not(authorityHash(await file('b/pki/ca.crt')), next);
  t.is(await file('b/pki/ca.key'), await file('a/pki/ca.key'));
});

etcdTest('parts that run alone go on at another server when theirs is lost, and start when it is away', async (t) => {
  const { folder, begin, barge, on, processes } = await servers(t);
  const a = await begin('a', { flags: '--components none' });
  await begin('b', { flags: '--components none' });
  const urlOf = async (name: string): Promise<string> => (await readFile(join(folder, name, 'admin.kubeconfig'), 'utf8')).match(/https:\S+\d/)![0];
  for (const part of ['controllers', 'scheduler']) await barge(`issue ${part} --data-dir @/a --server ${await urlOf('a')} --out @/${part}.kubeconfig`);
  await barge(`issue agent --data-dir @/a --server ${await urlOf('a')} --node-name n1 --out @/n1.kubeconfig`);
  const more = `--servers ${await urlOf('b')} --log-level info`;
  const [controllers, scheduler] = [await processes.begin(`controllers --kubeconfig @/controllers.kubeconfig ${more}`), await processes.begin(`scheduler --kubeconfig @/scheduler.kubeconfig ${more}`)];
  await processes.begin(`agent --kubeconfig @/n1.kubeconfig --runtime simulated --data-dir @/n1 ${more}`);
  await on('a', 'create deployment web --image=web:1');
  await on('a', 'rollout status deployment/web --timeout=60s');

  // To whoever speaks to it, it is gone in a moment; who holds a lease keeps it.
  await a.stop();
  await on('b', 'scale deployment web --replicas=3');
  t.regex(await on('b', 'rollout status deployment/web --timeout=60s'), /successfully rolled out/);
  for (const part of [controllers, scheduler]) {
    t.regex(part.err(), /INFO +leads /);
    t.notRegex(part.err(), /does not lead any more/);
    t.regex(part.err(), /the server did not answer, going on at another one/);
  }

  for (const part of [controllers, scheduler]) t.is(await part.stop(), 0);
  await processes.begin(`controllers --kubeconfig @/controllers.kubeconfig ${more}`);
  await processes.begin(`scheduler --kubeconfig @/scheduler.kubeconfig ${more}`);
  await on('b', 'scale deployment web --replicas=5');
  t.regex(await on('b', 'rollout status deployment/web --timeout=60s'), /successfully rolled out/);
  t.regex(await barge('controllers --kubeconfig @/controllers.kubeconfig --servers b:6443', 1), /--servers: "b:6443" must be https:\/\/HOST:PORT/);
});

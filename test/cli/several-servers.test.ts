/** Servers of one cluster on one etcd, as command lines of their own in this process. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
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
  return { ...processes, begin, endpoint, prefix, on: (name: string, words: string, wanted?: number) => processes.barge(`${words} --kubeconfig @/${name}/admin.kubeconfig`, wanted) };
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
  const { folder, begin, barge, on, endpoint, prefix } = await servers(t);
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

  await a.stop();
  await cp(join(folder, 'a/pki'), join(folder, 'c/pki'), { recursive: true });
  const again = `barge reset --store --etcd-servers ${endpoint} --etcd-prefix ${prefix}`;
  t.regex(await barge('reset --yes --runtime simulated --data-dir @/a'), new RegExp(`it has no other server: '${again}' removes them\n`));
  const c = await begin('c');
  await on('c', 'get configmap kept');
  await c.stop();
  await begin('d', { at: `${prefix}/nested` });
  await on('d', 'create configmap others');
  t.regex(await barge('reset --yes --store --runtime simulated --data-dir @/c'), new RegExp(`^removed all objects of the cluster from etcd \\(${endpoint} under ${prefix}\\)\n`));
  await on('d', 'get configmap others');
  t.is(await barge(`${again.replace('barge ', '')} --yes --runtime simulated --data-dir @/none`), `removed all objects of the cluster from etcd (${endpoint} under ${prefix})\n`);
  t.regex(await barge('reset --yes --store --runtime simulated --data-dir @/none', 1), /--store: \S+ names no etcd/);
});

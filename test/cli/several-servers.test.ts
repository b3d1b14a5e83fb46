/** Servers of one cluster on one etcd, as command lines of their own in this process. */
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
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
  const begin = async (name: string, flags = '', store = endpoint) => {
    if (name !== 'a') {
      await mkdir(join(folder, name, 'pki'), { recursive: true, mode: 0o700 });
      for (const file of ['ca.crt', 'ca.key', 'service-account.key']) await copyFile(join(folder, 'a/pki', file), join(folder, name, 'pki', file));
    }
    return processes.begin(`up --no-agent --data-dir @/${name} --kubeconfig @/${name}/admin.kubeconfig --node-name ${name} --listen 127.0.0.1:0 --etcd-servers ${store} --etcd-prefix ${prefix} --log-level error ${flags}`.trim());
  };
  return { ...processes, begin, endpoint, prefix, on: (name: string, words: string, wanted?: number) => processes.barge(`${words} --kubeconfig @/${name}/admin.kubeconfig`, wanted) };
};

etcdTest('a server that does not reach its etcd says that it is not ready, and that it lives', async (t) => {
  const { begin, endpoint, on } = await servers(t);
  const way = await cutConnection(Number(new URL(endpoint).port));
  await begin('a');
  await begin('b', '', `http://${way.address}`);
  for (const name of ['a', 'b']) t.regex(await on(name, 'get --raw=/readyz?verbose'), /^\[\+\]etcd ok$/m);
  await way.close();
  await eventually(async () => assert.match(await on('b', 'get --raw=/readyz', 1), /\[-\]etcd failed: it does not answer\n/));
  await on('b', 'get --raw=/healthz', 1);
  t.is(await on('b', 'get --raw=/livez'), 'ok');
  t.is(await on('b', 'get --raw=/readyz?exclude=etcd'), 'ok');
  t.is(await on('a', 'get --raw=/readyz'), 'ok');
});

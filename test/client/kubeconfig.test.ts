import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { connectionOf, kubeconfigFiles, loadKubeconfig, mergeKubeconfigs, parseKubeconfig, printKubeconfig, writeKubeconfig } from '../../client/kubeconfig.ts';

const text = (name: string, extra = '') => `
apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}
  cluster: {server: "https://${name}:6443", certificate-authority-data: ${Buffer.from(`ca of ${name}`).toString('base64')}}
users:
- name: ${name}
  user: {client-certificate: certs/me.crt, client-key-data: ${Buffer.from('key').toString('base64')}${extra}}
contexts:
- name: ${name}
  context: {cluster: ${name}, user: ${name}, namespace: shop}
`;

test('the first file that names a thing wins, and relative paths stand beside their file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-kubeconfig-'));
  try {
    await writeFile(join(folder, 'one'), text('one'));
    await writeFile(join(folder, 'two'), text('two'));
    const env = { KUBECONFIG: [join(folder, 'one'), join(folder, 'missing'), join(folder, 'two')].join(':') };
    const config = await loadKubeconfig({ env });
    t.is(config.currentContext, 'one');
    t.deepEqual([...config.clusters.keys()].sort(), ['one', 'two']);
    t.is(config.users.get('two')?.['client-certificate'], join(folder, 'certs/me.crt'));
    await t.throwsAsync(loadKubeconfig({ named: join(folder, 'missing'), env }), { name: 'KubeconfigError', message: /missing.*ENOENT/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('which files are read', (t) => {
  t.deepEqual(kubeconfigFiles('/a', { KUBECONFIG: '/b' }), ['/a']);
  t.deepEqual(kubeconfigFiles(undefined, { KUBECONFIG: '/b::/c:/b' }), ['/b', '/c']);
  t.deepEqual(kubeconfigFiles(undefined, { HOME: '/home/me' }), ['/home/me/.kube/config']);
});

test('a connection is made of the chosen context, cluster and user', async (t) => {
  const token = (name: string) => text(name).replace('client-certificate: certs/me.crt, ', 'token: secret, ');
  const config = mergeKubeconfigs([parseKubeconfig(token('one'), '/x/one'), parseKubeconfig(token('two'), '/x/two')]);
  const { context, namespace, connection } = await connectionOf(config);
  t.is(context, 'one');
  t.is(namespace, 'shop');
  t.like(connection, { server: 'https://one:6443', token: 'secret' });
  t.is(String(connection.ca), 'ca of one');
  t.is(String(connection.key), 'key');
  t.is((await connectionOf(config, { context: 'two' })).connection.server, 'https://two:6443');
  t.is((await connectionOf(config, { cluster: 'two' })).connection.server, 'https://two:6443');
});

for (const [what, body, message] of [
  ['no YAML', 'a: [', /^\/k: /],
  ['a list', '- a', /^\/k: must be a YAML map/],
  ['clusters that are no list', 'clusters: {}', /^\/k: clusters: must be a list/],
  ['an entry without a name', 'users: [{user: {}}]', /^\/k: users\[0\]\.name: must be a string/],
  ['a server that is a number', 'clusters: [{name: a, cluster: {server: 5}}]', /^\/k: clusters\[0\]\.cluster\.server: must be a string/],
] as const) {
  test(`refuses ${what}`, (t) => {
    t.throws(() => parseKubeconfig(body, '/k'), { name: 'KubeconfigError', message });
  });
}

for (const [what, body, message] of [
  ['an empty file', '', /no cluster is chosen.*there are: none/],
  ['a context that is not there', 'current-context: b', /there is no context "b"/],
  ['a cluster without a server', 'current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]', /cluster "c": server: must be the URL/],
  ['a certificate file that is not there', text('a').replace('certs/me.crt', '/nowhere/me.crt'), /user "a": client-certificate: ENOENT.*\/nowhere\/me\.crt/],
  ['a credential program', text('a', ', exec: {command: x}'), /user "a": exec: credential programs are not supported/],
] as const) {
  test(`no connection from ${what}`, async (t) => {
    await t.throwsAsync(connectionOf(parseKubeconfig(body, '/k')), { name: 'KubeconfigError', message });
  });
}

test('is written for its owner only, and reads back the same', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-kubeconfig-'));
  try {
    const file = join(folder, 'deep', 'config');
    const config = parseKubeconfig(text('one'), join(folder, 'x'));
    await writeKubeconfig(file, config);
    await writeKubeconfig(file, config);
    t.is((await stat(file)).mode & 0o777, 0o600);
    t.is(await readFile(file, 'utf8'), printKubeconfig(config));
    t.deepEqual(await loadKubeconfig({ named: file, env: {} }), config);
  } finally {
    await rm(folder, { recursive: true });
  }
});

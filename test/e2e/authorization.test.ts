/** Who may do what, as unmodified kubectls ask it; and a pod that speaks with the API by its own token. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createCertificateRequest } from '../../base/certificate-request.ts';
import { bargeBin, E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';

const request = async (cluster: E2eCluster, kubectl: string, name: string): Promise<{ readonly key: string; readonly field: (path: string) => Promise<string> }> => {
  const { key, request: pem } = await createCertificateRequest({ commonName: name, organizations: ['devs'] });
  await cluster.with(kubectl, ['create', '-f', '-'], { input: JSON.stringify({
    apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name },
    spec: { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], request: Buffer.from(pem).toString('base64') },
  }) });
  return { key, field: (path) => cluster.with(kubectl, ['get', 'csr', name, '-o', `jsonpath={.status.${path}}`]) };
};

/** Flags by which kubectl is the user `name` of the group devs: with a certificate that was asked for, approved and signed. Another request is denied. */
const certificateOf = async (cluster: E2eCluster, kubectl: string, name: string): Promise<readonly string[]> => {
  const denied = await request(cluster, kubectl, `${name}-denied`);
  const approved = await request(cluster, kubectl, name);
  await cluster.with(kubectl, ['certificate', 'deny', `${name}-denied`]);
  await cluster.with(kubectl, ['certificate', 'approve', name]);
  const certificate = await within(60, async () => {
    const found = await approved.field('certificate');
    assert.notEqual(found, '');
    return Buffer.from(found, 'base64');
  });
  assert.match(await cluster.with(kubectl, ['get', 'csr', name]), /Approved,Issued/);
  assert.match(await cluster.with(kubectl, ['get', 'csr', `${name}-denied`]), /Denied/);
  assert.equal(await denied.field('certificate'), '', 'what was denied is not signed');
  const [certFile, keyFile] = [join(cluster.dataDir, `${name}.crt`), join(cluster.dataDir, `${name}.key`)];
  await writeFile(certFile, certificate);
  await writeFile(keyFile, approved.key);
  return [`--client-certificate=${certFile}`, `--client-key=${keyFile}`];
};

test('kubectl auth, certificates, create token, roles and --as, from every kubectl', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls())];
  t.true(programs.length >= (process.env['CI'] === undefined ? 1 : 3), programs.map(([minor]) => minor).join(', '));
  const newest = programs.toSorted(([a], [b]) => b - a)[0]![1];
  const server = (await cluster.with(programs[0]![1], ['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}'])).trim();
  for (const [minor, kubectl] of programs) {
    const namespace = `team-${minor}`;
    const run = (...args: readonly string[]): Promise<string> => cluster.with(kubectl, args);
    const is = async (args: readonly string[], expected: RegExp): Promise<void> => {
      t.regex(await run(...args), expected, `1.${minor}: ${args.join(' ')}`);
    };
    const refused = async (args: readonly string[], expected: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await cluster.try(kubectl, args);
      t.not(code, 0, args.join(' '));
      t.regex(stdout + stderr, expected, `1.${minor}: ${args.join(' ')}`);
    };
    await run('create', 'namespace', namespace);
    await is(['auth', 'can-i', 'create', 'pods'], /^yes/);
    await is(['auth', 'can-i', '*', '*'], /^yes/);
    await is(['auth', 'can-i', '--list', '-n', namespace], /\*\.\* +\[\] +\[\] +\[\*\]/);
    await refused(['auth', 'can-i', 'list', 'secrets', '--as', 'dora', '-n', namespace], /^no/);
    await refused(['get', 'pods', '--as', 'dora', '-n', namespace], /User "dora" cannot list resource "pods"/);
    await run('create', 'role', 'reader', '--verb=get,list', '--resource=pods,pods/log', '-n', namespace);
    await run('create', 'rolebinding', 'dora', '--role=reader', '--user=dora', '-n', namespace);
    await is(['auth', 'can-i', 'list', 'pods', '--as', 'dora', '-n', namespace], /^yes/);
    await is(['auth', 'can-i', '--list', '--as', 'dora', '-n', namespace], /pods\/log +\[\] +\[\] +\[get list\]/);
    await run('get', 'pods', '--as', 'dora', '-n', namespace);
    await refused(['get', 'pods', '--as', 'dora', '-n', 'default'], /forbidden/);

    await within(60, () => run('get', 'serviceaccount', 'default', '-n', namespace));
    await run('create', 'serviceaccount', 'robot', '-n', namespace);
    await run('create', 'rolebinding', 'robot', '--clusterrole=edit', `--serviceaccount=${namespace}:robot`, '-n', namespace);
    // Kubectls before 1.24 cannot ask for tokens.
    const token = (await cluster.with(newest, ['create', 'token', 'robot', '-n', namespace, '--duration=20m'])).trim();
    const robot = (...args: readonly string[]) => cluster.try(kubectl, [`--server=${server}`, '--insecure-skip-tls-verify', `--token=${token}`, ...args], { env: { KUBECONFIG: '/dev/null' } });
    await within(60, async () => assert.equal((await robot('create', 'configmap', 'made', '-n', namespace)).code, 0));
    t.regex((await robot('create', 'configmap', 'made', '-n', 'default')).stderr, /cannot create resource "configmaps"/);
    t.regex((await robot('create', 'clusterrolebinding', 'evil', '--clusterrole=cluster-admin', '--user=me')).stderr, /forbidden/);
    t.regex((await robot('get', 'pods', '--as', 'admin', '--as-group', 'system:masters')).stderr, /cannot impersonate/);
    const jane = await certificateOf(cluster, kubectl, `jane-${minor}`);
    const asJane = (...args: readonly string[]) => cluster.try(kubectl, [`--server=${server}`, '--insecure-skip-tls-verify', ...jane, ...args], { env: { KUBECONFIG: '/dev/null' } });
    t.regex((await asJane('get', 'pods', '-n', namespace)).stderr, new RegExp(`User "jane-${minor}" cannot list resource "pods"`));
    await run('create', 'rolebinding', 'devs', '--role=reader', '--group=devs', '-n', namespace);
    await within(60, async () => assert.equal((await asJane('get', 'pods', '-n', namespace)).code, 0));

    if (minor >= 28) await is(['auth', 'whoami'], /Username +admin\nGroups +\[system:masters system:authenticated\]/);
    await run('delete', 'namespace', namespace);
  }
});

test('a pod speaks with the API by the token that it was given', async (t) => {
  await ensureImages();
  const cluster = await E2eCluster.start();
  t.teardown(() => cluster.remove());
  await cluster.barge('run', 'me', '--image=barge/hello:1');
  await cluster.barge('wait', '--for=condition=Ready', 'pod/me', '--timeout=60s');
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const read = (file: string): Promise<string> => cluster.barge('exec', 'me', '--', 'cat', `${folder}/${file}`);
  t.is(await read('namespace'), 'default');
  t.regex(await read('ca.crt'), /BEGIN CERTIFICATE/);
  const token = await read('token');
  const server = /https:\/\/\S+/.exec(cluster.readyLine)![0];
  const { stdout, stderr } = await cluster.try(bargeBin, [`--server=${server}`, '--insecure-skip-tls-verify', `--token=${token}`, 'get', 'pods'], { env: { KUBECONFIG: '/dev/null' } });
  t.regex(stdout + stderr, /User "system:serviceaccount:default:default" cannot list resource "pods"/);
});

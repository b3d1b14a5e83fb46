/** A second machine joins, as two command lines: on pretended containers, each machine an address of the loopback. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readCertificate } from '../../base/pki.ts';
import { readPairFile } from '../../base/pki-files.ts';
import { bargeProcesses } from '../helpers/barge-processes.ts';
import { eventually } from '../helpers/eventually.ts';

const up = 'up --runtime simulated --data-dir @/data --listen 127.0.0.1:0 --node-name first --log-level error';
const second = '--runtime simulated --data-dir @/n2 --log-level error';

test('a machine joins with one line, runs pods, answers for logs, and starts again without token', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(180_000);
  const { folder, begin, barge } = await bargeProcesses(t);
  await begin(`${up} --node-ip 127.0.0.9`);
  t.is(await barge("get node first -o jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"), '127.0.0.9');
  const line = (await barge('token create --ttl=10m')).trim().replace('barge ', '');
  t.regex(line, /^join https:\/\/127\.0\.0\.1:\d+ --token BARGE-1-/);
  const node = await begin(`${line} ${second} --node-name n2 --node-ip 127.0.0.2`);
  t.regex(await barge('get nodes'), /^n2 +Ready/m);
  t.is(await barge("get node n2 -o jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"), '127.0.0.2');

  // What was asked for can be read.
  const requests = await barge('get csr');
  t.regex(requests, /kubernetes\.io\/kube-apiserver-client-kubelet +system:bootstrap:\S{6} .*Approved,Issued/);
  t.regex(requests, /kubernetes\.io\/kubelet-serving +system:node:n2 .*Approved,Issued/);

  // Its files are its own, and its certificates say no more than they must.
  t.deepEqual((await readdir(join(folder, 'n2/node'))).sort(), ['ca.crt', 'client.pem', 'joined.json', 'serving.pem']);
  for (const name of await readdir(join(folder, 'n2/node'))) t.is((await stat(join(folder, 'n2/node', name))).mode & 0o777, 0o600, name);
  t.is((await stat(join(folder, 'n2/node'))).mode & 0o777, 0o700);
  const [client, serving] = [await readPairFile(join(folder, 'n2/node/client.pem')), await readPairFile(join(folder, 'n2/node/serving.pem'))];
  t.like(readCertificate(client!.cert), { commonName: 'system:node:n2', organizations: ['system:nodes'], dnsNames: [], ipAddresses: [] });
  t.like(readCertificate(serving!.cert), { commonName: 'system:node:n2', dnsNames: ['n2'], ipAddresses: ['127.0.0.2'] });

  // It takes pods, and the API server reaches it for their logs.
  await barge('cordon first');
  await barge('run there --image=web:1');
  t.is(await barge('wait pod/there --for=condition=Ready --timeout=60s'), 'pod/there condition met\n');
  t.is(await barge('get pod there -o jsonpath={.spec.nodeName}'), 'n2');
  await barge('logs there');

  // Started again, also by the address of the server alone, it needs no token.
  t.is(await node.stop(), 0);
  const again = await begin(`join ${second}`);
  t.regex(again.out(), /^node n2 Ready: https:\/\/127\.0\.0\.1:\d+\n$/);
  // Pretended containers do not outlive their process: the pod is started anew.
  await eventually(() => barge('logs there'));
  t.deepEqual(await readPairFile(join(folder, 'n2/node/serving.pem')), serving, 'what is good is kept');
  t.is(await again.stop(), 0);

  // At another address it gets another serving certificate.
  await begin(`join ${second} --node-ip 127.0.0.3`);
  t.deepEqual(readCertificate((await readPairFile(join(folder, 'n2/node/serving.pem')))!.cert).ipAddresses, ['127.0.0.3']);
  await eventually(() => barge('logs there'));
});

test('what cannot become a node is told why', async (t) => {
  // Many command lines: 6 s of one core.
  t.timeout(180_000);
  const { folder, begin, barge } = await bargeProcesses(t);
  await begin(up);
  const line = (await barge('token create')).trim().replace('barge ', '');
  const [, url = '', , token = ''] = line.split(' ');
  const [good, wrong] = [token.split('-')[2]!, 'a'.repeat(50)];
  for (const [words, message] of [
    [`join ${second}`, /has not joined yet needs the server and a token/],
    [`join ${url} ${second}`, /needs the server and a token/],
    [`join http://127.0.0.1:1 --token ${token} ${second}`, /must be the URL of the API server, such as https:/],
    [`join ${url} --token nonsense ${second}`, /--token: the token is not of the form/],
    [`join ${url} --token ${token.replace(good, wrong)} ${second}`, new RegExp(`is not the server that the token is for, and was told nothing: the token names the authority ${wrong}, the server shows ${good}`)],
    [`join https://127.0.0.1:1 --token ${token} ${second}`, /https:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/],
    [`join ${url} --token ${token} --runtime simulated --data-dir @/data`, /is the data folder of a cluster's server/],
    [`join ${url} --token ${token} ${second} --node-name first`, /was denied: node first is there already, and a token makes new nodes only.*kubectl delete node first/],
    [`join ${url} --token ${token.slice(0, -16)}${'0'.repeat(16)} ${second}`, /the token is not good \(any more\)/],
    [`join ${url} --token ${token} ${second} --node-ip here`, /--node-ip: "here" is no IPv4 address/],
    [`up --runtime simulated --data-dir @/n9 --listen 127.0.0.1:0 --node-ip 203.0.113.9`, /--node-ip: this machine has no address 203\.0\.113\.9; it has \d/],
    [`join ${url} x --token ${token}`, /unexpected argument "x"/],
  ] as const) t.regex(await barge(words, 1), message);
  t.is(await barge(`token delete ${token}`), `token ${token.split('-')[3]} ended\n`);
  t.regex(await barge(`join ${url} --token ${token} ${second}`, 1), /was deleted, rotated, or has ended/);
  await t.throwsAsync(readdir(join(folder, 'n2')), { code: 'ENOENT' }, 'nothing is kept of what failed');

  const more = (await barge('token create -q')).trim();
  const node = await begin(`join ${url} --token ${more} ${second} --node-name n2 --node-ip 127.0.0.2`);
  await node.stop();
  for (const [words, message] of [
    [`join ${second} --node-name n3`, /has joined as n2, not n3; 'barge reset' removes/],
    [`join ${second} --token ${more.replace(good, wrong)}`, /has joined another cluster, whose authority is/],
    [`up --runtime simulated --data-dir @/n2 --listen 127.0.0.1:0`, /is the data folder of a machine that has joined a cluster/],
  ] as const) t.regex(await barge(words, 1), message);
  await barge('reset --yes --runtime simulated --data-dir @/n2');
  await t.throwsAsync(readdir(join(folder, 'n2')), { code: 'ENOENT' });
});

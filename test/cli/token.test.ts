import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { bootstrapTokens } from '../../apiserver/authentication/bootstrap-tokens.ts';
import { authorityHash, newBootstrapToken, parseJoinToken, printJoinToken } from '../../cli/cluster/join/join-token.ts';
import { publishClusterInfo } from '../../cli/cluster/join/cluster-info.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { createClient } from '../../client/client.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { testCli } from '../helpers/cli.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { testCertificates } from '../helpers/https-api.ts';

const info = { clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDomain: 'cluster.local', overlay: 'auto', nodeLeaseSeconds: 20 } as const;

test('a token holds the hash of the authority and a bootstrap token, and is refused with the part that is wrong', async (t) => {
  const { ca } = await testCertificates();
  const authority = authorityHash(ca.cert);
  t.regex(authority, /^[a-z0-9]{50}$/);
  t.is(authorityHash(new X509Certificate(ca.cert)), authority);
  const token = { authority, ...newBootstrapToken() };
  t.deepEqual(parseJoinToken(`  ${printJoinToken(token)}\n`), token);
  const ids = new Set(Array.from({ length: 50 }, () => newBootstrapToken().secret));
  t.is(ids.size, 50);
  for (const [text, message] of [
    ['abcdef.0123456789abcdef', /not of the form BARGE-1-AUTHORITY-ID-SECRET/], ['', /not of the form/], [printJoinToken(token).replace('-1-', '-2-'), /is of version 2, and this barge knows version 1/],
    [printJoinToken(token).slice(0, -1), /its secret has 15 letters, not 16/], [printJoinToken({ ...token, authority: authority.slice(1) }), /its authority has 49 letters, not 50/],
    [printJoinToken({ ...token, id: 'abc' }), /its id has 3 letters, not 6/],
  ] as const) {
    const error = t.throws(() => parseJoinToken(text), { message });
    t.false(error.message.includes(token.secret.slice(0, 10)), 'the secret is not repeated');
  }
});

test('tokens are made, listed, rotated and ended, and count from that moment', async (t) => {
  const clock = new FakeClock(Date.now());
  const cli = await testCli({ clock, authorizer: createClusterAuthorizer });
  t.teardown(() => cli.close());
  const { ca } = cli.api.certificates;
  await publishClusterInfo(cli.api.client, { ...info, externalIps: false, server: 'https://192.0.2.1:6443' }, cli.api.certificates.ca.cert);
  const source = bootstrapTokens({ get: (key: string) => secrets.get(key) } as never, clock);
  const secrets = new Map<string, Secret>();
  /** Who the token is from now, or why it is nobody's. */
  const bearer = async (line: string): Promise<string> => {
    const { id, secret } = parseJoinToken(line.trim().split(' ').at(-1)!);
    secrets.clear();
    for (const one of (await cli.api.client.of(Secret).list({ namespace: 'kube-system' })).items) secrets.set(`/secrets/kube-system/${one.metadata.name}`, one);
    try {
      return source.bearerOf(`${id}.${secret}`, [])!.user.groups.join();
    } catch (error) {
      return (error as Error).message;
    }
  };
  const workers = 'system:bootstrappers,system:bootstrappers:barge:worker,system:authenticated';
  const barge = async (words: string) => {
    const { out, err, code } = await cli.barge(words);
    t.is(code, 0, err);
    return out;
  };

  const line = await barge('token create --ttl=1h --description=rack-7');
  t.regex(line, /^barge join https:\/\/192\.0\.2\.1:6443 --token BARGE-1-[a-z0-9]{50}-[a-z0-9]{6}-[a-z0-9]{16}\n$/);
  const token = parseJoinToken(line.trim().split(' ').at(-1)!);
  t.is(token.authority, authorityHash(ca.cert));
  t.is(await bearer(line), workers);
  const quiet = await barge('token create -q --ttl=0');
  t.regex(quiet, /^BARGE-1-\S+\n$/);

  const first = await barge('token rotate');
  t.is(await bearer(first), workers);
  const second = await barge('token rotate -q');
  t.is(await bearer(first), 'there is no such bootstrap token', 'void from that moment');
  t.is(await bearer(second), workers);

  const listed = await barge('token list');
  t.regex(listed, /^ID +ROLE +ENDS +KIND +DESCRIPTION\n\S{6} +worker +never +standing +for workers, until it is rotated\n/);
  t.regex(listed, new RegExp(`^${token.id} +worker +(59|60)m +extra +rack-7$`, 'm'));
  t.false(listed.includes(token.secret));
  t.true((await barge('token list --show-tokens')).includes(printJoinToken(token)));

  await clock.advance(3_600_001);
  t.is(await bearer(line), 'the bootstrap token has expired');
  t.regex(await barge('token list'), new RegExp(`^${token.id} +worker +ended`, 'm'));
  t.is(await barge(`token delete ${quiet.trim()}`), `token ${parseJoinToken(quiet).id} ended\n`);
  t.is(await bearer(quiet), 'there is no such bootstrap token');
});

test('what cannot be is refused, and a server on loopback is warned of', async (t) => {
  const cli = await testCli();
  t.teardown(() => cli.close());
  await publishClusterInfo(cli.api.client, { ...info, externalIps: false, server: undefined }, cli.api.certificates.ca.cert);
  const ran = await cli.barge('token create');
  t.regex(ran.err, /Warning: the API server listens on loopback.*--listen 0\.0\.0\.0:6443/);
  t.regex(ran.out, /^barge join https:\/\/127\.0\.0\.1:\d+ --token /);
  for (const [words, code, message] of [
    ['token create --role server', 1, /error: --role: the objects of this cluster are in a file of its only server.*--etcd-servers/], ['token rotate --role server', 1, /there is no standing token for servers/], ['token create --role cook', 1, /--role: "cook" is neither worker nor server/],
    ['token create --ttl=1ms', 1, /--ttl: must be 0/], ['token create x', 1, /unexpected argument "x"/], ['token', 1, /say what to do: create, list, rotate or delete/], ['token delete', 1, /say which/],
    ['token delete zzzzzz', 1, /there is no token "zzzzzz"/], ['token delete nonsense', 1, /there is no token "nonsense"/],
  ] as const) {
    const { code: ended, err } = await cli.barge(words);
    t.is(ended, code, words);
    t.regex(err, message);
  }
  const bob = await cli.barge('token list --context bob');
  t.is(bob.code, 1);
  t.regex(bob.err, /Forbidden/);
});

test('agents read what their cluster is like, and nobody else does without a right', async (t) => {
  const cli = await testCli({ authorizer: createClusterAuthorizer });
  t.teardown(() => cli.close());
  await publishClusterInfo(cli.api.client, { ...info, externalIps: false, server: undefined }, cli.api.certificates.ca.cert);
  await publishClusterInfo(cli.api.client, { ...info, externalIps: false, server: 'https://192.0.2.1:6443' }, cli.api.certificates.ca.cert);
  const at = { namespace: 'kube-public', name: 'barge-cluster' };
  const as = (name: string, ...groups: readonly string[]) => createClient(cli.api.core.as({ name, groups: [...groups, 'system:authenticated'] })).of(ConfigMap);
  t.deepEqual((await as('system:node:n2', 'system:nodes').get(at)).data, { ...info, nodeLeaseSeconds: '20', externalIPs: 'false', server: 'https://192.0.2.1:6443', authorities: cli.api.certificates.ca.cert });
  await t.throwsAsync(as('system:node:n2', 'system:nodes').delete(at), { message: /forbidden/ });
  await t.throwsAsync(as('system:node:n2', 'system:nodes').get({ ...at, name: 'other' }), { message: /no relationship/ });
  await t.throwsAsync(as('bob').get(at), { message: /forbidden/ });
  // Proxies follow it, on nodes and in a process of their own.
  for (const follower of [as('system:node:n2', 'system:nodes'), as('system:barge:proxy')]) {
    t.is((await follower.list({ namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` })).items.length, 1);
    await t.throwsAsync(follower.list({ namespace: at.namespace }), { message: /forbidden/ });
  }
});

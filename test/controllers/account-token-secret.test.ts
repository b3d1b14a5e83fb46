import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { silentLog } from '../../base/log.ts';
import { publishClusterInfo } from '../../cli/cluster/join/cluster-info.ts';
import { runControllers } from '../../client/controller.ts';
import { accountTokenSecretController } from '../../controllers/account-token-secret/controller.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { isReason } from '../../schemas/errors.ts';
import { seededRandom, testApi } from '../helpers/api.ts';
import { controllersUser } from '../helpers/control-plane.ts';
import { settle } from '../helpers/fake-clock.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const type = 'kubernetes.io/service-account-token';

test('a Secret of the old sort is filled with a token that ends with it, and goes with its account', async (t) => {
  const api = await testApi({ authorizer: createClusterAuthorizer, accountTokens: { key, issuer: 'https://here' } });
  const stop = new AbortController();
  const surroundings = { transport: api.core.as(controllersUser), clock: api.clock, random: seededRandom(2), log: silentLog };
  const running = runControllers([accountTokenSecretController('the CA')], surroundings, stop.signal, () => undefined);
  t.teardown(async () => {
    stop.abort();
    await running;
    await api.close();
  });
  await settle();
  const secrets = api.client.of(Secret);
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let looks = 0; looks < 50; looks++) {
      if (await holds()) return;
      await api.clock.advance(500);
    }
    assert.fail('it did not come to pass');
  };
  const at = (name: string) => ({ namespace: 'default', name });
  const text = (secret: Secret, name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  const bearer = (token: string): string | undefined => {
    try {
      return api.core.tokens.bearerOf(token, [])?.user.name;
    } catch {
      return undefined;
    }
  };
  const account = await api.client.of(ServiceAccount).create({ metadata: at('robot') });
  for (const name of ['one', 'two']) await secrets.create({ metadata: { ...at(name), annotations: { 'kubernetes.io/service-account.name': 'robot' } }, type });
  await secrets.create({ metadata: at('plain') });
  await until(async () => text(await secrets.get(at('two')), 'token') !== '');
  await until(async () => text(await secrets.get(at('one')), 'token') !== '');
  const one = await secrets.get(at('one'));
  t.is(text(one, 'ca.crt'), 'the CA');
  t.is(text(one, 'namespace'), 'default');
  t.is(one.metadata.annotations?.['kubernetes.io/service-account.uid'], account.metadata.uid);
  const [first, second] = [text(one, 'token'), text(await secrets.get(at('two')), 'token')];
  t.is(bearer(first), 'system:serviceaccount:default:robot');
  const { exp } = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString()) as { readonly exp: number };
  t.true(exp * 1_000 - api.clock.now() > 100 * 365 * 86_400_000, 'a hundred years');
  await publishClusterInfo(api.client, { server: undefined, clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDomain: 'cluster.local', overlay: 'auto', nodeLeaseSeconds: 20, externalIps: false }, 'another CA');
  await until(async () => text(await secrets.get(at('two')), 'ca.crt') === 'another CA');
  t.is(text(await secrets.get(at('two')), 'token'), second, 'the token is good for any authority');
  await secrets.delete(at('one'));
  t.is(bearer(first), undefined);
  t.is(bearer(second), 'system:serviceaccount:default:robot');
  await api.client.of(ServiceAccount).delete(at('robot'));
  t.is(bearer(second), undefined);
  await until(() => secrets.get(at('two')).then(() => false, (error: unknown) => isReason(error, 'NotFound')));
  t.is((await secrets.get(at('plain'))).data, undefined);
});

import test from 'ava';
import { createCertificateAuthenticator } from '../../../apiserver/authentication/certificates.ts';
import { firstOf } from '../../../apiserver/authentication/chain.ts';
import { createTokenAuthenticator, fixedTokens } from '../../../apiserver/authentication/tokens.ts';
import type { PresentedCertificate } from '../../../apiserver/authentication/authenticator.ts';
import { anonymous } from '../../../schemas/api.ts';

const clock = { now: () => 1_000 };
const authenticator = firstOf([
  createCertificateAuthenticator(clock),
  createTokenAuthenticator(fixedTokens(new Map([['s3cret.A', { name: 'robot', groups: ['robots'] }]]))),
]);
const certificate: PresentedCertificate = { trusted: true, commonName: 'admin', organizations: ['system:masters'], notAfterMs: 1_000 };

test('a trusted certificate names its user and groups', (t) => {
  t.deepEqual(authenticator.authenticate({ certificate }), { name: 'admin', groups: ['system:masters', 'system:authenticated'] });
});

test('a certificate that is untrusted, has run out or names nobody is refused', (t) => {
  for (const wrong of [{ trusted: false }, { notAfterMs: 999 }, { commonName: '' }]) {
    t.throws(() => authenticator.authenticate({ certificate: { ...certificate, ...wrong } }), { message: 'Unauthorized' });
  }
});

test('a token is known or wrong', (t) => {
  t.deepEqual(authenticator.authenticate({ authorization: 'Bearer s3cret.A' }), { name: 'robot', groups: ['robots', 'system:authenticated'] });
  t.deepEqual(authenticator.authenticate({ authorization: 'bearer  s3cret.A' })?.name, 'robot');
  for (const authorization of ['Bearer s3cret.B', 'Bearer', 'Bearer ', 'Basic YTpi', 's3cret.A', '', 'Bearer s3cret.A x']) {
    t.throws(() => authenticator.authenticate({ authorization }), { message: 'Unauthorized' }, authorization);
  }
});

test('no credential is anonymous', (t) => {
  t.is(authenticator.authenticate({}), anonymous);
});

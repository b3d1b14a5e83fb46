import { X509Certificate } from 'node:crypto';
import test from 'ava';
import { certificatesIn, signerAmong } from '../../base/authorities.ts';
import { createCa, issueCertificate, whyUnusable } from '../../base/pki.ts';

const nowMs = Date.now();
const [one, two, stranger] = await Promise.all([0, 1, 2].map(() => createCa({ commonName: 'barge-ca', lifetimeDays: 10, nowMs })));
const leaf = (ca: typeof one) => issueCertificate({ ca: ca!, commonName: 'a', usages: ['client'], lifetimeDays: 1, nowMs });
const fingerprints = (pem: string): readonly string[] => certificatesIn(pem).map(({ fingerprint256 }) => fingerprint256);

test('a text has as many authorities as certificates, whatever stands between them', (t) => {
  t.deepEqual(fingerprints(`${two!.cert}\r\n# the old one\n${one!.cert}`), [two!, one!].map(({ cert }) => new X509Certificate(cert).fingerprint256));
  t.throws(() => certificatesIn('nothing'), { instanceOf: TypeError });
  t.throws(() => certificatesIn('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'));
});

test('authorities of one name are told apart by what they have signed', async (t) => {
  const both = `${two!.cert}${one!.cert}`;
  for (const ca of [one, two]) {
    const pair = await leaf(ca);
    t.is(signerAmong(certificatesIn(both), new X509Certificate(pair.cert))?.fingerprint256, new X509Certificate(ca!.cert).fingerprint256);
    t.is(whyUnusable(pair, { ca: both, nowMs, remainingDays: 0 }), undefined);
  }
  const foreign = await leaf(stranger);
  t.is(signerAmong(certificatesIn(both), new X509Certificate(foreign.cert)), undefined);
  t.is(whyUnusable(foreign, { ca: both, nowMs, remainingDays: 0 }), 'it was signed by another CA');
});

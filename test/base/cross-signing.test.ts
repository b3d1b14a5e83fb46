import { X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import test from 'ava';
import { crossSign, maySignAuthorities } from '../../base/cross-signing.ts';
import { createCa, issueCertificate, type CertificatePair } from '../../base/pki.ts';
import { keyAlgorithm, keyPem, newKeys, serialNumber, x509Library } from '../../base/x509-writer.ts';

const nowMs = Date.now();
const name = 'barge-ca';
const [old, next] = await Promise.all([10, 20].map((lifetimeDays) => createCa({ commonName: name, lifetimeDays, nowMs }))) as [CertificatePair, CertificatePair];

/** A CA as early barges made it: no CA may be below it. */
const earlyCa = async (): Promise<CertificatePair> => {
  const x509 = await x509Library();
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(), name: `CN=${name}`, keys, signingAlgorithm: keyAlgorithm, notBefore: new Date(nowMs - 1_000), notAfter: new Date(nowMs + 864_000_000),
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
};

/** Why a client that trusts these authorities does not take a server that shows this; undefined where it does. */
const whyRefused = async (trusted: string, shown: CertificatePair): Promise<string | undefined> => {
  const server = createServer(shown);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: (server.address() as { readonly port: number }).port, ca: trusted, allowPartialTrustChain: true }, () => resolve(undefined));
      socket.on('error', ({ message }) => resolve(message)).on('secureConnect', () => socket.destroy());
    });
  } finally {
    server.close();
  }
};

test('who trusts the old CA, the new one, both, or the cross-signed one alone takes what the new one has signed', async (t) => {
  for (const from of [old, await earlyCa()]) {
    const leaf = await issueCertificate({ ca: next, commonName: 'server', usages: ['server'], ipAddresses: ['127.0.0.1'], lifetimeDays: 1, nowMs });
    const cross = await crossSign({ ca: from, next: next.cert });
    const shown = { ...leaf, cert: `${leaf.cert}${cross}${from.cert}` };
    for (const trusted of [from.cert, next.cert, `${next.cert}${from.cert}`, `${from.cert}${next.cert}`, cross]) t.is(await whyRefused(trusted, shown), undefined);
    t.regex(await whyRefused((await createCa({ commonName: name, lifetimeDays: 1, nowMs })).cert, shown) ?? '', /self-signed certificate|unable to/);
    t.not(await whyRefused(from.cert, leaf), undefined, 'without the way there it is a stranger');
    t.is(await whyRefused(next.cert, leaf), undefined);
  }
});

test('a cross-signed certificate is of the new key and lasts as long as both', async (t) => {
  const cross = new X509Certificate(await crossSign({ ca: old, next: next.cert }));
  t.true(cross.ca && cross.verify(new X509Certificate(old.cert).publicKey));
  t.true(cross.publicKey.equals(new X509Certificate(next.cert).publicKey));
  t.is(cross.validTo, new X509Certificate(old.cert).validTo);
});

test('a CA of an early barge is known as one that may not sign another', async (t) => {
  t.true(await maySignAuthorities(old.cert));
  t.false(await maySignAuthorities((await earlyCa()).cert));
  t.false(await maySignAuthorities(await crossSign({ ca: old, next: next.cert })));
});

/** Nodes whose certificates last minutes, for hours of the fake clock: with the API's own rules, approver, signer and cleaner. */
import assert from 'node:assert/strict';
import test from 'ava';
import { createClusterAuthorizer } from '../../apiserver/authorization/cluster-authorizer.ts';
import { reconcileRoles } from '../../apiserver/authorization/reconcile-roles.ts';
import { signCertificateRequest } from '../../base/certificate-request.ts';
import { LivePair } from '../../base/live-pair.ts';
import { silentLog } from '../../base/log.ts';
import { createCa, issueCertificate, readCertificate, type CertificatePair } from '../../base/pki.ts';
import { renewalPointMs } from '../../base/renewal.ts';
import { createNodeRenewal } from '../../cli/cluster/join/node-renewal.ts';
import { createClient } from '../../client/client.ts';
import { runControllers } from '../../client/controller.ts';
import { certificateApproverController } from '../../controllers/certificate-approver/controller.ts';
import { certificateCleanerController } from '../../controllers/certificate-cleaner/controller.ts';
import { createSignerComponent } from '../../controllers/certificate-signer/controller.ts';
import type { Transport } from '../../schemas/api.ts';
import { ApiError } from '../../schemas/errors.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { seededRandom, testApi } from '../helpers/api.ts';
import { controllersUser } from '../helpers/control-plane.ts';
import { until } from '../helpers/whole-cluster.ts';

const minuteMs = 60_000;
const lifetimeMs = 30 * minuteMs;
const names = ['n1', 'n2', 'n3'] as const;

test('nodes always have valid certificates, through an absence of the API server, and at different times', async (t) => {
  const api = await testApi({ authorizer: createClusterAuthorizer });
  const { clock } = api;
  await reconcileRoles(api.core);
  const ca = await createCa({ commonName: 'ca', lifetimeDays: 3_650, nowMs: clock.now() });
  const stop = new AbortController();
  let away = false;
  const through = (transport: Transport): Transport => ({
    send: async (request, signal) => {
      if (away) throw new ApiError('ServiceUnavailable', 'the server is away');
      return transport.send(request, signal);
    },
    watch: (request, signal) => transport.watch(request, signal),
  });
  const surroundings = (transport: Transport, seed: number) => ({ transport, clock, random: seededRandom(seed), log: silentLog });
  const nodes = await Promise.all(names.map(async (name, index) => {
    const nodeIp = `192.0.2.${index + 1}`;
    const client = createClient(through(api.core.as({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] })));
    await client.of(Node).create({ metadata: { name }, spec: {}, status: { addresses: [{ type: 'InternalIP', address: nodeIp }] } } as never);
    const kept: CertificatePair[] = [];
    const keep = async (pair: CertificatePair): Promise<void> => void kept.push(pair);
    const identity = new LivePair(await issueCertificate({ ca, commonName: `system:node:${name}`, organizations: ['system:nodes'], usages: ['client'], lifetimeDays: lifetimeMs / 86_400_000, nowMs: clock.now() }));
    const serving = new LivePair(undefined);
    const renewal = createNodeRenewal({ client, clock, random: seededRandom(index + 20), log: silentLog, nodeName: name, nodeIp, identity, serving, files: { keepClient: keep, keepServing: keep } });
    return { name, identity, serving, kept, running: renewal.run(stop.signal, () => undefined), renewedAtMs: [] as number[] };
  }));
  for (const { identity, renewedAtMs } of nodes) identity.onReplaced(() => renewedAtMs.push(clock.now()));
  const signer = createSignerComponent(surroundings(api.core.as({ name: 'system:barge:certificate-signer', groups: [] }), 3), {
    longestMs: lifetimeMs, own: () => ({ dnsNames: [], ipAddresses: [] }),
    sign: ({ extendedKeyUsage, ...signing }) => signCertificateRequest({ ca, nowMs: clock.now(), extendedKeyUsages: [extendedKeyUsage], ...signing }),
  }).run(stop.signal, () => undefined);
  const controllers = runControllers([certificateApproverController(), certificateCleanerController()], surroundings(api.core.as(controllersUser), 4), stop.signal, () => undefined);
  t.teardown(async () => {
    stop.abort();
    await Promise.all([signer, controllers, ...nodes.map(({ running }) => running)]);
    await api.close();
  });

  await until(clock, () => assert.ok(nodes.every(({ serving }) => serving.current !== undefined)));
  const valid = (): void => {
    for (const { name, identity, serving } of nodes) {
      for (const [what, { pair }] of [['client', identity], ['serving', serving]] as const) {
        const { notBeforeMs, notAfterMs } = readCertificate(pair.cert);
        assert.ok(clock.now() >= notBeforeMs && clock.now() < notAfterMs, `the ${what} certificate of ${name} at ${new Date(clock.now()).toISOString()} ends ${new Date(notAfterMs).toISOString()}`);
      }
    }
  };
  /** Whose renewal must have begun, which makes a key first: nobody sees that but by the certificate that is not there yet. */
  const overdue = (): readonly string[] => nodes.flatMap(({ name, identity, serving }) =>
    [identity, serving].flatMap(({ pair }) => (clock.now() > renewalPointMs(readCertificate(pair.cert), 1) ? [name] : [])));
  /** Time passes; what is asked for meanwhile takes real time, during which the clock stands still. */
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute++) {
      await clock.advance(minuteMs);
      if (!away) {
        await until(clock, async () => {
          const { items } = await api.client.of(CertificateSigningRequest).list();
          assert.ok(items.every(({ status }) => (status?.certificate ?? '') !== ''), items.map(({ status }) => status?.conditions?.at(-1)?.message).join());
          assert.deepEqual(overdue(), []);
        }, { forMs: 30_000, stepMs: 100 });
      }
      valid();
    }
  };
  await pass(60);
  away = true;
  await pass(5);
  away = false;
  await pass(120);
  t.is((await api.client.of(CertificateSigningRequest).list()).items.filter(({ status }) => status?.conditions?.some(({ type }) => type !== 'Approved')).length, 0);
  for (const { name, renewedAtMs, kept, identity, serving } of nodes) {
    t.true(renewedAtMs.length >= 7 && renewedAtMs.length <= 15, `${name} renewed ${renewedAtMs.length} times in three hours`);
    t.true(kept.some(({ cert }) => cert === identity.pair.cert) && kept.some(({ cert }) => cert === serving.pair.cert), 'what is in use is what is kept');
  }
  t.is(new Set(nodes.map(({ renewedAtMs }) => renewedAtMs.join())).size, names.length, 'not all at once');
  t.true((await api.client.of(CertificateSigningRequest).list()).items.length < 40, 'old requests are removed');
});

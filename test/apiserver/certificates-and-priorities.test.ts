/** Certificate requests and their two doors, priorities by class, and events in both of their forms, through the API itself. */
import test, { type ExecutionContext } from 'ava';
import { createClient } from '../../client/client.ts';
import { ApiError } from '../../schemas/errors.ts';
import { CertificateSigningRequest } from '../../schemas/kinds/certificates/certificate-signing-request.ts';
import { Event as CoreEvent } from '../../schemas/kinds/core/event.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Event } from '../../schemas/kinds/events/event.ts';
import { PriorityClass } from '../../schemas/kinds/scheduling/priority-class.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { testApi, type TestApi } from '../helpers/api.ts';

// A request of /CN=jane/O=devs/O=system:masters, signed with its P-256 key.
const der = 'MIHxMIGZAgEAMDcxDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEM4EqQXpKdceOEu/gOZFLcipJXKNMbSbgcSqftlfHZS9KfNLYtd/T4MLxixdUeHqYM5YsAkIdx8jBToO4JSV1pqAAMAoGCCqGSM49BAMCA0cAMEQCICvvRSF026dEY1fHJ5k3liYgSUEptPA0f9fhQ0zzx9dgAiAOTb3zAons9wQgITEGgOkRk3ZWtL6tHXa3hxjrqbaiQw==';
const request = Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${der}\n-----END CERTIFICATE REQUEST-----\n`).toString('base64');
const csr = (name: string, more: object = {}): never => ({ metadata: { name }, spec: { request, signerName: 'example.com/lab', usages: ['client auth'], ...more } }) as never;
const at = { group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests' };
const approved = { type: 'Approved', status: 'True', reason: 'Test' };

const refusal = async (t: ExecutionContext, call: Promise<unknown>): Promise<string> => {
  const error = await t.throwsAsync(call, { instanceOf: ApiError });
  return `${error.code} ${error.message}`;
};

const withApi = async (t: ExecutionContext, options?: Parameters<typeof testApi>[0]): Promise<TestApi> => {
  const api = await testApi(options);
  t.teardown(() => api.close());
  return api;
};

test('the server says who asks for a certificate, and what was asked stays', async (t) => {
  const { core, client } = await withApi(t);
  const jane = core.as({ name: 'jane', uid: '7', groups: ['devs'], extra: { scopes: ['a'] } });
  const made = await createClient(jane).of(CertificateSigningRequest).create(csr('a', { username: 'admin', groups: ['system:masters'] }));
  t.like(made, { spec: { username: 'jane', uid: '7', groups: ['devs'], extra: { scopes: ['a'] } }, status: {} });
  const changed = await client.of(CertificateSigningRequest).modify({ name: 'a' }, (draft) => {
    draft.spec.signerName = 'x.y/z';
    draft.metadata.labels = { seen: 'yes' };
  });
  t.like(changed, { metadata: { labels: { seen: 'yes' } }, spec: { signerName: 'example.com/lab', username: 'jane' } });
  t.regex(await refusal(t, client.of(CertificateSigningRequest).create(csr('b', { signerName: 'kubernetes.io/kube-apiserver-client' }))), /^403 .*use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed/);
});

test('approving is a right about the signer, and only decisions come in by that door', async (t) => {
  const { core, client, transport } = await withApi(t, {
    authorizer: { authorize: ({ user, verb, resource }) => (user.name === 'admin' || resource?.resource !== 'signers' || (verb === 'approve' && user.name === 'boss' && resource.name === 'example.com/*') ? undefined : 'no') },
  });
  await client.of(CertificateSigningRequest).create(csr('a'));
  const approval = (user: string, status: object): Promise<unknown> => core.as({ name: user, groups: [] }).send({ ...at, verb: 'update', name: 'a', subresource: 'approval', body: { ...csr('a') as object, status } });
  t.regex(await refusal(t, approval('mallory', { conditions: [approved] })), /^403 .*user not permitted to approve requests with signerName "example.com\/lab"$/);
  t.regex(await refusal(t, approval('boss', { conditions: [approved], certificate: 'YQ==' })), /^422 .*status.certificate: Forbidden: updates may not set certificate content/);
  t.regex(await refusal(t, approval('boss', { conditions: [approved, { type: 'Denied', status: 'True' }] })), /^422 .*mutually exclusive/);
  await approval('boss', { conditions: [approved] });
  const now = (await client.of(CertificateSigningRequest).get({ name: 'a' }))?.status?.conditions?.[0];
  t.truthy(now?.lastUpdateTime);
  t.is(now?.lastTransitionTime, now?.lastUpdateTime);
  t.regex(await refusal(t, approval('boss', { conditions: [] })), /^422 .*updates may not remove a condition of type "Approved"/);
  const status = (user: string, body: object): Promise<unknown> => core.as({ name: user, groups: [] }).send({ ...at, verb: 'patch', patchType: 'merge', name: 'a', subresource: 'status', body: { status: body } });
  t.regex(await refusal(t, status('boss', { conditions: [approved, { type: 'Failed', status: 'True' }] })), /^403 .*user not permitted to sign/);
  await transport.send({ ...at, verb: 'patch', patchType: 'merge', name: 'a', subresource: 'status', body: { status: { conditions: [approved, { type: 'Failed', status: 'True' }] } } });
  t.is((await client.of(CertificateSigningRequest).get({ name: 'a' }))?.status?.conditions?.length, 2);
});

const pod = (name: string, spec: object = {}): never => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'a', image: 'a' }], ...spec } }) as never;
const priorityClass = (name: string, more: object): never => ({ metadata: { name }, ...more }) as never;

test('a pod is as important as its class', async (t) => {
  const { client } = await withApi(t);
  const pods = client.of(Pod);
  const classes = client.of(PriorityClass);
  t.deepEqual((await classes.list()).items.map(({ metadata, value }) => [metadata.name, value]), [['system-cluster-critical', 2_000_000_000], ['system-node-critical', 2_000_001_000]]);
  const first = await pods.create(pod('none'));
  t.like(first.spec, { priority: 0, preemptionPolicy: 'PreemptLowerPriority', priorityClassName: undefined });
  await classes.create(priorityClass('high', { value: 1_000 }));
  await classes.create(priorityClass('usual', { value: -7, globalDefault: true, preemptionPolicy: 'Never' }));
  t.like((await pods.create(pod('high', { priorityClassName: 'high' }))).spec, { priority: 1_000, preemptionPolicy: 'PreemptLowerPriority' });
  t.like((await pods.create(pod('usual'))).spec, { priorityClassName: 'usual', priority: -7, preemptionPolicy: 'Never' });
  t.like((await pods.create(pod('right', { priorityClassName: 'high', priority: 1_000 }))).spec, { priority: 1_000 });
  t.regex(await refusal(t, pods.create(pod('wrong', { priorityClassName: 'high', priority: 5 }))), /^403 pods "wrong" is forbidden: the integer value of priority \(5\) must not be provided/);
  t.regex(await refusal(t, pods.create(pod('wrong', { priorityClassName: 'high', preemptionPolicy: 'Never' }))), /^403 .*the string value of PreemptionPolicy \(Never\)/);
  t.regex(await refusal(t, pods.create(pod('wrong', { priorityClassName: 'low' }))), /^403 .*no PriorityClass with name low was found/);
  const kept = await pods.modify({ name: 'high', namespace: 'default' }, (draft) => {
    delete draft.spec.priority;
    draft.metadata.labels = { a: 'b' };
  });
  t.is(kept.spec.priority, 1_000);
});

test('classes of the system stay, and one class at most is the default', async (t) => {
  const { client } = await withApi(t);
  const classes = client.of(PriorityClass);
  await classes.create(priorityClass('a', { value: 1, globalDefault: true }));
  t.regex(await refusal(t, classes.create(priorityClass('b', { value: 2, globalDefault: true }))), /^403 .*PriorityClass a is already marked as default/);
  await classes.create(priorityClass('b', { value: 2 }));
  t.regex(await refusal(t, classes.modify({ name: 'b' }, (draft) => { draft.globalDefault = true; })), /^403 /);
  await classes.modify({ name: 'a' }, (draft) => { draft.description = 'still the default'; });
  t.regex(await refusal(t, classes.delete({ name: 'system-node-critical' })), /^403 .*this is a system priority class and cannot be deleted/);
  await classes.delete({ name: 'a' });
  await classes.modify({ name: 'b' }, (draft) => { draft.globalDefault = true; });
});

test('an event written in one form is read in the other', async (t) => {
  const { client, transport } = await withApi(t);
  await client.of(CoreEvent).create({ metadata: { name: 'old', namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, message: 'hello', count: 3, type: 'Normal' } as never);
  t.like(await client.of(Event).get({ name: 'old', namespace: 'default' }), { apiVersion: 'events.k8s.io/v1', regarding: { name: 'p' }, note: 'hello', deprecatedCount: 3 } as never);
  await client.of(Event).create({ metadata: { name: 'new', namespace: 'default' }, regarding: { kind: 'Pod', name: 'q', namespace: 'default' }, note: 'hi', eventTime: '2026-01-01T00:00:00.000000Z', action: 'A', reason: 'R', reportingController: 'c', reportingInstance: 'i', type: 'Warning' } as never);
  t.like(await client.of(CoreEvent).get({ name: 'new', namespace: 'default' }), { apiVersion: 'v1', involvedObject: { name: 'q' }, message: 'hi', reportingComponent: 'c' });
  const found = await transport.send({ verb: 'list', group: 'events.k8s.io', version: 'v1', resource: 'events', namespace: 'default', options: { fieldSelector: 'regarding.name=q' } });
  t.deepEqual((found.body as unknown as { readonly items: readonly ApiObject[] }).items.map(({ metadata }) => metadata.name), ['new']);
  t.regex(await refusal(t, client.of(Event).create({ metadata: { name: 'x', namespace: 'default' }, regarding: { namespace: 'default' }, eventTime: '2026-01-01T00:00:00.000000Z' } as never)), /^422 .*reportingController: Required value/);
});

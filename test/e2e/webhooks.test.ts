/** Admission webhooks and policies, as a user sets them up with kubectl: a real HTTPS server on loopback, a real barge. */
import test from 'ava';
import { E2eCluster, kubectls } from '../helpers/e2e.ts';
import { patched, requestOf, verdict } from '../helpers/admission-webhooks.ts';
import { webhookServer } from '../helpers/webhook-server.ts';

type Json = Readonly<Record<string, unknown>>;

const rule = (operations: readonly string[], resources: readonly string[], apiGroups: readonly string[] = ['']): Json => ({ operations, apiGroups, apiVersions: ['v1'], resources });

test('webhooks and policies admit, change, warn and refuse what kubectls send', async (t) => {
  const server = await webhookServer((body, { url = '' }) => {
    const { object, dryRun } = requestOf(body);
    const labels = object?.metadata.labels ?? {};
    if (url.startsWith('/mutate')) return patched(body, [{ op: 'add', path: '/metadata/annotations', value: { 'hook.example.com/seen': dryRun === true ? 'dry' : 'yes' } }]);
    if (labels['color'] === 'red') return verdict(body, { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no red ones' } });
    return verdict(body, labels['color'] === 'amber' ? { warnings: ['amber is nearly red'] } : {});
  });
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(async () => {
    await cluster.remove();
    await server.close();
  });
  const programs = [...(await kubectls())];
  t.true(programs.length >= (process.env['CI'] === undefined ? 1 : 3), programs.map(([minor]) => minor).join(', '));
  const [, newest] = programs.toSorted(([a], [b]) => b - a)[0]!;
  const apply = (object: Json, ...args: readonly string[]) => cluster.with(newest, ['apply', '-f', '-', ...args], { input: JSON.stringify(object) });

  const hook = { admissionReviewVersions: ['v1'], sideEffects: 'None', rules: [rule(['CREATE', 'UPDATE'], ['configmaps'])], objectSelector: { matchExpressions: [{ key: 'color', operator: 'Exists' }] } };
  const clientConfig = (path: string): Json => ({ url: `${server.url}${path}`, caBundle: server.caBundle });
  const registration = { apiVersion: 'admissionregistration.k8s.io/v1' };
  await apply({ ...registration, kind: 'MutatingWebhookConfiguration', metadata: { name: 'm' }, webhooks: [{ ...hook, name: 'mutate.example.com', clientConfig: clientConfig('/mutate') }] });
  await apply({ ...registration, kind: 'ValidatingWebhookConfiguration', metadata: { name: 'v' }, webhooks: [{ ...hook, name: 'validate.example.com', clientConfig: clientConfig('/validate') }] });

  // A policy whose limit is a ConfigMap of the namespace.
  await apply({ ...registration, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'replicas' }, spec: {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, matchConstraints: { resourceRules: [rule(['CREATE', 'UPDATE'], ['deployments'], ['apps']), rule(['UPDATE'], ['deployments/scale'], ['apps'])] },
    variables: [{ name: 'limit', expression: 'int(params.data.max)' }],
    validations: [{ expression: 'object.spec.replicas <= variables.limit', messageExpression: "'at most %d replicas'.format([variables.limit])" }],
  } });
  await apply({ ...registration, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'replicas' }, spec: {
    policyName: 'replicas', validationActions: ['Deny'], paramRef: { name: 'limits', parameterNotFoundAction: 'Allow' },
  } });
  // And one that changes pods.
  await apply({ ...registration, kind: 'MutatingAdmissionPolicy', metadata: { name: 'team' }, spec: {
    matchConstraints: { resourceRules: [rule(['CREATE'], ['secrets'])] }, reinvocationPolicy: 'Never', failurePolicy: 'Fail',
    mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: Object.metadata.labels{team: request.namespace}}}" } }],
  } });
  await apply({ ...registration, kind: 'MutatingAdmissionPolicyBinding', metadata: { name: 'team' }, spec: { policyName: 'team' } });
  const refusedPolicy = await cluster.try(newest, ['apply', '-f', '-'], { input: JSON.stringify({ ...registration, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'bad' }, spec: {
    matchConstraints: { resourceRules: [rule(['CREATE'], ['pods'])] }, validations: [{ expression: 'object.spec.' }],
  } }) });
  t.regex(refusedPolicy.stderr, /spec\.validations\[0\]\.expression: Invalid value: "object\.spec\.": compilation failed: ERROR: <input>:1:13/);

  for (const [minor, kubectl] of programs) {
    const namespace = `hooks-${minor}`;
    await cluster.with(kubectl, ['create', 'namespace', namespace]);
    const run = (...args: readonly string[]) => cluster.try(kubectl, ['-n', namespace, ...args]);
    const create = (name: string, color: string, ...args: readonly string[]) =>
      cluster.try(kubectl, ['-n', namespace, 'create', '-f', '-', ...args], { input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { color } } }) });
    const annotation = async (name: string): Promise<string> => (await run('get', 'configmap', name, '-o', 'jsonpath={.metadata.annotations}')).stdout;

    t.is((await create('green', 'green')).code, 0, `1.${minor}`);
    t.regex(await annotation('green'), /"hook\.example\.com\/seen":"yes"/);
    const red = await create('red', 'red');
    t.not(red.code, 0);
    t.regex(red.stderr, /Error from server \(Forbidden\): error when creating "STDIN": admission webhook "validate\.example\.com" denied the request: no red ones/, `1.${minor}`);
    t.regex((await create('amber', 'amber')).stderr, /Warning: amber is nearly red/);
    const dry = await create('dry', 'green', '--dry-run=server', '-o', 'jsonpath={.metadata.annotations}');
    t.regex(dry.stdout, /"hook\.example\.com\/seen":"dry"/);
    t.not((await run('get', 'configmap', 'dry')).code, 0);
    t.regex((await run('label', 'configmap', 'green', 'color=red', '--overwrite')).stderr, /no red ones/);

    await run('create', 'configmap', 'limits', '--from-literal=max=2');
    t.is((await run('create', 'deployment', 'web', '--image=x', '--replicas=2')).code, 0);
    const scaled = await run('scale', 'deployment', 'web', '--replicas=3');
    t.regex(scaled.stderr, /denied request: at most 2 replicas/, `1.${minor}`);
    t.regex((await run('create', 'deployment', 'more', '--image=x', '--replicas=3')).stderr, /ValidatingAdmissionPolicy 'replicas' with binding 'replicas' denied request: at most 2 replicas/);
    await run('create', 'secret', 'generic', 's', '--from-literal=a=b');
    t.is((await run('get', 'secret', 's', '-o', 'jsonpath={.metadata.labels.team}')).stdout, namespace);
  }

  // A webhook that is gone: what it must judge is refused, until it may be overlooked.
  await server.close();
  const create = (name: string) => cluster.try(newest, ['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { color: 'blue' } } }) });
  t.regex((await create('later')).stderr, /Error from server \(InternalError\): .*Internal error occurred: failed calling webhook "mutate\.example\.com": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/mutate\?timeout=10s": .*ECONNREFUSED/);
  for (const kind of ['mutatingwebhookconfiguration/m', 'validatingwebhookconfiguration/v']) {
    await cluster.with(newest, ['patch', kind, '--type=json', '-p', JSON.stringify([{ op: 'add', path: '/webhooks/0/failurePolicy', value: 'Ignore' }])]);
  }
  t.is((await create('later')).code, 0);
});

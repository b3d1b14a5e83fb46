/** Limits, quotas, security levels and disruption budgets, as users of unmodified kubectls meet them. */
import assert from 'node:assert/strict';
import test from 'ava';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { E2eCluster, kubectls, within } from '../helpers/e2e.ts';
import { kubeconfigClient } from '../helpers/kubeconfig-client.ts';

const json = (object: unknown): { readonly input: string } => ({ input: JSON.stringify(object) });

const pod = (name: string, cpu: string | undefined, spec: object = {}): object => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'a', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }], ...spec },
});

test('quotas, limit ranges, security levels and budgets, from every kubectl', async (t) => {
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls())];
  t.true(programs.length >= (process.env['CI'] === undefined ? 1 : 3), programs.map(([minor]) => minor).join(', '));
  const newest = programs.toSorted(([a], [b]) => b - a)[0]!;
  for (const [minor, kubectl] of programs) {
    const namespace = `team-${minor}`;
    const inside = ['-n', namespace];
    const is = async (args: readonly string[], expected: RegExp, options: { readonly input?: string } = {}): Promise<void> => {
      const { code, stdout, stderr } = await cluster.try(kubectl, [...args, ...inside], options);
      t.is(code, 0, `1.${minor}: ${args.join(' ')}: ${stderr}`);
      t.regex(stdout + stderr, expected, `1.${minor}: ${args.join(' ')}`);
    };
    const refused = async (args: readonly string[], expected: RegExp, options: { readonly input?: string } = {}): Promise<void> => {
      const { code, stdout, stderr } = await cluster.try(kubectl, [...args, ...inside], options);
      t.not(code, 0, `1.${minor}: ${args.join(' ')}`);
      t.regex(stdout + stderr, expected, `1.${minor}: ${args.join(' ')}`);
    };
    const create = ['create', '--validate=false', '-f', '-'];
    await cluster.with(kubectl, ['create', 'namespace', namespace]);

    // Quotas: there from the first moment, shown used, and refused with the numbers.
    await is(['create', 'quota', 'q', '--hard=pods=2,requests.cpu=1,services.nodeports=1,count/deployments.apps=1'], /created/);
    await is(['describe', 'quota', 'q'], /Resource +Used +Hard[\s\S]*count\/deployments\.apps +0 +1\npods +0 +2\nrequests\.cpu +0 +1\n/);
    await refused(create, /pods "p" is forbidden: failed quota: q: must specify requests\.cpu for: c/, json(pod('p', undefined)));
    await is(create, /pod\/p created/, json(pod('p', '600m')));
    await refused(create, /exceeded quota: q, requested: requests\.cpu=600m, used: requests\.cpu=600m, limited: requests\.cpu=1/, json(pod('other', '600m')));
    await refused(['create', 'service', 'nodeport', 's', '--tcp=80:80', '--tcp=81:81'], /exceeded quota: q, requested: services\.nodeports=2, used: services\.nodeports=0, limited: services\.nodeports=1/);
    await is(['create', 'deployment', 'one', '--image=a'], /created/);
    await refused(['create', 'deployment', 'two', '--image=a', '--dry-run=server'], /exceeded quota: q, requested: count\/deployments\.apps=1/);
    t.regex(await cluster.with(kubectl, ['describe', 'namespace', namespace]), /Resource Quotas\n +Name: +q\n[\s\S]*requests\.cpu +600m +1\n/);
    await is(['get', 'quota'], /pods: 1\/2, requests\.cpu: 600m\/1/);
    await is(['patch', 'quota', 'q', '-p', '{"spec":{"hard":{"requests.cpu":"2"}}}'], /patched/);
    await is(['get', 'quota', 'q', '-o', 'jsonpath={.status.hard.requests\\.cpu} {.status.used.requests\\.cpu}'], /^2 600m$/);
    await is(['delete', 'pod', 'p', '--grace-period=0', '--force'], /deleted/);
    await is(['get', 'quota', 'q', '-o', 'jsonpath={.status.used.pods}'], /^0$/);
    await is(['delete', 'deployment/one', 'quota/q'], /deleted/);

    // Limit ranges.
    await is(create, /limitrange\/l created/, json({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { cpu: '1' }, default: { cpu: '500m' }, defaultRequest: { cpu: '250m' } }] } }));
    await is(['describe', 'limits', 'l'], /Container +cpu +- +1 +250m +500m +-/);
    await is(create, /pod\/limited created/, json(pod('limited', undefined)));
    await is(['get', 'pod', 'limited', '-o', 'jsonpath={.spec.containers[0].resources.limits.cpu} {.spec.containers[0].resources.requests.cpu}'], /^500m 250m$/);
    await refused(create, /pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 3/, json({ ...pod('big', undefined), spec: { containers: [{ name: 'c', image: 'a', resources: { limits: { cpu: '3' } } }] } }));

    // Resizing, and a binding of its own.
    if (minor >= 32) {
      await is(['patch', 'pod', 'limited', '--subresource=resize', '-p', '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"300m"}}}]}}'], /patched/);
      await is(['get', 'pod', 'limited', '-o', 'jsonpath={.spec.containers[0].resources.requests.cpu}'], /^300m$/);
    }
    await is(create, /limited|created/, json({ apiVersion: 'v1', kind: 'Binding', metadata: { name: 'limited' }, target: { apiVersion: 'v1', kind: 'Node', name: 'somewhere' } }));
    await is(['get', 'pod', 'limited', '-o', 'jsonpath={.spec.nodeName}'], /^somewhere$/);
    await is(['delete', 'pod/limited', 'limitrange/l', '--grace-period=0', '--force'], /deleted/);

    // Security levels.
    const label = (words: readonly string[], expected: RegExp): Promise<void> => is(['label', '--overwrite', 'namespace', namespace, ...words.map((word) => `pod-security.kubernetes.io/${word}`)], expected);
    await label(['warn=restricted'], /labeled/);
    const warning = /Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "c" must set securityContext\.allowPrivilegeEscalation=false\), unrestricted capabilities/;
    await is(create, warning, json(pod('plain', undefined)));
    await label(['enforce=restricted'], /existing pods in namespace "team-\d+" violate the new PodSecurity enforce level "restricted:latest"[\s\S]*plain: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile/);
    await refused(create, /pods "host" is forbidden: violates PodSecurity "restricted:latest": host namespaces \(hostNetwork=true\), allowPrivilegeEscalation/, json(pod('host', undefined, { hostNetwork: true })));
    await refused(['label', '--overwrite', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=some'], /must be one of privileged, baseline, restricted/);
    await label(['warn-', 'enforce-'], /labeled/);

    // Budgets: a drain asks, is refused, and goes on when there is room.
    const node = `n${minor}`;
    await is(create, /created/, json({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } }));
    // Nobody runs there: signs of life keep the controllers from giving the node up, however long the clients take.
    const leases = (await kubeconfigClient(t, cluster.kubeconfig)).of(Lease);
    const now = (): string => new Date().toISOString().replace('Z', '000Z');
    await leases.create({ metadata: { name: node, namespace: 'kube-node-lease' }, spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime: now() } });
    const living = setInterval(() => void leases.modify({ name: node, namespace: 'kube-node-lease' }, (draft) => { draft.spec!.renewTime = now(); }).catch(() => undefined), 5_000);
    t.teardown(() => clearInterval(living));
    await cluster.with(newest[1], ['patch', 'node', node, '--subresource=status', '-p', JSON.stringify({ status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Pretended', message: '', lastHeartbeatTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }] } })]);
    await is(create, /created/, json({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web' }, spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { nodeName: node, containers: [{ name: 'c', image: 'a' }] } } } }));
    // The generator of kubectls before 1.21 speaks a version that Kubernetes has not served since 1.25.
    await is(create, /created/, json({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } } }));
    const webPods = async (): Promise<readonly string[]> => (await cluster.with(kubectl, ['get', 'pods', '-l', 'app=web', '-o', 'name', ...inside])).split('\n').filter((line) => line !== '');
    await within(60, async () => assert.equal((await webPods()).length, 2));
    const ready = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] } };
    // Kubectls before 1.24 cannot write a status.
    for (const name of await webPods()) await cluster.with(newest[1], ['patch', name, '--subresource=status', '-p', JSON.stringify(ready), ...inside]);
    await within(60, async () => assert.match(await cluster.with(kubectl, ['get', 'pdb', 'web', '-o', 'jsonpath={.status.currentHealthy}/{.status.desiredHealthy} {.status.disruptionsAllowed}', ...inside]), /^2\/2 0$/));
    const drain = ['drain', node, '--grace-period=0', '--timeout=4s'];
    const first = await cluster.try(kubectl, drain);
    t.not(first.code, 0);
    t.regex(first.stdout + first.stderr, /error when evicting pod[\s\S]*will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\./, `1.${minor}`);
    await is(['patch', 'pdb', 'web', '--type=merge', '-p', '{"spec":{"minAvailable":0}}'], /patched/);
    await within(60, async () => assert.match(await cluster.with(kubectl, ['get', 'pdb', 'web', ...inside]), /web +0 +N\/A +2 /));
    const before = await webPods();
    const { stdout } = await cluster.try(kubectl, ['drain', node, '--grace-period=0', '--timeout=60s']);
    t.regex(stdout, new RegExp(`node/${node} (drained|evicted)`));
    const after = await webPods();
    t.true(before.every((name) => !after.includes(name)), 'all of the node\'s pods are others now');
    clearInterval(living);
    await cluster.with(kubectl, ['delete', 'namespace', namespace, '--wait=false']);
    await cluster.with(kubectl, ['delete', 'node', node]);
  }
  const { stderr } = await cluster.try(newest[1], ['delete', '--raw', '/api/v1/pods']);
  t.regex(stderr, /the server does not allow this method/, 'a collection of all namespaces is not deleted at once');
});

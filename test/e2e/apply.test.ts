/** Server-side apply as unmodified kubectls do it: conflicts, force, fields given up, diff, and the way from client-side apply. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ApiObject } from '../../schemas/kind.ts';
import { E2eCluster, kubectls } from '../helpers/e2e.ts';

interface Wish { readonly image?: string; readonly labels?: string; readonly env?: string }

const deployment = (name: string, { image = 'example/app:1', labels = 'app: web', env = '1' }: Wish = {}): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {${labels}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "${image}", env: [{name: A, value: "${env}"}], ports: [{containerPort: 80}]}
`;

const configMap = (data: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {${data}}\n`;

test('kubectl apply --server-side', async (t) => {
  t.timeout(180_000);
  const cluster = await E2eCluster.start({ args: ['--no-agent'] });
  t.teardown(() => cluster.remove());
  const programs = [...(await kubectls())].filter(([minor]) => minor >= 27);
  t.true(programs.length > 0);

  for (const [minor, program] of programs) {
    const namespace = `apply-${minor}`;
    const kubectl = (...args: readonly string[]): Promise<string> => cluster.with(program, [...args, '-n', namespace]);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr, stdout } = await cluster.try(program, [...args, '-n', namespace]);
      t.not(code, 0, `kubectl 1.${minor} ${args.join(' ')}: ${stdout}`);
      return stderr;
    };
    const file = async (text: string): Promise<string> => {
      const path = join(cluster.dataDir, `${namespace}.yaml`);
      await writeFile(path, text);
      return path;
    };
    const apply = async (text: string, ...more: readonly string[]): Promise<string> => kubectl('apply', '--server-side', '-f', await file(text), ...more);
    const data = (): Promise<string> => kubectl('get', 'configmap', 'settings', '-o', 'jsonpath={.data}');

    await cluster.with(program, ['create', 'namespace', namespace]);
    t.is(await apply(configMap('a: "1", b: "1"')), 'configmap/settings serverside-applied\n');
    t.regex(await refused('apply', '--server-side', '--field-manager', 'other', '-f', await file(configMap('a: "2"'))), /Apply failed with 1 conflict: conflict with "kubectl": \.data\.a\n/);
    await apply(configMap('a: "2"'), '--field-manager', 'other', '--force-conflicts');
    t.is(await data(), '{"a":"2","b":"1"}');
    await apply(configMap('c: "3"'));
    t.is(await data(), '{"a":"2","c":"3"}', 'b is given up, a is another\'s');

    await apply(deployment('web'));
    await kubectl('set', 'image', 'deployment/web', 'web=example/app:2');
    t.regex(await refused('apply', '--server-side', '-f', await file(deployment('web'))), /conflict with "kubectl-set" using apps\/v1: \.spec\.template\.spec\.containers\[name="web"\]\.image/);
    const { code, stdout } = await cluster.try(program, ['diff', '--server-side', '--force-conflicts', '-n', namespace, '-f', await file(deployment('web', { env: '2' }))]);
    t.is(code, 1);
    t.regex(stdout, /\n- .*value: "1"\n[\s\S]*\n\+ .*value: "2"\n/);

    t.is(await kubectl('apply', '-f', await file(deployment('moved', { labels: 'app: web, old: "1"' }))), 'deployment.apps/moved created\n');
    await apply(deployment('moved', { image: 'example/app:3' }));
    const moved = JSON.parse(await kubectl('get', 'deployment', 'moved', '-o', 'json', '--show-managed-fields')) as ApiObject;
    t.deepEqual(moved.metadata.labels, { app: 'web' }, 'what client-side apply had set can be given up');
    const appliers = moved.metadata.managedFields?.filter(({ operation }) => operation === 'Apply').map(({ manager }) => manager);
    t.deepEqual(appliers?.toSorted(), ['kubectl', 'kubectl-last-applied']);
    t.false(moved.metadata.managedFields?.some(({ manager }) => manager === 'kubectl-client-side-apply'));
    t.regex(moved.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '', /example\/app:3/);

    t.notRegex(await kubectl('get', 'deployment', 'web', '-o', 'yaml'), /managedFields/);
    t.regex(await kubectl('get', 'deployment', 'web', '-o', 'yaml', '--show-managed-fields'), /k:\{"containerPort":80,"protocol":"TCP"\}:\n +\.: \{\}/);
    t.regex(await refused('apply', '--server-side', '-f', await file(`${configMap('a: "1"')}zz: 1\n`)), /\.zz: field not declared in schema/);
  }
});

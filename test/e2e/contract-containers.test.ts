/** The verbs of kubectl that need containers, by their effect on real ones: streams, copies, logs, forwarded ports, the proxy. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import test from 'ava';
import { contract } from '../helpers/contract.ts';
import { bargeBin, E2eCluster, ensureImages, kubectls, within } from '../helpers/e2e.ts';
import { streaming } from './contract/stream.ts';

let cluster: E2eCluster | undefined;

test.before(async () => {
  await ensureImages('barge/hello:2');
  cluster = await E2eCluster.start();
});

test.after.always(() => cluster?.remove());

contract(test, () => cluster!, streaming);

interface Answer { readonly code: number; readonly body: string }

const page = (port: number, path: string): Promise<Answer> => new Promise((resolve, reject) => {
  get({ host: '127.0.0.1', port, path, agent: false, signal: AbortSignal.timeout(5_000) }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => resolve({ code: response.statusCode!, body })).on('error', reject);
  }).on('error', reject);
});

/** Runs a kubectl that serves a local port for as long as the work takes. */
const serving = async (program: string, args: readonly string[], env: Readonly<Record<string, string>>, work: (port: number) => Promise<void>): Promise<void> => {
  const child = spawn(program, args, { env: { ...process.env, ...cluster!.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /(?:Forwarding from|Starting to serve on) 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined) continue;
      await work(Number(port));
      return;
    }
    throw new Error(`kubectl ${args.join(' ')} ended before it listened`);
  } finally {
    child.kill('SIGTERM');
  }
};

test('port-forward: to a service and a deployment, by WebSocket and SPDY', async (t) => {
  await cluster!.with(bargeBin, ['create', 'deployment', 'forwarded', '--image=barge/hello:1', '--port=8080']);
  await cluster!.with(bargeBin, ['expose', 'deployment', 'forwarded', '--port=80', '--target-port=8080']);
  await cluster!.barge('rollout', 'status', 'deployment/forwarded', '--timeout=60s');
  for (const [minor, program] of await kubectls()) {
    for (const [target, env] of [
      [['service/forwarded', ':80'], {}], [['deployment/forwarded', ':8080'], {}],
      ...(minor > 30 ? [[['service/forwarded', ':80'], { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }]] as const : []),
    ] as const) {
      await serving(program, ['port-forward', ...target], env, async (port) => {
        const answers = await Promise.all([1, 2, 3].map(() => page(port, '/cgi-bin/index.cgi')));
        for (const { code, body } of answers) {
          t.is(code, 200, `1.${minor} ${target.join(' ')}`);
          t.regex(body, /^Hello from forwarded-/);
        }
      });
    }
  }
});

test('proxy: the API without credentials, filtered paths, a folder, and a pod behind it', async (t) => {
  await cluster!.barge('run', 'served', '--image=barge/hello:1', '--port=8080');
  await cluster!.barge('wait', '--for=condition=Ready', 'pod/served', '--timeout=60s');
  for (const [minor, program] of await kubectls()) {
    await serving(program, ['proxy', '--port=0', '--reject-paths=^/api/v1/secrets'], {}, async (port) => {
      const version = await page(port, '/version');
      t.regex(version.body, /"gitVersion"/, `1.${minor}`);
      t.is((JSON.parse((await page(port, '/api/v1/namespaces/default/pods/served')).body) as { readonly kind: string }).kind, 'Pod');
      t.is((await page(port, '/api/v1/secrets')).code, 403, `1.${minor}: what is rejected`);
      await within(60, async () => {
        const answer = await page(port, '/api/v1/namespaces/default/pods/served:8080/proxy/cgi-bin/index.cgi');
        assert.deepEqual(answer, { code: 200, body: 'Hello from served\n' }, `1.${minor}`);
      });
    });
    await serving(program, ['proxy', '--port=0', '--api-prefix=/k8s/'], {}, async (port) => {
      t.is((await page(port, '/k8s/readyz')).body, 'ok', `1.${minor}`);
    });
  }
});

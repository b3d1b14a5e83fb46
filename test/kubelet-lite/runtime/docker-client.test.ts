import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type Docker from 'dockerode';
import { connectDocker } from '../../../kubelet-lite/runtime/docker-client.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('an engine is asked at its socket or at its address', async (t) => {
  const folder = await tempDir();
  t.teardown(folder.remove);
  const socketPath = join(folder.path, 'docker.sock');
  for (const place of [socketPath, { host: '127.0.0.1', port: 0 }]) {
    const engine = createServer((request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ Version: request.url })));
    t.teardown(() => engine.close());
    await once(engine.listen(place), 'listening');
    const docker = connectDocker(typeof place === 'string' ? `unix://${socketPath}` : `tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`);
    t.is((await docker.version()).Version, '/version');
  }
});

test('what dockerode was loaded without says so when it is used', async (t) => {
  const docker = connectDocker('tcp://127.0.0.1:1');
  await t.throwsAsync(docker.buildImage('/nowhere.tar', { version: '2' } as Docker.ImageBuildOptions), { message: /without engines over SSH and sessions of BuildKit/ });
  Object.assign(docker.modem, { protocol: 'ssh' });
  await t.throwsAsync(async () => docker.version(), { message: /without engines over SSH and sessions of BuildKit/ });
});

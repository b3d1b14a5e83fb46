/** Memory that a server and a node keep for good is mostly what they have loaded: which packages that are is held here, of real processes at work. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../helpers/eventually.ts';

const program = join(import.meta.dirname, '../../bin/barge');
const longestMs = 60_000;

/** Writes into the file LOADED, at the end, all that was loaded: URLs, and the names of Node's own modules. */
const noteLoads = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeFileSync } from 'node:fs';
  const urls = [];
  registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
  process.once('exit', () => writeFileSync(process.env.LOADED, [...urls, ...process.moduleLoadList].join('\\n')));
`)}`;

interface Loaded {
  /** Names of packages out of node_modules. */
  readonly packages: readonly string[];
  readonly all: readonly string[];
}

/** Runs a command of barge in a process of its own; `end` ends it as a user does and tells what it had loaded. */
const begin = async (t: ExecutionContext, folder: string, args: readonly string[]): Promise<{ end(): Promise<Loaded> }> => {
  const file = join(folder, `${args[0]}.loaded`);
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: `--import ${noteLoads}`, LOADED: file }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text; });
  const closed = once(child, 'close');
  await eventually(() => {
    assert.equal(child.exitCode, null, err);
    assert.match(out, /Ready: https:/, err);
  }, longestMs);
  return {
    end: async () => {
      child.kill('SIGTERM');
      await closed;
      const all = (await readFile(file, 'utf8')).split('\n');
      return { all, packages: [...new Set(all.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []))].toSorted() };
    },
  };
};

test('a server and a node load the packages that they use, and no second HTTP client', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'barge-loaded-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const barge = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(program, args, { cwd: folder, env: { ...process.env, KUBECONFIG: join(folder, 'data/admin.kubeconfig') } })).stdout;

  const server = await begin(t, folder, ['up', '--runtime', 'simulated', '--components', 'controllers,scheduler', '--data-dir', 'data', '--listen', '127.0.0.1:0']);
  await barge('issue', 'agent', '--node-name', 'n7', '--data-dir', 'data', '--out', 'agent.kubeconfig');
  const node = await begin(t, folder, ['agent', '--runtime', 'simulated', '--kubeconfig', 'agent.kubeconfig', '--data-dir', 'node']);
  await barge('run', 'web', '--image=web:1');
  await barge('wait', 'pod/web', '--for=condition=Ready', `--timeout=${longestMs / 1_000}s`);

  const ofNode = await node.end();
  // What dockerode and docker-modem need for an engine at a socket or an address: no ssh2, @grpc/grpc-js or protobufjs.
  const belowDockerode = [
    '@balena/dockerignore', 'bl', 'chownr', 'debug', 'docker-modem', 'end-of-stream', 'fs-constants', 'inherits', 'mkdirp-classic', 'ms', 'once', 'pump',
    'readable-stream', 'split-ca', 'tar-fs', 'tar-stream', 'util-deprecate', 'wrappy',
  ];
  t.deepEqual(ofNode.packages, [...belowDockerode, 'dockerode', 'js-yaml', 're2js', 'ws'].toSorted());
  t.deepEqual(ofNode.all.filter((url) => /\/(?:apiserver|scheduler|cli\/commands\/up)\b/.test(url)), []);

  const ofServer = await server.end();
  for (const name of ['dockerode', 'docker-modem', 'ssh2', '@grpc/grpc-js', 'protobufjs']) t.false(ofServer.packages.includes(name), name);
  for (const name of ['ajv', 'better-sqlite3', 'koa', '@koa/router']) t.true(ofServer.packages.includes(name), name);

  for (const { all } of [ofNode, ofServer]) {
    t.true(all.includes('NativeModule _http_client'), 'Node tells its own modules');
    t.deepEqual(all.filter((one) => one.includes('undici')), [], 'an import of node:http loads it: base/node-http.ts');
  }
});

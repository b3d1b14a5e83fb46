import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { systemClock } from '../../../base/clock.ts';
import { DockerRuntime } from '../../../kubelet-lite/runtime/docker.ts';
import { runtimeSuite } from '../../suites/runtime.ts';

// Needs a Docker engine and the static busybox of Debian's busybox-static. Everything it makes carries the name `mark`.

const run = promisify(execFile);
const mark = `barge-suite-${process.pid}`;

const makeImage = async (image: string): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'barge-image-'));
  await mkdir(join(dir, 'bin'));
  await cp('/bin/busybox', join(dir, 'bin/busybox'));
  for (const applet of ['sh', 'sleep', 'cat', 'echo']) await symlink('busybox', join(dir, 'bin', applet));
  await run('sh', ['-c', `tar -C ${dir} -c . | docker import - ${image}`]);
  await rm(dir, { recursive: true });
};

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

runtimeSuite(test, async () => {
  await makeImage(`${mark}:1`);
  await run('docker', ['network', 'create', mark]);
  const open = () => new DockerRuntime({ dockerHost: process.env['DOCKER_HOST'], owner: mark, network: mark, clock: systemClock });
  const runtime = open();
  return {
    runtime, again: open(), missingImage: 'localhost:9/missing:1',
    ownImage: async () => {
      await makeImage(`${mark}-own:1`);
      // The engine refuses to remove an image by its id when it has several names.
      await run('docker', ['tag', `${mark}-own:1`, `${mark}-own:2`]);
      return { image: `${mark}-own:1`, command: ['sleep', '1000'] };
    },
    program: ({ output = [], exitCode, ignoresTerm = false, cannotStart = false }) => {
      // A pause between lines keeps the order of the two streams, which are two pipes.
      const says = output.map(({ stream, line }) => `echo ${quoted(line)}${stream === 'stderr' ? ' >&2' : ''}; sleep 0.05`);
      const ends = exitCode === undefined ? ['while :; do sleep 1000 & wait $!; done'] : [`exit ${exitCode}`];
      const traps = ignoresTerm ? "trap '' TERM" : "trap 'exit 143' TERM";
      return { image: `${mark}:1`, command: cannotStart ? ['/no/such/program'] : ['sh', '-c', [traps, ...says, ...ends].join('\n')] };
    },
    close: async () => {
      for (const { id } of await runtime.list()) await runtime.removeSandbox(id);
      await run('docker', ['network', 'rm', mark]);
      await run('docker', ['rmi', `${mark}:1`]);
    },
  };
});

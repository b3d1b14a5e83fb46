import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { labels } from './docker-labels.ts';
import type { ProgramArchitecture } from './elf-program.ts';
import { gateProgram } from './gate-program.ts';

/** Where the gate stands in a container. */
export const gatePath = '/.barge-start';

/** What the engine would run of an image, and where it would look for it. */
export interface ImageProgram {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value`, as in the image's configuration. */
  readonly env: readonly string[];
}

export interface Gate {
  /** The program on the node. */
  readonly file: string;
  /** The host name that the container starts with, and the one that it is to have. */
  readonly givenHostname: string;
  readonly hostname: string;
  readonly image: ImageProgram;
  /** File in the container for the words of a program that cannot be executed. */
  readonly messagePath: string;
}

/** Where an image says nothing, the engine's own. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const valueOf = (env: readonly string[], name: string): string | undefined => env.findLast((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);

/** The create request with the gate before the program. Without any program it stays as it is, for the engine to refuse. */
export const gatedRequest = (request: Docker.ContainerCreateOptions, { file, givenHostname, hostname, image, messagePath }: Gate): Docker.ContainerCreateOptions => {
  const own = request.Entrypoint as readonly string[] | undefined;
  const command = request.Cmd as readonly string[] | undefined;
  const words = own === undefined ? [...image.entrypoint, ...(command ?? image.command)] : [...own, ...(command ?? [])];
  const [program] = words;
  if (program === undefined || program === '') return request;
  const env = request.Env ?? [];
  const path = valueOf(env, 'PATH') ?? valueOf(image.env, 'PATH') ?? defaultPath;
  const isPath = program.includes('/');
  const candidates = isPath ? [program] : path.split(':').map((dir) => `${dir === '' ? '.' : dir}/${program}`);
  const failure = isPath ? `exec: ${JSON.stringify(program)}: no such file, or not executable\n` : `exec: ${JSON.stringify(program)}: executable file not found in $PATH\n`;
  return {
    ...request,
    Entrypoint: [gatePath, hostname, messagePath, failure, ...candidates, '', ...words],
    Cmd: [],
    // The engine would tell the name that the container starts with.
    Env: valueOf(env, 'HOSTNAME') === undefined ? [`HOSTNAME=${hostname}`, ...env] : env,
    Labels: { ...request.Labels, [labels.givenHostname]: givenHostname, [labels.hostname]: hostname },
    HostConfig: { ...request.HostConfig, Mounts: [...(request.HostConfig?.Mounts ?? []), { Type: 'bind', Source: file, Target: gatePath, ReadOnly: true }] },
  };
};

/** Writes the gate into a folder of the node, whole or not at all; gives its path. */
export const writeGate = async (dir: string, architecture: ProgramArchitecture): Promise<string> => {
  await mkdir(dir, { recursive: true });
  const file = join(dir, 'start');
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, gateProgram(architecture));
  await chmod(fresh, 0o755);
  await rename(fresh, file);
  return file;
};

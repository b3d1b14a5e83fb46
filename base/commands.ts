import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program with arguments (never through a shell) and gives it `input`. Resolves whatever its exit code is; rejects
 * only when it cannot be started (error code ENOENT when it is not installed).
 */
export type RunCommand = (command: string, args: readonly string[], input?: string) => Promise<CommandResult>;

/**
 * The system's own folders come first: started by a package manager's script, PATH begins with programs of packages, and
 * some share a name with the system's tools (`nft` is one).
 */
export const systemPath = (path: string | undefined): string => ['/usr/sbin', '/usr/bin', '/sbin', '/bin', path].filter((part) => part !== undefined && part !== '').join(':');

/** Runs the program on this machine. */
export const runCommand: RunCommand = (command, args, input = '') =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, PATH: systemPath(process.env['PATH']) } });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({
      code: code ?? (signal === null ? 1 : 128), stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(),
    }));
    // A program that ends before it has read everything says why on its other outputs.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** Thrown where a program had to succeed and did not; the message has its last words. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly code: number;
  constructor(command: string, { code, stderr, stdout }: CommandResult) {
    const words = (stderr.trim() || stdout.trim()).slice(0, 2_000);
    super(`${command} ended with ${code}${words === '' ? '' : `: ${words}`}`);
    this.code = code;
  }
}

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { systemPath, type CommandResult, type RunCommand } from './commands.ts';

export interface CommandShellsOptions {
  /** Commands that run at once at most; others wait for their turn. */
  readonly atOnce?: number;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** No program can be given a NUL. */
const assertWords = (words: readonly string[]): void => {
  for (const word of words) if (word.includes('\0')) throw new TypeError('a command cannot have a NUL in its words');
};

/** One `sh` that is told one command after the other. A mark that nobody can foresee ends what each wrote. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  #ended: Error | undefined;
  #look: () => void = () => undefined;
  #out = '';
  #err = '';

  constructor() {
    // A group of its own: an interrupt at the terminal is for whoever ends in order, and this one ends with its input.
    this.#child = spawn('sh', ['-s'], { stdio: 'pipe', detached: true, env: { ...process.env, PATH: systemPath(process.env['PATH']) } });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#look();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      this.#look();
    });
    const end = (error: Error): void => {
      this.#ended ??= error;
      this.#look();
    };
    this.#child.once('error', end);
    this.#child.once('close', (code, signal) => end(new Error(`the shell that runs commands ended with ${signal ?? code}`)));
    this.#child.stdin.on('error', () => undefined);
    this.#hold(false);
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** One at a time. Rejects where the program is not installed (ENOENT) and where the shell ended in the middle. */
  run(command: string, args: readonly string[], input: string): Promise<CommandResult> {
    const mark = randomBytes(16).toString('hex');
    const given = input === '' ? '< /dev/null\n' : `<<'${mark}'\n${input}${input.endsWith('\n') ? '' : '\n'}${mark}\n`;
    this.#out = this.#err = '';
    this.#hold(true);
    return new Promise<CommandResult>((resolve, reject) => {
      const outEnd = new RegExp(`\\n${mark} (\\d+|missing)\\n$`);
      const errEnd = `\n${mark}\n`;
      this.#look = () => {
        const end = outEnd.exec(this.#out.slice(-mark.length - 12));
        if (end === null || !this.#err.endsWith(errEnd)) {
          if (this.#ended !== undefined) reject(this.#ended);
          return;
        }
        this.#look = () => undefined;
        if (end[1] === 'missing') reject(Object.assign(new Error(`spawn ${command} ENOENT`), { code: 'ENOENT' }));
        else resolve({ code: Number(end[1]), stdout: this.#out.slice(0, -end[0].length), stderr: this.#err.slice(0, -errEnd.length) });
      };
      if (this.#ended !== undefined) return this.#look();
      this.#child.stdin.write(`if command -v ${quoted(command)} > /dev/null 2>&1; then ${[command, ...args].map(quoted).join(' ')} ${given}code=$?; else code=missing; fi\nprintf '\\n${mark} %s\\n' "$code"; printf '\\n${mark}\\n' >&2\n`);
    }).finally(() => this.#hold(false));
  }

  /** A shell without a command keeps nobody's process from ending, and ends with it. */
  #hold(on: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const one of [this.#child, stdin as unknown as Socket, stdout as unknown as Socket, stderr as unknown as Socket]) {
      if (on) one.ref();
      else one.unref();
    }
  }
}

/**
 * CommandShells runs programs through a few small shells that stay. To start a program, Node copies the map of its own memory and
 * stands still until the copy has become the program: 10 to 50 ms of a process of 150 MB on a busy machine, in which a
 * server answers nobody. A shell of 1 MB has that work instead.
 *
 * The input counts as lines: it is given with a newline at its end. A program that a signal ended has the code 128 and the number.
 */
export class CommandShells {
  readonly #atOnce: number;
  readonly #idle: Shell[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor({ atOnce = 4 }: CommandShellsOptions = {}) {
    this.#atOnce = atOnce;
  }

  readonly run: RunCommand = async (command, args, input = '') => {
    assertWords([command, ...args, input]);
    if (this.#busy >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy++;
    let shell = this.#idle.pop();
    while (shell?.hasEnded === true) shell = this.#idle.pop();
    shell ??= new Shell();
    try {
      return await shell.run(command, args, input);
    } finally {
      if (!shell.hasEnded) this.#idle.push(shell);
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  };
}

/** For all parts of a node, which start programs while pods come and go. */
export const runInShell: RunCommand = new CommandShells().run;

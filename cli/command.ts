/**
 * The contract of a command. A command is one file, cli/commands/<name>.ts, that exports `command`; nothing else has to
 * be edited to add one. It gets the world from its context, so that tests run it in process.
 */
import type { Clock } from '../base/clock.ts';
import type { Flags, FlagValues } from './flags.ts';

/** Standard input: a stream, and the raw mode of a terminal. */
export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };

/** Standard output or error; `columns` and `rows` are there when it is a terminal. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** What a command may use of the world. */
export interface World {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder against which relative file names are read. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Aborts on SIGINT and SIGTERM. A second signal ends the process. */
  readonly signal: AbortSignal;
}

export interface CommandContext<F extends Flags = Flags> extends World {
  readonly flags: FlagValues<F>;
  /** Names of the flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  /** How many of `args` stood before `--`; undefined without one. */
  readonly dashAt: number | undefined;
}

export interface Example {
  readonly note: string;
  readonly line: string;
}

/** Where `barge --help` lists a command. */
export type CommandGroup = 'Cluster' | 'Basic' | 'Deploy' | 'Debug' | 'Advanced' | 'Settings' | 'Other';

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  readonly group: CommandGroup;
  /** One sentence for the list of commands. */
  readonly summary: string;
  /** Without the program's name: `get TYPE [NAME...] [flags]`. */
  readonly usage: string;
  /** More than the summary, where it is needed. */
  readonly description?: string | undefined;
  readonly examples?: readonly Example[] | undefined;
  readonly flags: F;
  /** Commands below this one, by name: `rollout status`. */
  readonly subcommands?: Readonly<Record<string, AnyCommand>> | undefined;
  readonly hidden?: boolean | undefined;
  /** True for a command that works until a signal ends it: that is its success. Others end with 130 then. */
  readonly serves?: boolean | undefined;
  /**
   * Does the work and gives the exit code; nothing is 0. Expected failures are thrown as CommandError, ApiError or
   * UsageError and printed by the caller.
   */
  run(context: CommandContext<F>): Promise<number | void>;
}

// The flags of a command are not known where commands are only listed or dispatched.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyCommand = Command<any>;

/** Makes a command; it only helps TypeScript to know the types of its flags. */
export const defineCommand = <const F extends Flags>(command: Command<F>): Command<F> => command;

/** An expected failure: `error: <message>` and an exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  /** True when the message stands alone, without `error: ` before it. */
  readonly plain: boolean;

  constructor(message: string, options: { readonly exitCode?: number; readonly plain?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
    this.plain = options.plain ?? false;
  }
}

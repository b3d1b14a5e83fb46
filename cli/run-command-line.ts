import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { AnyCommand, World } from './command.ts';
import { describeFailure } from './errors.ts';
import { flag, parseLine, UsageError, type Flags } from './flags.ts';
import { clusterFlags } from './cluster-flags.ts';

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const folder = new URL('commands/', import.meta.url);
const helpFlags = { help: flag.on('Show this page.', { short: 'h' }) } satisfies Flags;

const load = async (name: string): Promise<AnyCommand> =>
  ((await import(new URL(`${name}${extension}`, folder).href)) as { readonly command: AnyCommand }).command;

/** The command of a name, or undefined. Only its own file is loaded. */
const findCommand = async (name: string): Promise<AnyCommand | undefined> => {
  if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(fileURLToPath(new URL(`${name}${extension}`, folder)))) return undefined;
  return load(name);
};

const commandNames = async (): Promise<readonly string[]> =>
  (await readdir(folder)).filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts')).map((file) => file.slice(0, -3)).sort();

/** Every command, for lists and completion. */
export const allCommands = async (): Promise<readonly AnyCommand[]> => Promise.all((await commandNames()).map(load));

/** Splits flags that stand before the command's name (`-n shop get pods`) from the rest. */
const splitLeading = (argv: readonly string[]): { readonly before: readonly string[]; readonly rest: readonly string[] } => {
  const shorts = new Map(Object.entries(clusterFlags).flatMap(([name, spec]) => (spec.short === undefined ? [] : [[spec.short, name] as const])));
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith('-') && argv[at] !== '--') {
    const word = argv[at]!;
    const name = word.startsWith('--') ? word.slice(2) : word.length === 2 ? shorts.get(word[1]!) : undefined;
    const spec = name !== undefined && Object.hasOwn(clusterFlags, name) ? (clusterFlags as Flags)[name] : undefined;
    at += spec?.value !== undefined ? 2 : 1;
  }
  return { before: argv.slice(0, at), rest: argv.slice(at) };
};

const unknownCommand = async (name: string, among: readonly string[] | undefined): Promise<UsageError> => {
  const { closest } = await import('./suggest.ts');
  const meant = closest(name, among ?? await commandNames());
  return new UsageError(`unknown command "${name}"${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`);
};

interface Reached {
  readonly command: AnyCommand;
  readonly path: string;
  readonly argv: readonly string[];
}

/** Follows subcommands: the first words that name one. */
const reach = async (command: AnyCommand, path: string, argv: readonly string[]): Promise<Reached> => {
  if (command.subcommands === undefined) return { command, path, argv };
  const { before, rest } = splitLeading(argv);
  const [word, ...after] = rest;
  if (word === undefined || word.startsWith('-')) return { command, path, argv };
  const sub = Object.hasOwn(command.subcommands, word) ? command.subcommands[word] : undefined;
  if (sub !== undefined) return reach(sub, `${path} ${word}`, [...before, ...after]);
  if (Object.keys(command.flags as Flags).length > 0) return { command, path, argv };
  throw await unknownCommand(word, Object.keys(command.subcommands));
};

const run = async (reached: Reached, world: World): Promise<number> => {
  const { command, argv } = reached;
  const specs: Flags = { ...(command.flags as Flags), ...helpFlags };
  const line = parseLine(specs, argv);
  if (line.flags['help'] === true) {
    const { commandHelp } = await import('./help.ts');
    world.stdout.write(commandHelp(command, clusterFlags));
    return 0;
  }
  const code = (await command.run({ ...world, flags: line.flags, given: line.given, args: line.args, dashAt: line.dashAt })) ?? 0;
  return world.signal.aborted && command.serves !== true ? 130 : code;
};

/** Runs one command line to its end and gives the exit code. Never throws: failures are printed. */
export const runCommandLine = async (argv: readonly string[], world: World): Promise<number> => {
  let path = 'barge';
  try {
    const { before, rest } = splitLeading(argv);
    const [name, ...after] = rest;
    if (name === undefined || name === 'help') {
      const asked = after.filter((word) => !word.startsWith('-'));
      if (asked.length > 0) return await runCommandLine([...asked, '--help'], world);
      const { programHelp } = await import('./help.ts');
      if (before.includes('--version')) return await runCommandLine(['version', '--client'], world);
      world.stdout.write(programHelp(await allCommands()));
      return 0;
    }
    const command = await findCommand(name);
    if (command === undefined) throw await unknownCommand(name, undefined);
    path = `barge ${name}`;
    const reached = await reach(command, path, [...before, ...after]);
    path = reached.path;
    return await run(reached, world);
  } catch (error) {
    if (world.signal.aborted) return 130;
    const { text, exitCode } = describeFailure(error, path);
    if (text !== '') world.stderr.write(`${text}\n`);
    return exitCode;
  }
};

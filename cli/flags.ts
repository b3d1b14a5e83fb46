/**
 * A command line as kubectl's users type it: flags anywhere, `-ojson`, `-o json`, `-o=json`, `-it`, `--watch=false`,
 * repeated flags, and everything after `--` left alone. A flag is data, from which both the parser and --help are made.
 */
import { closest } from './suggest.ts';

/** One flag whose value has the type T. */
export interface Flag<T> {
  readonly help: string;
  /** One letter: `n` for -n. */
  readonly short?: string | undefined;
  /** Placeholder of the value in --help; a flag without one is a switch. */
  readonly value?: string | undefined;
  /** What the flag means when it stands alone (`--dry-run`); such a flag takes a value only after `=`. */
  readonly bare?: string | undefined;
  readonly initial: T;
  /** The default as --help shows it, where it is not the initial value. */
  readonly shownDefault?: string | undefined;
  readonly hidden?: boolean | undefined;
  /** The value after one more mention. Throws an Error that says what would be right. */
  readonly take: (text: string, before: T) => T;
}

// The values of flags are not known where flags are only parsed or listed.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Flags = Readonly<Record<string, Flag<any>>>;

export type FlagValues<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

interface Extra {
  readonly short?: string;
  readonly value?: string;
  readonly bare?: string;
  readonly hidden?: boolean;
  readonly shownDefault?: string;
}

const truths: Readonly<Record<string, boolean>> = { true: true, t: true, 1: true, false: false, f: false, 0: false };

const durationPart = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/;
const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `1h30m`, `10s`, `-1s` or a plain number of seconds; throws when it is none. */
export const durationMs = (text: string): number => {
  if (/^-?\d+$/.test(text)) return Number(text) * 1_000;
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[-+]/, '');
  let total = 0;
  if (rest === '') throw new Error(`"${text}" is no duration: write 30s, 5m or 1h30m`);
  while (rest !== '') {
    const part = durationPart.exec(rest);
    if (part === null) throw new Error(`"${text}" is no duration: write 30s, 5m or 1h30m`);
    total += Number(part[1]) * unitMs[part[2]!]!;
    rest = rest.slice(part[0].length);
  }
  return sign * total;
};

const integer = (text: string): number => {
  if (!/^[-+]?\d{1,15}$/.test(text)) throw new Error(`"${text}" is no whole number`);
  return Number(text);
};

const identity = (text: string): string => text;

/** Makers of flags, by the type of the value. `initial` is what a command sees when the flag is not given. */
export const flag = {
  /** A switch; `--name=false` turns it off. */
  on: (help: string, extra: Extra & { readonly initial?: boolean } = {}): Flag<boolean> => ({
    help, initial: false, ...extra,
    take: (text) => {
      const value = truths[text.toLowerCase()];
      if (value === undefined) throw new Error(`"${text}" is neither true nor false`);
      return value;
    },
  }),
  text: (help: string, extra: Extra = {}): Flag<string | undefined> => ({ help, value: 'VALUE', initial: undefined, ...extra, take: identity }),
  /** A text that always has a value. */
  textOr: (initial: string, help: string, extra: Extra = {}): Flag<string> => ({ help, value: 'VALUE', initial, ...extra, take: identity }),
  oneOf: <const V extends string>(values: readonly V[], help: string, extra: Extra & { readonly initial?: V } = {}): Flag<V | undefined> => ({
    help, value: values.join('|'), initial: undefined, ...extra,
    take: (text) => {
      const found = values.find((value) => value === text);
      if (found === undefined) throw new Error(`"${text}" is not one of ${values.join(', ')}`);
      return found;
    },
  }),
  integer: (help: string, extra: Extra = {}): Flag<number | undefined> => ({ help, value: 'N', initial: undefined, ...extra, take: integer }),
  integerOr: (initial: number, help: string, extra: Extra = {}): Flag<number> => ({ help, value: 'N', initial, ...extra, take: integer }),
  /** A duration in milliseconds. */
  durationMs: (help: string, extra: Extra = {}): Flag<number | undefined> => ({ help, value: 'DURATION', initial: undefined, ...extra, take: durationMs }),
  /** May be given many times; commas are part of the value. */
  list: (help: string, extra: Extra = {}): Flag<readonly string[]> => ({ help, value: 'VALUE', initial: [], ...extra, take: (text, before) => [...before, text] }),
  /** May be given many times, and each time with several values between commas. */
  commaList: (help: string, extra: Extra = {}): Flag<readonly string[]> => ({
    help, value: 'VALUE,...', initial: [], ...extra, take: (text, before) => [...before, ...text.split(',').filter((part) => part !== '')],
  }),
} as const;

/** A command line that says something the command does not know. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface ParsedLine<F extends Flags> {
  readonly flags: FlagValues<F>;
  /** Names of the flags that were given, also with their default value. */
  readonly given: ReadonlySet<string>;
  /** Everything that is no flag, in order; what stood after `--` comes last. */
  readonly args: readonly string[];
  /** How many of `args` stood before `--`; undefined without a `--`. */
  readonly dashAt: number | undefined;
}

/** Reads a command line. Throws UsageError with the flag's name, and the flag that was perhaps meant. */
export const parseLine = <F extends Flags>(specs: F, argv: readonly string[]): ParsedLine<F> => {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) values[name] = spec.initial;
  const shorts = new Map<string, string>();
  for (const [name, spec] of Object.entries(specs)) if (spec.short !== undefined) shorts.set(spec.short, name);
  const given = new Set<string>();
  const args: string[] = [];
  let dashAt: number | undefined;

  const set = (name: string, text: string, shown: string): void => {
    try {
      values[name] = specs[name]!.take(text, values[name]);
    } catch (error) {
      throw new UsageError(`invalid argument "${text}" for "${shown}" flag: ${(error as Error).message}`, { cause: error });
    }
    given.add(name);
  };
  const takesNext = (spec: Flag<unknown>): boolean => spec.value !== undefined && spec.bare === undefined;
  const alone = (spec: Flag<unknown>): string => spec.bare ?? 'true';

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      dashAt = args.length;
      args.push(...argv.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
      const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
      if (spec === undefined) {
        const meant = closest(name, Object.keys(specs).filter((key) => specs[key]!.hidden !== true));
        throw new UsageError(`unknown flag: --${name}${meant === undefined ? '' : ` (did you mean --${meant}?)`}`);
      }
      if (equals !== -1) set(name, word.slice(equals + 1), `--${name}`);
      else if (!takesNext(spec)) set(name, alone(spec), `--${name}`);
      else if (at + 1 < argv.length) set(name, argv[++at]!, `--${name}`);
      else throw new UsageError(`flag needs an argument: --${name}`);
    } else if (word.startsWith('-') && word !== '-') {
      for (let letter = 1; letter < word.length; letter++) {
        const name = shorts.get(word[letter]!);
        if (name === undefined) throw new UsageError(`unknown shorthand flag: '${word[letter]}' in ${word}`);
        const spec = specs[name]!;
        const rest = word.slice(letter + 1);
        const shown = `-${spec.short}, --${name}`;
        if (rest.startsWith('=')) {
          set(name, rest.slice(1), shown);
          break;
        }
        if (!takesNext(spec)) {
          set(name, alone(spec), shown);
        } else {
          if (rest !== '') set(name, rest, shown);
          else if (at + 1 < argv.length) set(name, argv[++at]!, shown);
          else throw new UsageError(`flag needs an argument: '${spec.short}' in ${word}`);
          break;
        }
      }
    } else {
      args.push(word);
    }
  }
  return { flags: values as FlagValues<F>, given, args, dashAt };
};

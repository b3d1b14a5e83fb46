import { CommandError, type CommandContext } from '../command.ts';
import { ConfigError, readConfig, settings, type ClusterConfig, type ConfigSources, type Given } from '../config.ts';
import { flag, UsageError, type Flag, type Flags } from '../flags.ts';

export type SettingFlags = Readonly<Record<string, Flag<string | undefined> | Flag<boolean>>> & Flags;

/** One flag for each of these settings, or for all; undefined and false mean that it was not given. */
export const settingFlags = (names?: readonly string[]): SettingFlags => Object.fromEntries(
  settings.filter(({ name }) => names?.includes(name) ?? true)
    .map(({ name, value, summary }) => [name, value === undefined ? flag.on(`${summary}.`) : flag.text(`${summary}.`, { value })]),
);

/** The settings among these, or among all, that stand on a command line. */
export const settingsGiven = ({ flags, given }: Pick<CommandContext<SettingFlags>, 'flags' | 'given'>, names?: readonly string[]): Given => {
  const wanted = settings.filter(({ name }) => given.has(name) && (names?.includes(name) ?? true));
  return Object.fromEntries(wanted.map(({ name }) => [name, (flags as Readonly<Record<string, unknown>>)[name] as string | boolean]));
};

/** The settings that stand on a command line, over those of files and the defaults. Throws for an argument and for the first setting that is wrong. */
export const configOf = (context: CommandContext<SettingFlags>, names?: readonly string[], files: Pick<ConfigSources, 'file' | 'kept'> = {}): ClusterConfig => {
  if (context.args.length > 0) throw new UsageError(`unexpected argument "${context.args[0]}"`);
  try {
    return readConfig({ flags: settingsGiven(context, names), ...files, env: context.env, root: process.getuid?.() === 0 });
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
};

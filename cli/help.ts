import type { AnyCommand, CommandGroup } from './command.ts';
import type { Flag, Flags } from './flags.ts';

const groups: readonly (readonly [CommandGroup, string])[] = [
  ['Cluster', 'Run a cluster'], ['Basic', 'Objects'], ['Deploy', 'Rollouts'], ['Debug', 'Look closer'],
  ['Advanced', 'Change in place'], ['Settings', 'Settings'], ['Other', 'Other'],
];

const shownDefault = (flag: Flag<unknown>): string => {
  const value = flag.shownDefault ?? flag.initial;
  if (value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return ` (default ${String(value)})`;
};

const flagLines = (flags: Flags): readonly string[] => {
  const rows = Object.entries(flags).filter(([, flag]) => flag.hidden !== true).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, flag]) => {
    const value = flag.value === undefined ? '' : flag.bare === undefined ? ` ${flag.value}` : `[=${flag.value}]`;
    return [`  ${flag.short === undefined ? '    ' : `-${flag.short}, `}--${name}${value}`, `${flag.help}${shownDefault(flag)}`] as const;
  });
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => (left.length > width ? `${left}\n${' '.repeat(width + 2)}${right}` : `${left.padEnd(width)}  ${right}`));
};

const commandLines = (commands: readonly AnyCommand[]): readonly string[] => {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [...commands].sort((a, b) => (a.name < b.name ? -1 : 1)).map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
};

/** The page of one command. `path` is how it was reached: `rollout status`. */
export const commandHelp = (command: AnyCommand, common: Flags): string => {
  const parts = [command.description ?? command.summary];
  const examples = command.examples ?? [];
  if (examples.length > 0) parts.push(`Examples:\n${examples.map(({ note, line }) => `  # ${note}\n  ${line.startsWith('barge ') ? line : `barge ${line}`}`).join('\n\n')}`);
  const below = Object.values(command.subcommands ?? {}).filter((sub) => sub.hidden !== true);
  if (below.length > 0) parts.push(`Commands:\n${commandLines(below).join('\n')}`);
  const own = Object.fromEntries(Object.entries(command.flags as Flags).filter(([name]) => !(name in common)));
  const lines = Object.keys(own).length === 0 ? [] : flagLines(own);
  if (lines.length > 0) parts.push(`Flags:\n${lines.join('\n')}`);
  const shared = Object.fromEntries(Object.entries(command.flags as Flags).filter(([name]) => name in common));
  if (Object.keys(shared).length > 0) parts.push(`Flags that say which cluster and who asks:\n${flagLines(shared).join('\n')}`);
  parts.push(`Usage:\n  barge ${command.usage}`);
  return `${parts.join('\n\n')}\n`;
};

/** The page of `barge --help`. */
export const programHelp = (commands: readonly AnyCommand[]): string => {
  const parts = ['barge runs containers on Docker as Kubernetes describes them, and drives any cluster that speaks its API.'];
  for (const [group, title] of groups) {
    const members = commands.filter((command) => command.group === group && command.hidden !== true);
    if (members.length > 0) parts.push(`${title}:\n${commandLines(members).join('\n')}`);
  }
  parts.push('Usage:\n  barge COMMAND [flags]\n\nUse "barge COMMAND --help" for more about a command.');
  return `${parts.join('\n\n')}\n`;
};

/**
 * A PolicyTable as text for nftables, and the difference of two as one transaction. Pure.
 *
 * Packets of connections that stand pass at once. The first packet of a new one costs a lookup of each of its ends,
 * however many pods and policies there are, and the rules of the pods that it concerns.
 */
import type { Direction, PolicyTable } from './policy-table.ts';

export const policyTableName = 'barge-policy';
const family = `ip ${policyTableName}`;

/**
 * After the proxy's own chain, which refuses calls of services without endpoints: here the addresses are those of pods.
 * What is not allowed is refused with a message, so that a program fails at once and by name and does not run into a timeout.
 */
const base = `
add table ${family}
delete table ${family}
table ${family} {
  map isolated_ingress { type ipv4_addr : verdict; }
  map isolated_egress { type ipv4_addr : verdict; }
  set oneself { type ipv4_addr . ipv4_addr; }
  chain forward { type filter hook forward priority -5;
    ct state established,related accept
    ip saddr . ip daddr @oneself accept
    ip saddr vmap @isolated_egress
    ip daddr vmap @isolated_ingress
  }
}
`;

const setTypes = { addresses: 'ipv4_addr', ports: 'ipv4_addr . inet_proto . inet_service' } as const;
const directions: readonly Direction[] = ['ingress', 'egress'];

/** Elements of one command; a line has no limit of its own, but an error names the whole line. */
const elementsAtOnce = 500;

const elementCommands = (command: 'add' | 'delete', name: string, elements: readonly string[]): readonly string[] => {
  const lines: string[] = [];
  for (let at = 0; at < elements.length; at += elementsAtOnce) lines.push(`${command} element ${family} ${name} { ${elements.slice(at, at + elementsAtOnce).join(', ')} }`);
  return lines;
};

const without = (some: Iterable<string>, others: ReadonlySet<string> | undefined): readonly string[] => [...some].filter((one) => others?.has(one) !== true);

/** No policy keeps a pod from itself: its call through a service that it is behind comes back to it. */
const selves = (table: PolicyTable | undefined): ReadonlySet<string> =>
  new Set(directions.flatMap((direction) => [...table?.pods[direction].keys() ?? []].map((ip) => `${ip} . ${ip}`)));

/**
 * Commands that lead from one table to the other; an empty string when nothing is to be done. Without a table before,
 * whatever stands is replaced.
 */
export const policyScript = (before: PolicyTable | undefined, after: PolicyTable): string => {
  const made: string[] = [];
  const dropped: string[] = [];
  for (const [name, { type, elements }] of after.sets) {
    const old = before?.sets.get(name);
    if (old === undefined) made.push(`add set ${family} ${name} { type ${setTypes[type]}; }`);
    made.push(...elementCommands('delete', name, without(old?.elements ?? [], elements)), ...elementCommands('add', name, without(elements, old?.elements)));
  }
  for (const [name, rules] of after.chains) {
    if (before?.chains.has(name) === true) continue;
    made.push(`add chain ${family} ${name}`, ...[...rules.map((rule) => `${rule} return`.trim()), 'reject with icmp type admin-prohibited'].map((rule) => `add rule ${family} ${name} ${rule}`));
  }
  for (const direction of directions) {
    const [old, now] = [before?.pods[direction] ?? new Map<string, string>(), after.pods[direction]];
    const map = `isolated_${direction}`;
    const element = ([ip, chain]: readonly [string, string]): string => `${ip} : jump ${chain}`;
    made.push(
      ...elementCommands('delete', map, [...old].filter(([ip, chain]) => now.get(ip) !== chain).map(([ip]) => ip)),
      ...elementCommands('add', map, [...now].filter(([ip, chain]) => old.get(ip) !== chain).map(element)),
    );
  }
  const [oneselfBefore, oneself] = [selves(before), selves(after)];
  made.push(...elementCommands('delete', 'oneself', without(oneselfBefore, oneself)), ...elementCommands('add', 'oneself', without(oneself, oneselfBefore)));
  // What is no longer pointed at can go, and goes last.
  for (const name of before?.chains.keys() ?? []) if (!after.chains.has(name)) dropped.push(`flush chain ${family} ${name}`, `delete chain ${family} ${name}`);
  for (const name of before?.sets.keys() ?? []) if (!after.sets.has(name)) dropped.push(`delete set ${family} ${name}`);
  const lines = [...made, ...dropped];
  const changes = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  return before === undefined ? base + changes : changes;
};

/** What `taint` takes: `key=value:Effect` and `key:Effect` set, `key:Effect-` and `key-` remove. Pure. */
import { CommandError } from '../command.ts';

export interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
  readonly timeAdded?: string | undefined;
}

export interface TaintChanges {
  readonly set: readonly Taint[];
  /** Without an effect: those of all effects. */
  readonly remove: readonly { readonly key: string; readonly effect: string | undefined }[];
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const checkedEffect = (effect: string, spec: string): string => {
  if (!effects.includes(effect)) throw new CommandError(`invalid taint spec: ${spec}: the effect "${effect}" is none of ${effects.join(', ')}`);
  return effect;
};

const isTaint = (arg: string): boolean => arg.includes(':') || arg.includes('=') || (arg.endsWith('-') && arg.length > 1);

/** Parts arguments into node names (the first ones) and taints. Throws CommandError for one that is neither. */
export const splitTaints = (args: readonly string[]): { readonly names: readonly string[]; readonly changes: TaintChanges } => {
  const first = args.findIndex(isTaint);
  if (first === -1) throw new CommandError('at least one taint update is required: KEY=VALUE:EFFECT, KEY:EFFECT or KEY-');
  const set: Taint[] = [];
  const remove: TaintChanges['remove'][number][] = [];
  for (const spec of args.slice(first)) {
    const removes = spec.endsWith('-');
    const { key, value, effect } = /^(?<key>[^=:]+)(=(?<value>[^=:]*))?(:(?<effect>[^=:]*))?$/.exec(removes ? spec.slice(0, -1) : spec)?.groups ?? {};
    if (key === undefined || (!removes && effect === undefined)) throw new CommandError(`invalid taint spec: ${spec}: write KEY=VALUE:EFFECT, KEY:EFFECT, KEY:EFFECT- or KEY-`);
    if (removes) remove.push({ key, effect: effect === undefined ? undefined : checkedEffect(effect, spec) });
    else set.push({ key, ...(value === undefined || value === '' ? {} : { value }), effect: checkedEffect(effect!, spec) });
  }
  const twice = set.find((one, index) => set.findIndex((other) => isSame(other, one)) !== index);
  if (twice !== undefined) throw new CommandError(`duplicated taints with the same key and effect: ${twice.key}:${twice.effect}`);
  const both = set.find((one) => remove.some((other) => isSame(other, one)));
  if (both !== undefined) throw new CommandError(`can not both modify and remove the following taint in the same command: ${both.key}:${both.effect}`);
  return { names: args.slice(0, first), changes: { set, remove } };
};

/** True when the first, which may mean all effects, means the second. */
const isSame = (one: { readonly key: string; readonly effect: string | undefined }, other: Taint): boolean => one.key === other.key && (one.effect === undefined || one.effect === other.effect);

/** The taints as they are to be, and what the line says. Throws CommandError for one that is there or is not. */
export const changedTaints = (nodeName: string, before: readonly Taint[], { set, remove }: TaintChanges, overwrite: boolean): { readonly taints: readonly Taint[]; readonly verb: string } => {
  const there = set.filter((taint) => before.some((old) => isSame(taint, old)));
  if (there.length > 0 && !overwrite) throw new CommandError(`node ${nodeName} already has ${there.map(({ key }) => key).join(', ')} taint(s) with same effect(s) and --overwrite is false`);
  const missing = remove.find((gone) => !before.some((old) => isSame(gone, old)));
  if (missing !== undefined) throw new CommandError(`taint "${missing.key}${missing.effect === undefined ? '' : `:${missing.effect}`}" not found`);
  const kept = before.filter((old) => ![...set, ...remove].some((change) => isSame(change, old)));
  return { taints: [...set, ...kept], verb: remove.length === 0 ? 'tainted' : set.length === 0 ? 'untainted' : 'modified' };
};

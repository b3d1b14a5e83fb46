/** Calls that are no calls: they take names and expressions, not values. */
import type { Expression, FoldMacro } from './syntax.ts';

export interface MacroCall {
  readonly at: number;
  readonly name: string;
  readonly target: Expression | undefined;
  readonly args: readonly Expression[];
  /** Refuses the expression. */
  readonly fail: (message: string, at: number) => never;
}

const nameOf = ({ fail }: MacroCall, argument: Expression): string =>
  argument.op === 'name' && argument.absolute !== true ? argument.name : fail('argument must be a simple name', argument.at);

const has = (call: MacroCall): Expression => {
  const argument = call.args[0]!;
  if (argument.op !== 'select' || argument.optional) return call.fail('invalid argument to has() macro', argument.at);
  return { op: 'has', at: call.at, of: argument.of, member: argument.member };
};

/** How many arguments each macro over lists and maps takes with one variable and with two. */
const folds: ReadonlyMap<string, { readonly macro: FoldMacro; readonly one: readonly number[]; readonly two: readonly number[] }> = new Map([
  ['all', { macro: 'all', one: [2], two: [3] }],
  ['exists', { macro: 'exists', one: [2], two: [3] }],
  ['exists_one', { macro: 'exists_one', one: [2], two: [3] }],
  ['existsOne', { macro: 'exists_one', one: [2], two: [3] }],
  ['filter', { macro: 'filter', one: [2], two: [] }],
  ['map', { macro: 'map', one: [2, 3], two: [] }],
  ['transformList', { macro: 'transformList', one: [], two: [3, 4] }],
  ['transformMap', { macro: 'transformMap', one: [], two: [3, 4] }],
  ['transformMapEntry', { macro: 'transformMapEntry', one: [], two: [3, 4] }],
]);

const fold = (call: MacroCall, range: Expression): Expression | undefined => {
  const { name, args, at } = call;
  const known = folds.get(name);
  if (known === undefined) return undefined;
  const count = known.two.includes(args.length) ? 2 : known.one.includes(args.length) ? 1 : 0;
  if (count === 0) return undefined;
  const variables = args.slice(0, count).map((argument) => nameOf(call, argument));
  if (new Set(variables).size < count) call.fail(`duplicate variable name: ${variables[0]}`, args[1]!.at);
  const rest = args.slice(count);
  return { op: 'fold', at, macro: known.macro, range, variables, filter: rest.length > 1 ? rest[0] : undefined, body: rest.at(-1)! };
};

/** What a macro stands for, or undefined where the call is none. */
export const expandMacro = (call: MacroCall): Expression | undefined => {
  const { name, target, args, at } = call;
  if (target === undefined) return name === 'has' && args.length === 1 ? has(call) : undefined;
  if (target.op === 'name' && target.name === 'cel' && name === 'bind' && args.length === 3) {
    return { op: 'bind', at, name: nameOf(call, args[0]!), value: args[1]!, body: args[2]! };
  }
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    return { op: 'mapOptional', at, flat: name === 'optFlatMap', of: target, name: nameOf(call, args[0]!), body: args[1]! };
  }
  return fold(call, target);
};

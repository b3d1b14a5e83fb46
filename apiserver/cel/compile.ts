/**
 * Turns the tree into closures, one for each node. Variables of macros live in numbered slots, those of the environment
 * are turned into values when they are first read. Every step pays; `&&`, `||`, all and exists swallow a CelError where
 * another part decides, but never an exhausted budget.
 */
import type { CelBudget } from './budget.ts';
import type { Checked } from './check.ts';
import { CelError } from './errors.ts';
import { compileCall } from './calls.ts';
import { compileFold } from './folds.ts';
import { fromJson } from './json.ts';
import { memberOf, indexOf } from './members.ts';
import type { Expression } from './syntax.ts';
import type { CelType } from './types.ts';
import { ArrayList, CelOptional, CelStruct, CelTypeValue, EntryMap, typeNameOf, type CelValue } from './values.ts';

/** What one evaluation works with. */
export interface Frame {
  readonly budget: CelBudget;
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly slots: (CelValue | undefined)[];
}

export type Step = (frame: Frame) => CelValue;

export interface Compiler {
  /** The names of macros that are in sight. */
  compile(node: Expression, scope: Scope): Step;
  newSlot(): number;
}

export type Scope = ReadonlyMap<string, number>;

/** What an error that `&&` and its like look past costs: much more than a step. */
const errorCost = 10;

/** The value, or the error that it ends with; an exhausted budget goes on. */
export const attempt = (step: Step, frame: Frame): CelValue | CelError => {
  try {
    return step(frame);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    frame.budget.spend(errorCost);
    return error;
  }
};

/** True or false; throws CelError for anything else. */
export const asBool = (value: CelValue): boolean => {
  if (typeof value !== 'boolean') throw new CelError(`no such overload: expected a bool but got ${typeNameOf(value)}`);
  return value;
};

export interface CompileOptions {
  readonly checked: Checked;
  readonly variables: Readonly<Record<string, CelType>>;
}

/** The program of an expression that was checked without issues, and how many slots it takes. */
export const compile = (expression: Expression, { checked, variables }: CompileOptions): { readonly step: Step; readonly slots: number } => {
  let slots = 0;
  const globals = new Map<string, number>();
  const newSlot = (): number => slots++;

  const name = (node: Expression & { readonly op: 'name' }, scope: Scope): Step => {
    const typeName = checked.typeNames.get(node);
    if (typeName !== undefined) return constant(new CelTypeValue(typeName));
    const local = node.absolute === true ? undefined : scope.get(node.name);
    if (local !== undefined) return ({ slots, budget }) => (budget.spend(1), slots[local]!);
    return global(node.name);
  };

  const global = (name: string): Step => {
    const type = variables[name]!;
    const slot = globals.get(name) ?? newSlot();
    globals.set(name, slot);
    return ({ slots, bindings, budget }) => {
      budget.spend(1);
      const known = slots[slot];
      if (known !== undefined) return known;
      const bound = bindings[name];
      if (bound === undefined) throw new CelError(`no such attribute(s): ${name}`);
      const value = fromJson(bound, type);
      slots[slot] = value;
      return value;
    };
  };

  const call = (node: Expression & { readonly op: 'call' }, scope: Scope): Step => {
    const { forms, args } = checked.calls.get(node)!;
    return compileCall({ name: node.name, forms, steps: args.map((arg) => visit(arg, scope)) });
  };

  const logic = (args: readonly Expression[], scope: Scope, decisive: boolean): Step => {
    const steps = args.map((arg) => visit(arg, scope));
    return (frame) => {
      let failure: CelError | undefined;
      for (const step of steps) {
        const value = attempt(step, frame);
        if (value === decisive) return decisive;
        if (value instanceof CelError) failure ??= value;
        else if (typeof value !== 'boolean') failure ??= new CelError(`no such overload: expected a bool but got ${typeNameOf(value)}`);
      }
      if (failure !== undefined) throw failure;
      return !decisive;
    };
  };

  const visit = (node: Expression, scope: Scope): Step => {
    switch (node.op) {
      case 'literal': return constant(node.value);
      case 'name': return name(node, scope);
      case 'select': {
        const typeName = checked.typeNames.get(node);
        if (typeName !== undefined) return constant(new CelTypeValue(typeName));
        const dotted = checked.dottedNames.get(node);
        if (dotted !== undefined) return global(dotted);
        const of = visit(node.of, scope);
        return (frame) => (frame.budget.spend(1), memberOf(of(frame), node.member, node.optional ? 'optional' : 'needed'));
      }
      case 'has': {
        const of = visit(node.of, scope);
        return (frame) => {
          frame.budget.spend(1);
          const found = memberOf(of(frame), node.member, 'optional');
          return found instanceof CelOptional && found.value !== undefined;
        };
      }
      case 'index': {
        const [of, index] = [visit(node.of, scope), visit(node.index, scope)];
        return (frame) => (frame.budget.spend(1), indexOf(of(frame), index(frame), node.optional ? 'optional' : 'needed'));
      }
      case 'call': return call(node, scope);
      case 'and': return logic(node.args, scope, false);
      case 'or': return logic(node.args, scope, true);
      case 'choose': {
        const [when, chosen, otherwise] = [visit(node.when, scope), visit(node.chosen, scope), visit(node.otherwise, scope)];
        return (frame) => (asBool(when(frame)) ? chosen(frame) : otherwise(frame));
      }
      case 'list': {
        const items = node.items.map(({ value, optional }) => ({ step: visit(value, scope), optional }));
        const steps = items.map(({ step }) => step);
        if (!items.some(({ optional }) => optional)) {
          return (frame) => {
            frame.budget.spend(1 + steps.length);
            return new ArrayList(steps.map((step) => step(frame)));
          };
        }
        return (frame) => {
          frame.budget.spend(1 + items.length);
          return new ArrayList(items.flatMap(({ step, optional }) => present(step(frame), optional)));
        };
      }
      case 'map': {
        const entries = node.entries.map(({ key, value, optional }) => ({ key: visit(key, scope), value: visit(value, scope), optional }));
        return (frame) => {
          frame.budget.spend(1 + entries.length);
          const map = new EntryMap();
          for (const { key, value, optional } of entries) {
            const at = key(frame);
            for (const one of present(value(frame), optional)) map.put(at, one);
          }
          return map;
        };
      }
      case 'struct': {
        const fields = node.fields.map(({ name, value, optional }) => ({ name, step: visit(value, scope), optional }));
        return (frame) => {
          frame.budget.spend(1 + fields.length);
          const struct = new CelStruct(node.name);
          for (const { name, step, optional } of fields) for (const one of present(step(frame), optional)) struct.put(name, one);
          return struct;
        };
      }
      case 'fold': return compileFold(node, scope, { compile: visit, newSlot });
      case 'bind': {
        const value = visit(node.value, scope);
        const slot = newSlot();
        const body = visit(node.body, new Map([...scope, [node.name, slot]]));
        return (frame) => {
          frame.slots[slot] = value(frame);
          return body(frame);
        };
      }
      case 'mapOptional': {
        const of = visit(node.of, scope);
        const slot = newSlot();
        const body = visit(node.body, new Map([...scope, [node.name, slot]]));
        return (frame) => {
          const optional = of(frame);
          if (!(optional instanceof CelOptional)) throw new CelError(`no such overload: expected an optional but got ${typeNameOf(optional)}`);
          if (optional.value === undefined) return CelOptional.none;
          frame.slots[slot] = optional.value;
          const value = body(frame);
          return node.flat ? value : new CelOptional(value);
        };
      }
    }
  };

  const step = visit(expression, new Map());
  return { step, slots };
};

const constant = (value: CelValue): Step => () => value;

/** The value as the one item, or none where it is an optional without one. */
const present = (value: CelValue, optional: boolean): readonly CelValue[] => {
  if (!optional) return [value];
  if (!(value instanceof CelOptional)) throw new CelError(`no such overload: expected an optional but got ${typeNameOf(value)}`);
  return value.value === undefined ? [] : [value.value];
};

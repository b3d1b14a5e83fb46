import type { CelBudget } from './budget.ts';
import type { Step } from './compile.ts';
import { CelError } from './errors.ts';
import type { CelFunction } from './functions.ts';
import { isOfType, typeNameOf, type CelValue } from './values.ts';

export interface CallParts {
  readonly name: string;
  /** The forms that the types do not rule out. */
  readonly forms: readonly CelFunction[];
  /** The arguments, the receiver of a member function first. */
  readonly steps: readonly Step[];
}

type Call = (...args: (CelValue | CelBudget)[]) => CelValue;

const noForm = (name: string, values: readonly CelValue[]): never => {
  throw new CelError(`no such overload: ${name}(${values.map(typeNameOf).join(', ')})`);
};

/** Calls the first form whose parameters take the values. One and two arguments, as operators have, go without lists. */
export const compileCall = ({ name, forms, steps }: CallParts): Step => {
  const calls = forms.map(({ call, parameters }) => ({ call: call as unknown as Call, parameters, first: parameters[0]!, second: parameters[1]! }));
  const [one, two] = steps as [Step, Step];
  if (steps.length === 1) {
    return (frame) => {
      frame.budget.spend(1);
      const value = one(frame);
      for (const { call, first } of calls) if (isOfType(value, first)) return call(value, frame.budget);
      return noForm(name, [value]);
    };
  }
  if (steps.length === 2) {
    return (frame) => {
      frame.budget.spend(1);
      const left = one(frame);
      const right = two(frame);
      for (const { call, first, second } of calls) if (isOfType(left, first) && isOfType(right, second)) return call(left, right, frame.budget);
      return noForm(name, [left, right]);
    };
  }
  return (frame) => {
    frame.budget.spend(1);
    const values = steps.map((step) => step(frame));
    for (const { call, parameters } of calls) if (parameters.every((type, i) => isOfType(values[i]!, type))) return call(...values, frame.budget);
    return noForm(name, values);
  };
};

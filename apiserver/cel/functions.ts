/** Functions by name and by what they take. */
import { readSignature, type Signature } from './types.ts';
import type { CelValue } from './values.ts';

/** A text argument that is looked at when the expression is compiled, if it is written there: why it cannot do, or undefined. */
export interface LiteralCheck {
  readonly parameter: number;
  readonly wrong: (text: string) => string | undefined;
}

/** One form of a function: it is called with values of its parameters' types, and the budget after them. */
export interface CelFunction extends Signature {
  readonly call: (...args: never[]) => CelValue;
  readonly literal?: LiteralCheck | undefined;
}

/** Declares a form of a function; see readSignature for how it is written. The call pays what it costs beyond one unit. */
export const celFunction = (signature: string, call: (...args: never[]) => CelValue, literal?: LiteralCheck): CelFunction => ({ ...readSignature(signature), call, literal });

/** Functions that take so many arguments, those of member functions with their receiver. */
export class FunctionTable {
  readonly #forms = new Map<string, CelFunction[]>();
  readonly #names = new Set<string>();

  constructor(functions: readonly CelFunction[]) {
    for (const one of functions) {
      const key = keyFor(one.name, { member: one.member, count: one.parameters.length });
      this.#forms.set(key, [...(this.#forms.get(key) ?? []), one]);
      this.#names.add(one.name);
    }
  }

  /** True where there is a function of the name, whatever it takes. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The forms that a call may mean by the number of its arguments. */
  forms(name: string, call: { readonly member: boolean; readonly count: number }): readonly CelFunction[] {
    return this.#forms.get(keyFor(name, call)) ?? [];
  }
}

const keyFor = (name: string, { member, count }: { readonly member: boolean; readonly count: number }): string => `${member ? '.' : ''}${name}/${count}`;


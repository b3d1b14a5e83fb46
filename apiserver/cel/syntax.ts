/** The tree of an expression. Macros are nodes of their own; operators but the lazy ones are calls, `_+_` and so on. */
import type { CelValue } from './values.ts';

/** Comprehensions by their macro. */
export type FoldMacro = 'all' | 'exists' | 'exists_one' | 'map' | 'filter' | 'transformList' | 'transformMap' | 'transformMapEntry';

export type Expression = {
  /** Offset of the sign that stands for the node. */
  readonly at: number;
} & (
  | { readonly op: 'literal'; readonly value: CelValue }
  | { readonly op: 'name'; readonly name: string; readonly absolute?: boolean }
  | { readonly op: 'select'; readonly of: Expression; readonly member: string; readonly optional: boolean }
  | { readonly op: 'has'; readonly of: Expression; readonly member: string }
  | { readonly op: 'index'; readonly of: Expression; readonly index: Expression; readonly optional: boolean }
  | { readonly op: 'call'; readonly name: string; readonly target?: Expression | undefined; readonly args: readonly Expression[] }
  | { readonly op: 'and' | 'or'; readonly args: readonly Expression[] }
  | { readonly op: 'choose'; readonly when: Expression; readonly chosen: Expression; readonly otherwise: Expression }
  | { readonly op: 'list'; readonly items: readonly Item[] }
  | { readonly op: 'map'; readonly entries: readonly Entry[] }
  | { readonly op: 'struct'; readonly name: string; readonly fields: readonly Field[] }
  | Fold
  | { readonly op: 'bind'; readonly name: string; readonly value: Expression; readonly body: Expression }
  | { readonly op: 'mapOptional'; readonly flat: boolean; readonly of: Expression; readonly name: string; readonly body: Expression }
);

export interface Item {
  readonly value: Expression;
  /** Left out where the value is optional and there is none. */
  readonly optional: boolean;
}

export interface Entry extends Item {
  readonly key: Expression;
}

export interface Field extends Item {
  readonly name: string;
  readonly at: number;
}

export interface Fold {
  readonly op: 'fold';
  readonly at: number;
  readonly macro: FoldMacro;
  readonly range: Expression;
  /** One or two names: the item, or index (or key) and item. */
  readonly variables: readonly string[];
  readonly filter?: Expression | undefined;
  readonly body: Expression;
}

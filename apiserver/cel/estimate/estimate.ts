/**
 * The most that an expression can cost, told from its tree and from how large the declared values can be, before there
 * is any value. Kubernetes refuses definitions by this number, and so it is worked out here as there, step by step: what a
 * macro costs a round, which sizes are followed through calls and which are lost and count as without limit.
 */
import type { Checked } from '../check.ts';
import type { CelFunction } from '../functions.ts';
import type { Expression, Fold, FoldMacro } from '../syntax.ts';
import { dyn, type CelType } from '../types.ts';
import { callEstimate, type SizedCall } from './call-costs.ts';
import { anySize, capped, eitherSize, exactly, firstWanting, unbounded, type Range } from './ranges.ts';

/** How large the values of one place of a declared value can be. */
export interface DeclaredSize {
  /** Characters, bytes, items or entries; 0 for what is always about the same. */
  readonly max: number;
  /** The limit that is missing, if `max` is only what a request can hold. */
  readonly wanting?: string | undefined;
  /** The items of a list, the values of a map. */
  readonly items?: DeclaredSize | undefined;
  readonly keys?: DeclaredSize | undefined;
  /** Members by the names that expressions use. */
  readonly fields?: ReadonlyMap<string, DeclaredSize> | undefined;
}

export interface CostEstimate {
  /** Units at most. */
  readonly units: number;
  /** The first limits that no schema sets and that would make it cheaper. */
  readonly wanting: readonly string[];
  /** True where something is gone through of whose size nothing is known, such as what string(..) gives. */
  readonly unknownSizes: boolean;
}

/** Where a value stands in the declared ones; `nowhere` for a place that is not declared. */
type Place = DeclaredSize | 'nowhere';

/** Sizes of what a list or map holds. */
interface Entries {
  readonly kind: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly place?: Place | undefined;
  readonly size?: Range | undefined;
  readonly entries?: Entries | undefined;
}

type Scope = ReadonlyMap<string, Local>;

/** A list, a map and an object that an expression makes. */
const makingUnits = { list: 10, map: 30, struct: 40 } as const;

/** A part is worth naming where it costs more than this. */
const worthNaming = 10_000;

/** What a macro costs beside its parts: once, and each round; these are its steps, each of a unit, and lists that it makes. */
const foldUnits: Readonly<Record<FoldMacro, { readonly once: number; readonly each: number }>> = {
  all: { once: 1, each: 3 }, exists: { once: 1, each: 4 }, exists_one: { once: 2, each: 2 },
  map: { once: 11, each: 12 }, filter: { once: 11, each: 13 }, transformList: { once: 11, each: 12 },
  transformMap: { once: 31, each: 3 }, transformMapEntry: { once: 31, each: 2 },
};

const scalars: ReadonlySet<CelType['kind']> = new Set(['bool', 'int', 'uint', 'double', 'timestamp', 'duration']);

const isScalar = (type: CelType): boolean => (type.kind === 'optional' ? isScalar(type.of) : scalars.has(type.kind));

const literalSize = (node: Expression & { readonly op: 'literal' }): Range =>
  exactly(typeof node.value === 'string' ? [...node.value].length : node.value instanceof Uint8Array ? node.value.length : 1);

class Estimator {
  wanting: readonly string[] = [];
  unknownSizes = false;
  readonly #checked: Checked;
  readonly #root: DeclaredSize;
  readonly #places = new Map<Expression, Place | undefined>();
  readonly #sizes = new Map<Expression, Range>();
  readonly #entries = new Map<Expression, Entries>();

  constructor(checked: Checked, root: DeclaredSize) {
    this.#checked = checked;
    this.#root = root;
  }

  cost(node: Expression, scope: Scope): number {
    switch (node.op) {
      case 'literal': return 0;
      case 'name': return this.#name(node, scope);
      case 'select': return this.#select(node, scope);
      case 'has': return this.cost(node.of, scope);
      case 'index': return this.#index(node, scope);
      case 'call': return this.#call(node, scope);
      case 'and': case 'or': return this.#sum(node.args, scope);
      case 'choose': {
        const units = this.cost(node.when, scope) + Math.max(this.cost(node.chosen, scope), this.cost(node.otherwise, scope));
        this.#sizes.set(node, eitherSize(this.#size(node.chosen), this.#size(node.otherwise)));
        const [chosen, otherwise] = [this.#entries.get(node.chosen), this.#entries.get(node.otherwise)];
        if (chosen !== undefined && otherwise !== undefined) this.#entries.set(node, { kind: chosen.kind, key: eitherSize(chosen.key, otherwise.key), value: eitherSize(chosen.value, otherwise.value) });
        return capped(units);
      }
      case 'list': {
        const units = this.#sum(node.items.map(({ value }) => value), scope);
        this.#entries.set(node, { kind: 'list', key: exactly(1), value: this.#anyOf(node.items.map(({ value }) => value)) });
        return capped(units + makingUnits.list);
      }
      case 'map': {
        const units = this.#sum(node.entries.flatMap(({ key, value }) => [key, value]), scope);
        this.#entries.set(node, { kind: 'map', key: this.#anyOf(node.entries.map(({ key }) => key)), value: this.#anyOf(node.entries.map(({ value }) => value)) });
        return capped(units + makingUnits.map);
      }
      case 'struct': return capped(this.#sum(node.fields.map(({ value }) => value), scope) + makingUnits.struct);
      case 'fold': return this.#fold(node, scope);
      case 'bind': {
        const units = makingUnits.list + this.cost(node.value, scope);
        const local = { place: this.#places.get(node.value), size: this.#knownSize(node.value), entries: this.#entries.get(node.value) };
        const body = this.cost(node.body, new Map([...scope, [node.name, local]]));
        this.#copy(node, node.body);
        return capped(units + body);
      }
      case 'mapOptional': {
        // Whether there is a value is asked first; then it is taken out, bound, and what comes of it wrapped again.
        const of = this.cost(node.of, scope);
        const type = this.#typeOf(node.of);
        const size = type.kind === 'optional' && isScalar(type.of) ? exactly(1) : undefined;
        const body = this.cost(node.body, new Map([...scope, [node.name, { size }]]));
        return capped(of + 1 + makingUnits.list + of + 1 + body + (node.flat ? 0 : 1));
      }
    }
  }

  #sum(nodes: readonly Expression[], scope: Scope): number {
    return capped(nodes.reduce((units, node) => units + this.cost(node, scope), 0));
  }

  #typeOf(node: Expression): CelType {
    return this.#checked.types.get(node) ?? dyn;
  }

  /** One step further. Kubernetes takes what comes of no declared place for the whole value once a step is made from it. */
  #step(place: Place | undefined, to: (size: DeclaredSize) => DeclaredSize | undefined): Place {
    if (place === undefined) return this.#root;
    return place === 'nowhere' ? place : to(place) ?? 'nowhere';
  }

  #knownSize(node: Expression): Range | undefined {
    const known = this.#sizes.get(node);
    if (known !== undefined) return known;
    if (node.op === 'literal') return literalSize(node);
    if (node.op === 'list') return exactly(node.items.length);
    if (node.op === 'map') return exactly(node.entries.length);
    const place = this.#places.get(node);
    if (place !== undefined && place !== 'nowhere') return rangeOf(place);
    return isScalar(this.#typeOf(node)) ? exactly(1) : undefined;
  }

  #size(node: Expression): Range {
    return this.#knownSize(node) ?? anySize;
  }

  #anyOf(nodes: readonly Expression[]): Range {
    return nodes.length === 0 ? exactly(0) : nodes.map((node) => this.#size(node)).reduce(eitherSize);
  }

  #copy(to: Expression, from: Expression): void {
    const [size, entries] = [this.#knownSize(from), this.#entries.get(from)];
    if (size !== undefined) this.#sizes.set(to, size);
    if (entries !== undefined) this.#entries.set(to, entries);
  }

  /** What it takes to go through so much, and the limits that would make it less. */
  #walk({ max, wanting = [] }: Range, unitsEach: number): number {
    const units = capped(Math.ceil(max * unitsEach));
    if (units <= worthNaming) return units;
    this.wanting = firstWanting(this.wanting, wanting);
    if (max >= unbounded) this.unknownSizes = true;
    return units;
  }

  #name(node: Expression & { readonly op: 'name' }, scope: Scope): number {
    const local = node.absolute === true ? undefined : scope.get(node.name);
    this.#places.set(node, local === undefined ? this.#root : local.place);
    if (local?.entries !== undefined) this.#entries.set(node, local.entries);
    if (local?.size !== undefined && this.#knownSize(node) === undefined) this.#sizes.set(node, local.size);
    return 1;
  }

  #select(node: Expression & { readonly op: 'select' }, scope: Scope): number {
    if (this.#checked.typeNames.has(node) || this.#checked.dottedNames.has(node)) return 1;
    const units = this.cost(node.of, scope);
    if (node.optional) return units + 1;
    this.#places.set(node, this.#step(this.#places.get(node.of), ({ fields }) => fields?.get(node.member)));
    const { kind } = this.#typeOf(node.of);
    return units + (kind === 'map' || kind === 'object' || kind === 'struct' ? 1 : 0);
  }

  #index(node: Expression & { readonly op: 'index' }, scope: Scope): number {
    const units = capped(this.cost(node.of, scope) + this.cost(node.index, scope) + 1);
    if (node.optional || this.#typeOf(node.of).kind === 'optional') return units;
    this.#places.set(node, this.#step(this.#places.get(node.of), ({ items }) => items));
    const value = this.#entries.get(node.of)?.value;
    if (value !== undefined) this.#sizes.set(node, value);
    return units;
  }

  #call(node: Expression & { readonly op: 'call' }, scope: Scope): number {
    const { forms, args } = this.#checked.calls.get(node)!;
    const units = this.#sum(args, scope);
    if (node.name === 'dyn' && node.target === undefined) {
      this.#copy(node, args[0]!);
      return capped(units + 1);
    }
    const estimates = forms.map((form) => callEstimate(this.#sized(form, args)));
    const sizes = estimates.flatMap(({ size }) => (size === undefined ? [] : [size]));
    if (sizes.length > 0) this.#sizes.set(node, sizes.reduce(eitherSize));
    const [left, right] = args.map((arg) => this.#entries.get(arg));
    if (node.name === '_+_' && left !== undefined && right !== undefined) this.#entries.set(node, { kind: left.kind, key: eitherSize(left.key, right.key), value: eitherSize(left.value, right.value) });
    return capped(units + Math.max(...estimates.map((estimate) => estimate.units)));
  }

  #sized(form: CelFunction, args: readonly Expression[]): SizedCall {
    return {
      form,
      types: args.map((arg) => this.#typeOf(arg)),
      size: (index) => this.#size(args[index]!),
      itemSize: (index) => {
        const arg = args[index]!;
        if (this.#typeOf(arg).kind !== 'list') return undefined;
        const place = this.#places.get(arg);
        const items = place === undefined || place === 'nowhere' ? undefined : place.items;
        return items === undefined ? anySize : rangeOf(items);
      },
      literal: (index) => {
        const arg = args[index]!;
        return arg.op === 'literal' && typeof arg.value === 'bigint' ? Number(arg.value) : undefined;
      },
      walk: (size, unitsEach) => this.#walk(size, unitsEach),
    };
  }

  #fold(node: Fold, scope: Scope): number {
    const { range, variables, macro, filter, body } = node;
    const rangeUnits = this.cost(range, scope);
    const entries = this.#entries.get(range);
    const place = this.#places.get(range);
    const isList = (entries?.kind ?? this.#typeOf(range).kind) === 'list';
    const key: Local = { place: this.#step(place, ({ keys }) => keys), size: entries?.key };
    const item: Local = { place: this.#step(place, ({ items }) => items), size: entries?.value };
    const locals = variables.length === 1 ? [isList ? item : key] : [key, item];
    const inner = new Map([...scope, ...variables.map((name, index) => [name, locals[index]!] as const)]);
    const round = (filter === undefined ? 0 : this.cost(filter, inner)) + this.cost(body, inner);
    const { once, each } = foldUnits[macro];
    const rounds = this.#size(range);
    this.#sizes.set(node, macro === 'all' || macro === 'exists' || macro === 'exists_one' ? exactly(1) : rounds);
    const made = macro === 'filter' ? sizeOfLocal(locals[0]!) : macro === 'map' || macro === 'transformList' ? this.#size(body) : undefined;
    if (made !== undefined) this.#entries.set(node, { kind: 'list', key: exactly(1), value: eitherSize(exactly(0), made) });
    return capped(rangeUnits + once + this.#walk(rounds, each + round));
  }
}

const rangeOf = ({ max, wanting }: DeclaredSize): Range => ({ min: 0, max, wanting: wanting === undefined ? undefined : [wanting] });

const sizeOfLocal = ({ place, size }: Local): Range => (place !== undefined && place !== 'nowhere' ? rangeOf(place) : size ?? anySize);

/** What an expression that was checked without issues costs at most, with variables of the declared sizes. */
export const estimate = (expression: Expression, checked: Checked, root: DeclaredSize): CostEstimate => {
  const estimator = new Estimator(checked, root);
  const units = estimator.cost(expression, new Map());
  return { units, wanting: estimator.wanting, unknownSizes: estimator.unknownSizes };
};

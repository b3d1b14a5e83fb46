/**
 * What types the parts of an expression have, and which functions its calls can mean. What is wrong for sure is an
 * issue; where a type is only known at run time, so is whether it fits.
 */
import type { CelIssue } from './errors.ts';
import type { CelFunction, FunctionTable } from './functions.ts';
import { qualifiedName } from './parse.ts';
import type { Expression, Field, Fold } from './syntax.ts';
import { bool, double, dyn, fits, int, joined, listOf, mapOf, optionalOf, resolved, string, typeText, typeType, type Bindings, type CelType } from './types.ts';
import { typeNameOf, type CelValue } from './values.ts';
import * as types from './types.ts';

export interface CheckOptions {
  readonly variables: Readonly<Record<string, CelType>>;
  readonly functions: FunctionTable;
  /** Names of types as values, such as `int`. */
  readonly typeNames: ReadonlySet<string>;
  /** True for objects that expressions may make, by their name. */
  readonly isStruct: (name: string) => boolean;
  /** Lists and maps that are written out may hold values of several types. */
  readonly mixedLiterals: boolean;
}

/** A call with its forms that are not ruled out, and all arguments, the receiver of a member function first. */
export interface CheckedCall {
  readonly forms: readonly CelFunction[];
  readonly args: readonly Expression[];
}

export interface Checked {
  readonly type: CelType;
  readonly issues: readonly CelIssue[];
  readonly calls: ReadonlyMap<Expression, CheckedCall>;
  /** What each part is. */
  readonly types: ReadonlyMap<Expression, CelType>;
  /** Names that stand for types. */
  readonly typeNames: ReadonlyMap<Expression, string>;
  /** Chains of members that are the name of a variable, such as authorizer.requestResource. */
  readonly dottedNames: ReadonlyMap<Expression, string>;
}

type Scope = ReadonlyMap<string, CelType>;

export const check = (expression: Expression, options: CheckOptions): Checked => {
  const checker = new Checker(options);
  return { type: checker.typeOf(expression, new Map()), issues: checker.issues, calls: checker.calls, types: checker.types, typeNames: checker.typeNames, dottedNames: checker.dottedNames };
};

const literalTypes: Readonly<Record<string, CelType>> = { null_type: types.nullType, bool, int, double, string, uint: types.uint, bytes: types.bytes };

const typeOfLiteral = (value: CelValue): CelType => literalTypes[typeNameOf(value)] ?? dyn;

const may = (type: CelType, ...kinds: readonly CelType['kind'][]): boolean => type.kind === 'dyn' || kinds.includes(type.kind);

class Checker {
  readonly issues: CelIssue[] = [];
  readonly calls = new Map<Expression, CheckedCall>();
  readonly types = new Map<Expression, CelType>();
  readonly typeNames = new Map<Expression, string>();
  readonly dottedNames = new Map<Expression, string>();
  readonly #options: CheckOptions;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  typeOf(node: Expression, scope: Scope): CelType {
    const type = this.#typeOf(node, scope);
    this.types.set(node, type);
    return type;
  }

  #typeOf(node: Expression, scope: Scope): CelType {
    switch (node.op) {
      case 'literal': return typeOfLiteral(node.value);
      case 'name': return this.#name(node, scope);
      case 'select': return this.#select(node, scope);
      case 'has': {
        this.#memberType(this.typeOf(node.of, scope), node);
        return bool;
      }
      case 'index': return this.#index(node, scope);
      case 'call': return this.#call(node, scope);
      case 'and': case 'or':
        for (const arg of node.args) this.#wantBool(arg, scope, node.op === 'and' ? '_&&_' : '_||_');
        return bool;
      case 'choose': {
        this.#wantBool(node.when, scope, '_?_:_');
        const [chosen, otherwise] = [this.typeOf(node.chosen, scope), this.typeOf(node.otherwise, scope)];
        return joined(chosen, otherwise) ?? this.#nullable(chosen, otherwise) ?? this.#noOverload(node, '_?_:_', [bool, chosen, otherwise]);
      }
      case 'list': {
        const items = node.items.map(({ value, optional }) => this.#itemType(value, optional, scope));
        return listOf(this.#common(items, node.items.map(({ value }) => value)));
      }
      case 'map': {
        const keys = node.entries.map(({ key }) => this.typeOf(key, scope));
        const values = node.entries.map(({ value, optional }) => this.#itemType(value, optional, scope));
        return mapOf(this.#common(keys, node.entries.map(({ key }) => key)), this.#common(values, node.entries.map(({ value }) => value)));
      }
      case 'struct': return this.#struct(node, scope);
      case 'fold': return this.#fold(node, scope);
      case 'bind': return this.typeOf(node.body, new Map([...scope, [node.name, this.typeOf(node.value, scope)]]));
      case 'mapOptional': return this.#mapOptional(node, scope);
    }
  }

  #issue(message: string, { at }: { readonly at: number }): CelType {
    this.issues.push({ message, at });
    return dyn;
  }

  #noOverload(node: { readonly at: number }, name: string, args: readonly CelType[], receiver = ''): CelType {
    return this.#issue(`found no matching overload for '${name}' applied to '${receiver}(${args.map(typeText).join(', ')})'`, node);
  }

  #nullable(a: CelType, b: CelType): CelType | undefined {
    return a.kind === 'null' ? b : b.kind === 'null' ? a : undefined;
  }

  #name(node: Expression & { readonly op: 'name' }, scope: Scope): CelType {
    const { name } = node;
    const type = (node.absolute === true ? undefined : scope.get(name)) ?? (Object.hasOwn(this.#options.variables, name) ? this.#options.variables[name] : undefined);
    if (type !== undefined) return type;
    if (this.#options.typeNames.has(name)) {
      this.typeNames.set(node, name);
      return typeType;
    }
    return this.#issue(`undeclared reference to '${name}' (in container '')`, node);
  }

  #select(node: Expression & { readonly op: 'select' }, scope: Scope): CelType {
    const name = qualifiedName(node);
    if (name !== undefined && this.#options.typeNames.has(name) && !this.#isVariable(node, scope)) {
      this.typeNames.set(node, name);
      return typeType;
    }
    if (name !== undefined && Object.hasOwn(this.#options.variables, name) && !scope.has(name.slice(0, name.indexOf('.')))) {
      this.dottedNames.set(node, name);
      return this.#options.variables[name]!;
    }
    const type = this.#memberType(this.typeOf(node.of, scope), node);
    return node.optional && type.kind !== 'optional' ? optionalOf(type) : type;
  }

  /** True where a chain of members begins with a variable. */
  #isVariable(node: Expression, scope: Scope): boolean {
    let root = node;
    while (root.op === 'select') root = root.of;
    return root.op === 'name' && (scope.has(root.name) || Object.hasOwn(this.#options.variables, root.name));
  }

  #memberType(of: CelType, node: { readonly member: string; readonly at: number }): CelType {
    switch (of.kind) {
      case 'dyn': case 'struct': return dyn;
      case 'map': return may(of.key, 'string') ? of.value : this.#issue(`undefined field '${node.member}'`, node);
      case 'object': return of.fields.get(node.member)?.type ?? this.#issue(`undefined field '${node.member}'`, node);
      case 'optional': return optionalOf(this.#memberType(of.of, node));
      default: return this.#issue(`type '${typeText(of)}' does not support field selection`, node);
    }
  }

  #index(node: Expression & { readonly op: 'index' }, scope: Scope): CelType {
    const [of, index] = [this.typeOf(node.of, scope), this.typeOf(node.index, scope)];
    const inner = of.kind === 'optional' ? of.of : of;
    const item = this.#indexed(node, inner, index);
    return of.kind === 'optional' || node.optional ? optionalOf(item) : item;
  }

  #indexed(node: Expression, of: CelType, index: CelType): CelType {
    if (of.kind === 'dyn' || of.kind === 'struct') return dyn;
    if (of.kind === 'list' && may(index, 'int', 'uint', 'double')) return of.item;
    if (of.kind === 'map' && fits(of.key, index, new Map())) return of.value;
    return this.#noOverload(node, '_[_]', [of, index]);
  }

  #call(node: Expression & { readonly op: 'call' }, scope: Scope): CelType {
    const { functions } = this.#options;
    const { name, target } = node;
    const front = target === undefined || this.#isVariable(target, scope) ? undefined : qualifiedName(target);
    const global = target === undefined ? name : front !== undefined && functions.has(`${front}.${name}`) ? `${front}.${name}` : undefined;
    const args = global === undefined ? [target!, ...node.args] : node.args;
    const given = args.map((arg) => this.typeOf(arg, scope));
    if (name === '_==_' || name === '_!=_') this.#comparable(node, given);
    if (!functions.has(global ?? name)) return this.#issue(`undeclared reference to '${global ?? name}' (in container '')`, node);
    const forms = functions.forms(global ?? name, { member: global === undefined, count: args.length });
    const results: CelType[] = [];
    const possible: CelFunction[] = [];
    for (const form of forms) {
      const bound: Bindings = new Map();
      if (!form.parameters.every((parameter, i) => fits(parameter, given[i]!, bound))) continue;
      possible.push(form);
      results.push(resolved(form.result, bound));
    }
    if (possible.length === 0) return this.#noOverload(node, global ?? name, global === undefined ? given.slice(1) : given, global === undefined ? `${typeText(given[0]!)}.` : '');
    this.#literals(possible[0]!, args);
    this.calls.set(node, { forms: possible, args });
    return results.reduce((one, other) => (typeText(one) === typeText(other) ? one : dyn));
  }

  #comparable(node: Expression & { readonly op: 'call' }, given: readonly CelType[]): void {
    const [a, b] = [given[0]!, given[1]!];
    if (joined(a, b) === undefined && this.#nullable(a, b) === undefined) this.#noOverload(node, node.name, given);
  }

  #literals({ literal }: CelFunction, args: readonly Expression[]): void {
    const arg = literal === undefined ? undefined : args[literal.parameter];
    if (arg?.op !== 'literal' || typeof arg.value !== 'string') return;
    const wrong = literal!.wrong(arg.value);
    if (wrong !== undefined) this.#issue(wrong, arg);
  }

  #wantBool(node: Expression, scope: Scope, operator: string): void {
    const type = this.typeOf(node, scope);
    if (!may(type, 'bool')) this.#issue(`expected type 'bool' but found '${typeText(type)}' in '${operator}'`, node);
  }

  #itemType(node: Expression, optional: boolean, scope: Scope): CelType {
    const type = this.typeOf(node, scope);
    if (!optional || type.kind === 'dyn') return type;
    return type.kind === 'optional' ? type.of : this.#issue(`expected type 'optional_type(${typeText(type)})' but found '${typeText(type)}'`, node);
  }

  #common(found: readonly CelType[], nodes: readonly Expression[]): CelType {
    let common = found[0] ?? dyn;
    for (const [i, type] of found.entries()) {
      const both = joined(common, type) ?? this.#nullable(common, type);
      if (both === undefined) {
        if (!this.#options.mixedLiterals) this.#issue(`expected type '${typeText(common)}' but found '${typeText(type)}'`, nodes[i]!);
        return dyn;
      }
      common = both;
    }
    return common;
  }

  #struct(node: Expression & { readonly op: 'struct' }, scope: Scope): CelType {
    if (!this.#options.isStruct(node.name)) return this.#issue(`undeclared reference to '${node.name}' (in container '')`, node);
    for (const field of node.fields) this.#field(node.name, field, this.#itemType(field.value, field.optional, scope));
    return { kind: 'struct', name: node.name };
  }

  /** Objects inside of objects bear the name of their place: spec of Object is Object.spec, alone or in a list. */
  #field(struct: string, { name, value }: Field, type: CelType): void {
    const inner = type.kind === 'list' ? type.item : type;
    const wanted = `${struct}.${name}`;
    if (inner.kind === 'struct' && inner.name !== wanted) this.#issue(`expected type of field '${name}' is '${wanted}' but provided type is '${inner.name}'`, value);
  }

  #fold(node: Fold, scope: Scope): CelType {
    const { range, variables, macro } = node;
    const of = this.typeOf(range, scope);
    if (!may(of, 'list', 'map')) this.#issue(`expression of type '${typeText(of)}' cannot be range of a comprehension (must be list, map, or dynamic)`, range);
    const [key, item]: readonly [CelType, CelType] = of.kind === 'list' ? [int, of.item] : of.kind === 'map' ? [of.key, of.value] : [dyn, dyn];
    const inner = new Map(scope);
    if (variables.length === 1) inner.set(variables[0]!, of.kind === 'list' ? item : key);
    else inner.set(variables[0]!, key).set(variables[1]!, item);
    if (node.filter !== undefined) this.#wantBool(node.filter, inner, macro);
    switch (macro) {
      case 'all': case 'exists': case 'exists_one':
        this.#wantBool(node.body, inner, macro);
        return bool;
      case 'filter':
        this.#wantBool(node.body, inner, macro);
        return listOf(of.kind === 'list' ? item : key);
      case 'map': case 'transformList': return listOf(this.typeOf(node.body, inner));
      case 'transformMap': return mapOf(key, this.typeOf(node.body, inner));
      case 'transformMapEntry': {
        const type = this.typeOf(node.body, inner);
        return may(type, 'map') ? type : this.#issue(`expected a map but found '${typeText(type)}'`, node.body);
      }
    }
  }

  #mapOptional(node: Expression & { readonly op: 'mapOptional' }, scope: Scope): CelType {
    const of = this.typeOf(node.of, scope);
    if (!may(of, 'optional')) this.#issue(`expected an optional but found '${typeText(of)}'`, node.of);
    const body = this.typeOf(node.body, new Map([...scope, [node.name, of.kind === 'optional' ? of.of : dyn]]));
    if (!node.flat) return optionalOf(body);
    return may(body, 'optional') ? body : this.#issue(`expected an optional but found '${typeText(body)}'`, node.body);
  }
}

/** semver('1.2.3'): versions by semver.org. */
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { CelOpaque } from '../values.ts';

const part = String.raw`(0|[1-9]\d{0,18})`;
const pattern = new RegExp(String.raw`^${part}\.${part}\.${part}(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`);

class CelSemver extends CelOpaque {
  readonly typeName = 'kubernetes.Semver';
  readonly numbers: readonly bigint[];
  readonly early: readonly string[];

  constructor(numbers: readonly bigint[], early: readonly string[]) {
    super();
    this.numbers = numbers;
    this.early = early;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelSemver && compare(this, other) === 0n;
  }
}

const digits = /^\d+$/;

const compareParts = (a: string | undefined, b: string | undefined): bigint => {
  if (a === b) return 0n;
  if (a === undefined || b === undefined) return a === undefined ? -1n : 1n;
  const [x, y] = [digits.test(a), digits.test(b)];
  if (x && y) return BigInt(a) < BigInt(b) ? -1n : 1n;
  if (x !== y) return x ? -1n : 1n;
  return a < b ? -1n : 1n;
};

const compare = (a: CelSemver, b: CelSemver): bigint => {
  for (const [i, number] of a.numbers.entries()) if (number !== b.numbers[i]) return number < b.numbers[i]! ? -1n : 1n;
  if (a.early.length === 0 || b.early.length === 0) return BigInt(Math.sign(b.early.length - a.early.length));
  for (let i = 0; i < Math.max(a.early.length, b.early.length); i++) {
    const order = compareParts(a.early[i], b.early[i]);
    if (order !== 0n) return order;
  }
  return 0n;
};

/** Without a leading v, with as many numbers as a version has, and without leading zeros. */
const normalized = (text: string): string => {
  const [, front = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text) ?? [];
  const numbers = front.split('.').map((number) => number.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.') + rest;
};

const parseSemver = (text: string): CelSemver | undefined => {
  const match = text.length <= 1_024 ? pattern.exec(text) : null;
  return match === null ? undefined : new CelSemver([BigInt(match[1]!), BigInt(match[2]!), BigInt(match[3]!)], match[4]?.split('.') ?? []);
};

const read = (text: string): CelSemver => {
  const version = parseSemver(text);
  if (version === undefined) throw new CelError(`${JSON.stringify(text.slice(0, 64))} is not a semantic version`);
  return version;
};

export const semvers: readonly CelFunction[] = [
  fn('semver(string): kubernetes.Semver', read),
  fn('semver(string, bool): kubernetes.Semver', (text: string, normalize: boolean) => read(normalize ? normalized(text) : text)),
  fn('isSemver(string): bool', (text: string) => parseSemver(text) !== undefined),
  fn('isSemver(string, bool): bool', (text: string, normalize: boolean) => parseSemver(normalize ? normalized(text) : text) !== undefined),
  ...(['major', 'minor', 'patch'] as const).map((name, i) => fn(`kubernetes.Semver.${name}(): int`, ({ numbers }: CelSemver) => numbers[i]!)),
  fn('kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool', (a: CelSemver, b: CelSemver) => compare(a, b) > 0n),
  fn('kubernetes.Semver.isLessThan(kubernetes.Semver): bool', (a: CelSemver, b: CelSemver) => compare(a, b) < 0n),
  fn('kubernetes.Semver.compareTo(kubernetes.Semver): int', compare),
];

/** quantity('500m'): amounts as Kubernetes writes them, exact to a billionth. */
import { CelError } from '../errors.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../../schemas/quantity.ts';
import { CelOpaque } from '../values.ts';

const typeName = 'kubernetes.Quantity';
const billion = 1_000_000_000n;

class CelQuantity extends CelOpaque {
  readonly typeName = typeName;
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  get nano(): bigint {
    return this.quantity.nano;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelQuantity && other.nano === this.nano;
  }
}

const read = (text: string): CelQuantity => {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new CelError('quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'');
  return new CelQuantity(quantity);
};

const moved = ({ quantity }: CelQuantity, by: bigint): CelQuantity => new CelQuantity({ ...quantity, nano: quantity.nano + by });

const isWhole = ({ nano }: CelQuantity): boolean => nano % billion === 0n && nano / billion <= 2n ** 63n - 1n && nano / billion >= -(2n ** 63n);

export const quantities: readonly CelFunction[] = [
  fn('quantity(string): kubernetes.Quantity', read),
  fn('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined),
  fn('kubernetes.Quantity.sign(): int', ({ nano }: CelQuantity) => (nano > 0n ? 1n : nano < 0n ? -1n : 0n)),
  fn('kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool', (a: CelQuantity, b: CelQuantity) => a.nano > b.nano),
  fn('kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool', (a: CelQuantity, b: CelQuantity) => a.nano < b.nano),
  fn('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (a: CelQuantity, b: CelQuantity) => (a.nano > b.nano ? 1n : a.nano < b.nano ? -1n : 0n)),
  fn('kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity', (a: CelQuantity, b: CelQuantity) => moved(a, b.nano)),
  fn('kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity', (a: CelQuantity, b: CelQuantity) => moved(a, -b.nano)),
  fn('kubernetes.Quantity.add(int): kubernetes.Quantity', (a: CelQuantity, b: bigint) => moved(a, b * billion)),
  fn('kubernetes.Quantity.sub(int): kubernetes.Quantity', (a: CelQuantity, b: bigint) => moved(a, -b * billion)),
  fn('kubernetes.Quantity.isInteger(): bool', isWhole),
  fn('kubernetes.Quantity.asInteger(): int', (value: CelQuantity) => {
    if (!isWhole(value)) throw new CelError('cannot convert value to integer');
    return value.nano / billion;
  }),
  fn('kubernetes.Quantity.asApproximateFloat(): double', ({ nano }: CelQuantity) => Number(nano) / 1e9),
  fn('string(kubernetes.Quantity): string', ({ quantity }: CelQuantity) => formatQuantity(quantity)),
];

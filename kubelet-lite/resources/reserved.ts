/** What of a node is kept from pods, in the words of the kubelet's `--system-reserved` and `--kube-reserved`. Pure. */
import { parseQuantity } from '../../schemas/quantity.ts';

const reservable = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** Reads `cpu=500m,memory=1Gi`. Throws an error that says what would be right. */
export const parseReserved = (text: string): Readonly<Record<string, string>> => {
  const amounts: Record<string, string> = {};
  for (const entry of text.split(',')) {
    const [name = '', amount = '', ...more] = entry.trim().split('=');
    if (amount === '' || more.length > 0) throw new Error(`${JSON.stringify(entry)} must be a resource, "=" and an amount, such as cpu=500m or memory=1Gi`);
    if (!reservable.some((one) => one === name)) throw new Error(`${JSON.stringify(name)} is no resource that can be kept; there are: ${reservable.join(', ')}`);
    const quantity = parseQuantity(amount);
    if (quantity === undefined || quantity.nano < 0n) throw new Error(`${JSON.stringify(entry)}: ${amount} must be a quantity, such as 500m or 1Gi`);
    if (Object.hasOwn(amounts, name)) throw new Error(`${name} is there twice`);
    amounts[name] = amount;
  }
  return amounts;
};

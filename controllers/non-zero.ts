/** The numbers without those that are 0: a status says nothing of what there is none of, as Kubernetes' clients expect. */
export const nonZero = <T extends Readonly<Record<string, number>>>(numbers: T): Partial<T> =>
  Object.fromEntries(Object.entries(numbers).filter(([, number]) => number !== 0)) as Partial<T>;

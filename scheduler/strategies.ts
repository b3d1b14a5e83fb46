import type { Strategy } from './framework.ts';
import { annotationPrefix, type PodInfo } from './pod-info.ts';
import { binpack } from './strategies/binpack.ts';
import { random } from './strategies/random.ts';
import { spread } from './strategies/spread.ts';

/** Strategies that a profile, or a pod, can ask for by name. */
export const strategies = { spread, binpack, random } as const satisfies Readonly<Record<string, Strategy>>;
export type StrategyName = keyof typeof strategies;

/** Annotation by which a pod asks for a strategy in place of its profile's. */
export const strategyAnnotation = `${annotationPrefix}strategy`;

const isStrategyName = (name: string): name is StrategyName => Object.hasOwn(strategies, name);

/** The strategy that a pod asks for; undefined where it asks for none, or for one that there is not. */
export const strategyOf = ({ pod }: PodInfo): Strategy | undefined => {
  const name = pod.metadata.annotations?.[strategyAnnotation];
  return name === undefined || !isStrategyName(name) ? undefined : strategies[name];
};

/** What is wrong with the strategy that a pod asks for. */
export const misreadStrategy = ({ pod }: PodInfo): string | undefined => {
  const name = pod.metadata.annotations?.[strategyAnnotation];
  if (name === undefined || isStrategyName(name)) return undefined;
  return `metadata.annotations[${strategyAnnotation}]: Unsupported value: ${JSON.stringify(name)}: supported values: ${Object.keys(strategies).map((word) => JSON.stringify(word)).join(', ')}`;
};

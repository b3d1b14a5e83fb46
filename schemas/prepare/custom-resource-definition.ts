import type { Draft } from '../frozen.ts';
import type { CustomResourceDefinition } from '../types/custom-resource-definition.ts';

/** Names and a conversion that a definition leaves out. */
export const prepareDefinition = (definition: Draft<CustomResourceDefinition>): void => {
  const { spec } = definition as Partial<typeof definition>;
  if (spec === undefined) return; // which is refused after this
  const { names } = spec as Partial<typeof spec>;
  if (names?.kind !== undefined && names.kind !== '') {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
};

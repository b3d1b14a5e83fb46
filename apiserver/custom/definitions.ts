/**
 * From the CustomResourceDefinitions in the store to kinds in the registry. It follows the watch cache, so that a kind is
 * served from the moment on at which its definition is seen as established, and after a start before the first request.
 */
import type { Log } from '../../base/log.ts';
import { customKinds, makesSameKinds } from '../../schemas/custom/custom-kinds.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import { apiVersionOf, type AnyKind, type ApiObject } from '../../schemas/kind.ts';
import type { GrowingRegistry } from '../../schemas/registry.ts';
import type { CustomResourceDefinition } from '../../schemas/types/custom-resource-definition.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { WebhookClient } from '../webhooks/webhook-client.ts';
import { ruleErrors } from './rules/evaluate-rules.ts';
import { noConversion, storedForm, type Conversion } from './stored-form.ts';
import { webhookConversion } from './webhook-conversion.ts';

/** Where definitions stand in the cache. */
export const definitionsCollection = 'apiextensions.k8s.io/customresourcedefinitions/';

export interface DefinitionsOptions {
  readonly cache: WatchCache;
  readonly registry: GrowingRegistry;
  readonly log: Log;
  /** Asks the webhooks that convert objects. */
  readonly webhooks: WebhookClient;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const collectionOf = ({ spec }: CustomResourceDefinition): string => `${spec.group}/${spec.names.plural}/`;

const conversionOf = (definition: CustomResourceDefinition, { webhooks, random, log }: DefinitionsOptions): Conversion => {
  const { strategy, webhook } = definition.spec.conversion ?? {};
  if (strategy !== 'Webhook' || webhook?.clientConfig === undefined) return noConversion;
  return webhookConversion({ client: webhooks, config: webhook.clientConfig, definition: definition.metadata.name ?? '', random, log });
};

/** The kinds of a definition as this server serves them. */
const servedKinds = (definition: CustomResourceDefinition, options: DefinitionsOptions): readonly AnyKind[] => {
  const { spec } = definition;
  const stored = spec.versions.find(({ storage }) => storage);
  const form = { apiVersion: apiVersionOf({ group: spec.group, version: stored?.name ?? '' }), conversion: conversionOf(definition, options) };
  return customKinds(definition).map((kind) => ({ ...kind, stored: storedForm(kind, form), rules: (object: ApiObject, old: ApiObject | undefined) => ruleErrors(kind.schema, object, old) }));
};

/** Keeps the kinds of all definitions in the registry, from now on. */
export const followDefinitions = (options: DefinitionsOptions): void => {
  const { cache, registry, log } = options;
  const take = (before: CustomResourceDefinition | undefined, after: CustomResourceDefinition | undefined): void => {
    const owner = (after ?? before)?.metadata.name ?? '';
    if (before !== undefined && after !== undefined && makesSameKinds(before, after)) return;
    let kinds: readonly AnyKind[] = [];
    try {
      if (after !== undefined) kinds = servedKinds(after, options);
    } catch (error) {
      log.error('the kinds of a definition cannot be served', { definition: owner, error });
    }
    registry.replace(owner, kinds);
    // Who watches has the columns and fields of before; clients begin again from where they are.
    if (before !== undefined && (after === undefined || !deepEqual(before.spec, after.spec))) cache.endWatches(collectionOf(before));
  };
  cache.follow(definitionsCollection, (before: ApiObject | undefined, after: ApiObject | undefined) =>
    take(before as CustomResourceDefinition | undefined, after as CustomResourceDefinition | undefined));
};

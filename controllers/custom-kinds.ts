import type { Informer } from '../client/informer.ts';
import type { Informers } from '../client/informers.ts';
import { customKinds, makesSameKinds } from '../schemas/custom/custom-kinds.ts';
import type { Kind } from '../schemas/kind.ts';
import { CustomResourceDefinition } from '../schemas/kinds/apiextensions/custom-resource-definition.ts';
import type { GrowingRegistry } from '../schemas/registry.ts';
import type { CustomResourceDefinition as Definition } from '../schemas/types/custom-resource-definition.ts';

/** Keeps the kinds of the cluster's definitions in the registry; gives back the informer of the definitions. */
export const followDefinitions = (informers: Informers, registry: GrowingRegistry): Informer<Definition> => {
  const informer = informers.informer(CustomResourceDefinition as Kind<Definition>);
  const put = (definition: Definition): void => registry.replace(definition.metadata.name ?? '', customKinds(definition));
  informer.on({
    added: put,
    updated: (definition, old) => {
      if (!makesSameKinds(old, definition)) put(definition);
    },
    deleted: (definition) => registry.replace(definition.metadata.name ?? '', []),
  });
  return informer;
};

/** Finding the objects that a command line means: by type and name, by selector, or by the manifests of -f. */
import type { ApiObject } from '../schemas/kind.ts';
import type { ResourcePath } from '../schemas/api.ts';
import { CommandError, type World } from './command.ts';
import type { Resource } from './discovery.ts';
import { flag } from './flags.ts';
import { parseTargets } from './resource-args.ts';
import type { Session } from './session.ts';

export const selectorFlags = {
  selector: flag.text('Only objects whose labels match: a=b,c!=d,e in (f,g),h,!i.', { short: 'l', value: 'SELECTOR' }),
  'field-selector': flag.text('Only objects whose fields match, such as status.phase=Running.', { value: 'SELECTOR' }),
  'all-namespaces': flag.on('Objects of all namespaces.', { short: 'A' }),
};

export const fileFlags = {
  filename: flag.list('File, folder or URL with manifests; - reads standard input.', { short: 'f', value: 'FILE' }),
  recursive: flag.on('Read folders below the given one too.', { short: 'R' }),
};

/** One object that a command works on. */
export interface Selected {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  /** As it was read, where it had to be. */
  readonly object?: ApiObject | undefined;
}

/** The place of an object or, without a name, of its collection. */
export const at = (resource: Resource, namespace: string | undefined, name?: string): ResourcePath => ({
  group: resource.group, version: resource.version, resource: resource.plural, namespace: resource.namespaced ? namespace : undefined, name,
});

export const placeOf = (selected: Selected): ResourcePath & { readonly name: string } => ({ ...at(selected.resource, selected.namespace), name: selected.name });

export interface SelectOptions {
  readonly args: readonly string[];
  readonly filenames?: readonly string[] | undefined;
  readonly recursive?: boolean | undefined;
  readonly selector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
  /** --all: a type alone means all its objects. */
  readonly all?: boolean | undefined;
}

/**
 * The objects that the arguments, selectors and files mean. Names are not looked up: a command finds out itself whether
 * they exist. Throws CommandError when nothing is meant.
 */
export const select = async (session: Session, world: World, options: SelectOptions): Promise<readonly Selected[]> => {
  const { args, filenames = [] } = options;
  const discovery = await session.discovery();
  if (filenames.length > 0) {
    if (args.length > 0) throw new CommandError('when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well');
    const { readManifests } = await import('./manifest.ts');
    const { resourceOfManifest } = await import('./manifest-resource.ts');
    const manifests = await readManifests({ filenames, recursive: options.recursive ?? false, world });
    return manifests.map((manifest) => {
      const found = resourceOfManifest(manifest, discovery, session);
      return { resource: found.resource, namespace: found.namespace, name: found.object.metadata.name ?? '', object: undefined };
    });
  }
  if (args.length === 0) throw new CommandError('you must provide one or more resources by argument or filename');
  const targets = parseTargets(args, discovery);
  const selects = options.selector !== undefined || options.fieldSelector !== undefined || options.all === true;
  const found = await Promise.all(targets.map(async ({ resource, name }): Promise<readonly Selected[]> => {
    const namespace = resource.namespaced ? session.namespace : undefined;
    if (name !== undefined) {
      if (selects) throw new CommandError('name cannot be provided when a selector is specified');
      if (options.allNamespaces === true && resource.namespaced) throw new CommandError('a resource cannot be retrieved by name across all namespaces');
      return [{ resource, namespace, name }];
    }
    if (!selects) throw new CommandError('resource(s) were provided, but no name was specified');
    const list = await session.api.list(at(resource, options.allNamespaces === true ? undefined : namespace), {
      labelSelector: options.selector, fieldSelector: options.fieldSelector,
    }, world.signal);
    return list.items.map((object) => ({ resource, namespace: object.metadata.namespace, name: object.metadata.name ?? '', object }));
  }));
  return found.flat();
};

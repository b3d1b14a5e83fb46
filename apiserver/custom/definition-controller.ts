/**
 * Follows the CustomResourceDefinitions in the store: says which names they have and that they are served, and deletes
 * their objects when they go. It looks at the state and takes the next step, so that a restart, or a second server that
 * does the same, changes nothing.
 */
import { sleep } from '../../base/clock.ts';
import type { Transport } from '../../schemas/api.ts';
import { isConditionTrue } from '../../schemas/conditions.ts';
import { customKind } from '../../schemas/custom/custom-kinds.ts';
import { cleanupFinalizer } from '../../schemas/custom/definition-status.ts';
import { isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { CustomResourceDefinition } from '../../schemas/types/custom-resource-definition.ts';
import { apiServerUser } from '../api-server-user.ts';
import { prefixOf } from '../keys.ts';
import type { Surroundings } from '../verbs/call.ts';
import { deleteOne } from '../verbs/delete.ts';
import { definitionsCollection } from './definitions.ts';
import { statusFor } from './definition-plan.ts';

/** Another look at a definition whose objects wait for somebody else, and at one that could not be written. */
const againMs = 1_000;
/** Deletions at a time; enough to share the store's group commits. */
const parallel = 64;

const resource = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };

export class DefinitionController {
  readonly #api: Surroundings;
  readonly #transport: Transport;
  /** Names of definitions to look at. */
  readonly #dirty = new Set<string>();
  #wake: () => void = () => undefined;

  constructor(api: Surroundings, transport: Transport) {
    this.#api = api;
    this.#transport = transport;
    api.cache.follow(definitionsCollection, (before, after) => this.#changed(before as CustomResourceDefinition | undefined, after as CustomResourceDefinition | undefined));
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const [name] = this.#dirty;
      if (name === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#dirty.delete(name);
      try {
        await this.#look(name, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isReason(error, 'Conflict', 'NotFound')) this.#api.log.warn('a definition could not be brought up to date', { definition: name, error });
        this.#later(name, signal);
      }
    }
  }

  #add(name: string): void {
    this.#dirty.add(name);
    this.#wake();
  }

  #later(name: string, signal: AbortSignal): void {
    void sleep(this.#api.clock, againMs, signal).then(() => this.#add(name), () => undefined);
  }

  /** Names that a definition gives up are free for those that wait for them. */
  #changed(before: CustomResourceDefinition | undefined, after: CustomResourceDefinition | undefined): void {
    if (after !== undefined) this.#add(after.metadata.name ?? '');
    if (before === undefined || (after !== undefined && deepEqual(before.status?.acceptedNames, after.status?.acceptedNames))) return;
    for (const other of this.#definitions()) {
      if (other.spec.group === before.spec.group && !isConditionTrue(other.status?.conditions, 'NamesAccepted')) this.#add(other.metadata.name ?? '');
    }
  }

  #definitions(): readonly CustomResourceDefinition[] {
    return this.#api.cache.list(definitionsCollection) as readonly CustomResourceDefinition[];
  }

  async #look(name: string, signal: AbortSignal): Promise<void> {
    const definition = this.#api.cache.get(`${definitionsCollection}/${name}`) as CustomResourceDefinition | undefined;
    if (definition === undefined) return;
    const builtin = this.#api.registry.all().filter((kind) => kind.custom === undefined);
    const status = statusFor(definition, { definitions: this.#definitions(), builtin }, this.#api.clock.now());
    if (!deepEqual(status, definition.status)) {
      await this.#transport.send({ ...resource, verb: 'update', name, subresource: 'status', body: { ...definition, status } });
      return; // its change brings it back here
    }
    if (definition.metadata.deletionTimestamp === undefined || definition.metadata.finalizers?.includes(cleanupFinalizer) !== true) return;
    if (await this.#deleteObjects(definition)) await this.#finish(definition);
    else this.#later(name, signal);
  }

  /** Deletes what there is of a definition that goes; true when nothing is left. */
  async #deleteObjects(definition: CustomResourceDefinition): Promise<boolean> {
    const version = definition.spec.versions.find(({ storage }) => storage);
    if (version === undefined) return true;
    const kind = customKind(definition, version);
    const { cache } = this.#api;
    const objects = cache.list(prefixOf(kind, ''));
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < objects.length) {
        const { metadata } = objects[next++] as ApiObject;
        if (metadata.deletionTimestamp !== undefined) continue;
        const { name = '', namespace = '' } = metadata;
        const request = { verb: 'delete', group: kind.group, version: kind.version, resource: kind.plural, namespace, name } as const;
        const call = { kind, user: apiServerUser, namespace, name, request, options: {}, warnings: new Set<string>(), signal: undefined };
        await deleteOne(this.#api, call, {}).catch((error: unknown) => {
          if (!isReason(error, 'NotFound')) throw error;
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, objects.length) }, work));
    return cache.list(prefixOf(kind, '')).length === 0;
  }

  async #finish({ metadata }: CustomResourceDefinition): Promise<void> {
    const finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
    await this.#transport.send({ ...resource, verb: 'patch', patchType: 'merge', name: metadata.name, body: { metadata: { finalizers, resourceVersion: metadata.resourceVersion } } });
  }
}

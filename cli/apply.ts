/** One object's way through apply. */
import { isReason } from '../schemas/errors.ts';
import type { ApiObject } from '../schemas/kind.ts';
import type { RequestOptions } from '../schemas/api.ts';
import { lastApplied, lastAppliedAnnotation, withLastApplied } from './last-applied.ts';
import type { PlacedManifest } from './manifest-resource.ts';
import type { OpenApiReader } from './openapi.ts';
import { at } from './selection.ts';
import type { Session } from './session.ts';
import { threeWayPatch } from './three-way.ts';
import { CommandError } from './command.ts';

export type ApplyOutcome = 'created' | 'configured' | 'unchanged' | 'serverside-applied';

export interface Applied {
  readonly outcome: ApplyOutcome;
  readonly object: ApiObject;
}

export interface ApplyContext {
  readonly session: Session;
  readonly openApi: OpenApiReader;
  readonly options: RequestOptions;
  /** --dry-run=client: nothing is sent but reads. */
  readonly readOnly: boolean;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A write that loses against another one is tried again this often. */
const attempts = 5;

/** Brings one object to what its manifest says. Rejects with ApiError. */
export const applyObject = async (manifest: PlacedManifest, context: ApplyContext): Promise<Applied> => {
  const { session, signal, options } = context;
  const { resource, namespace } = manifest;
  const { name } = manifest.object.metadata;
  if (name === undefined || name === '') {
    throw new CommandError(`${manifest.source}: ${manifest.object.metadata.generateName === undefined ? 'metadata.name: must be set' : `from ${manifest.object.metadata.generateName}: cannot use generate name with apply`}`);
  }
  const place = { ...at(resource, namespace), name };
  const wanted = withLastApplied(manifest.object);
  for (let attempt = 1; ; attempt++) {
    const current = await session.api.find(place, signal);
    if (current === undefined) {
      if (context.readOnly) return { outcome: 'created', object: manifest.object };
      const object = await session.api.send({ ...at(resource, namespace), verb: 'create', body: wanted, options }, signal);
      return { outcome: 'created', object: object as ApiObject };
    }
    if (current.metadata.annotations?.[lastAppliedAnnotation] === undefined) {
      context.warn(`resource ${resource.plural}/${name} is missing the ${lastAppliedAnnotation} annotation which is required by apply. apply should only be used on resources created declaratively by either create --save-config or apply. The missing annotation will be patched automatically.`);
    }
    const openApi = await context.openApi.of(resource);
    const root = openApi?.takesStrategicPatch(resource) === true ? openApi.ofKind(resource) : undefined;
    const patch = threeWayPatch({
      original: lastApplied(current), modified: wanted as unknown as Readonly<Record<string, unknown>>, current: current as unknown as Readonly<Record<string, unknown>>,
      schema: root === undefined || openApi === undefined ? undefined : { root, openApi },
    });
    if (patch === undefined) return { outcome: 'unchanged', object: current };
    if (context.readOnly) return { outcome: 'configured', object: wanted };
    try {
      const object = await session.api.send({ ...place, verb: 'patch', patchType: root === undefined ? 'merge' : 'strategic', body: patch, options }, signal);
      return { outcome: 'configured', object: object as ApiObject };
    } catch (error) {
      if (!isReason(error, 'Conflict') || attempt === attempts) throw error;
    }
  }
};

/** The server merges by itself and tracks who owns which field. */
export const applyOnServer = async (manifest: PlacedManifest, force: boolean, context: ApplyContext): Promise<Applied> => {
  const name = manifest.object.metadata.name;
  if (name === undefined) throw new CommandError(`${manifest.source}: metadata.name: must be set`);
  const object = await context.session.api.send({
    ...at(manifest.resource, manifest.namespace), name, verb: 'patch', patchType: 'apply', body: manifest.object, options: { ...context.options, force },
  }, context.signal);
  return { outcome: 'serverside-applied', object: object as ApiObject };
};

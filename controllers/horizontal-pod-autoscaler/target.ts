import type { ReconcileContext } from '../../client/controller.ts';
import { isReason, qualified } from '../../schemas/errors.ts';
import { storageKindOf, type AnyKind } from '../../schemas/kind.ts';
import type { HorizontalPodAutoscaler } from '../../schemas/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { Scale } from '../../schemas/types/bodies.ts';

/** A target and how many pods it is asked for. */
export interface Target {
  readonly kind: AnyKind;
  readonly scale: Scale;
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

/** The kind that an autoscaler names, in that version where it is served, else in any: versions come and go. */
const kindOf = (registry: Registry, apiVersion: string, kind: string): AnyKind | undefined =>
  registry.kind(apiVersion, kind) ?? registry.all().find((one) => one.group === groupOf(apiVersion) && one.kind === kind);

/** Finds the scale of an autoscaler's target, of whatever kind it is; or says why there is none. */
export const targetOf = async ({ metadata: { namespace }, spec: { scaleTargetRef } }: HorizontalPodAutoscaler, registry: Registry, context: ReconcileContext): Promise<Target | string> => {
  const { apiVersion = 'v1', kind: name } = scaleTargetRef;
  const kind = kindOf(registry, apiVersion, name);
  if (kind === undefined) return `no matches for kind "${name}" in group "${groupOf(apiVersion)}"`;
  if (kind.subresources.scale === undefined || kind.scope !== 'Namespaced' || storageKindOf(kind) !== kind) return `${qualified(kind.plural, kind.group)} does not implement the scale subresource`;
  const { group, version, plural } = kind;
  try {
    const { body } = await context.transport.send({ verb: 'get', group, version, resource: plural, subresource: 'scale', namespace, name: scaleTargetRef.name });
    return { kind, scale: body as Scale };
  } catch (error) {
    if (context.signal.aborted || isReason(error, 'Conflict')) throw error;
    return error instanceof Error ? error.message : String(error);
  }
};

/** Gives a target its size, if it is still as it was seen; throws what the server says else. */
export const resize = async ({ kind: { group, version, plural }, scale }: Target, replicas: number, context: ReconcileContext): Promise<void> => {
  const { namespace, name } = scale.metadata;
  await context.transport.send({
    verb: 'update', group, version, resource: plural, subresource: 'scale', namespace, name, body: { ...scale, spec: { ...scale.spec, replicas } },
  });
};

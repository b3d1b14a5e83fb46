import { rfc3339 } from '../../base/clock.ts';
import type { ApiAnswer } from '../../schemas/api.ts';
import { badRequest, notFound } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { apiVersionOf, type ApiObject, type ScaleSubresource } from '../../schemas/kind.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { Scale } from '../../schemas/types/bodies.ts';
import type { LabelSelector } from '../../schemas/types/label-selector.ts';
import { check } from '../../schemas/validate.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import { readPatch, type PlainPatch } from '../patch/patch.ts';
import { assertValid, readBodyAs, type ObjectDraft } from '../verbs/body.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import { shown } from '../verbs/get.ts';
import { applyConfiguration, assertManager } from '../verbs/apply.ts';
import { patchTypeOf } from '../verbs/patch.ts';
import { assertAddressed, assertCurrent, notAllowed, settled, wholeObject, type Part } from '../verbs/update.ts';
import { writeObject } from '../verbs/write-object.ts';
import type { Handler } from './subresources.ts';

type Members = Record<string, unknown>;

const valueAt = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, step) => (typeof value === 'object' && value !== null ? (value as Members)[step] : undefined), object);

const setAt = (draft: Members, path: string, value: unknown): void => {
  const steps = path.split('.');
  const last = steps.pop()!;
  let at = draft;
  for (const step of steps) at = (at[step] ??= {}) as Members;
  at[last] = value;
};

/** Some kinds have plain labels in place of a LabelSelector, the members of which are no strings. */
const isLabels = (selector: object): boolean => Object.values(selector).every((value) => typeof value === 'string');

const selectorText = (selector: unknown): string => {
  if (typeof selector === 'string') return selector;
  const object = (selector ?? {}) as LabelSelector;
  return String(labelMatcher(isLabels(object) ? { matchLabels: object as Readonly<Record<string, string>> } : object));
};

const viewOf = (object: ApiObject, paths: ScaleSubresource): ApiObject => {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { name, namespace, uid, resourceVersion, creationTimestamp: creationTimestamp ?? rfc3339(0) },
    spec: { replicas: valueAt(object, paths.specReplicasPath) ?? 0 },
    status: { replicas: valueAt(object, paths.statusReplicasPath) ?? 0, selector: selectorText(valueAt(object, paths.selectorPath)) },
  } as ApiObject;
};

/** The object, of which webhooks and policies see the Scale. */
const scaledObject = (paths: ScaleSubresource): Part => ({
  ...wholeObject,
  face: {
    kind: { group: Scale.group, version: Scale.version, kind: Scale.kind },
    of: (object) => viewOf(object, paths),
    into: (face, object) => {
      const scale = readBodyAs(Scale, { options: {}, warnings: new Set() }, face);
      const next = draftOf(object);
      setAt(next, paths.specReplicasPath, valueAt(scale, 'spec.replicas') ?? 0);
      return next;
    },
  },
});

/** Reads and writes the number of replicas of an object as a Scale. */
export const scale = (paths: ScaleSubresource): Handler => async (api, call) => {
  const { verb } = call.request;
  if (verb === 'get') return { code: 200, body: viewOf(await shown(api, call), paths), warnings: [] };
  if (verb !== 'update' && verb !== 'patch') throw notAllowed(call);
  if (verb === 'patch' && patchTypeOf(call) === 'apply') return applied(api, call, paths);
  const bodyFor = scaleBody(call, paths);
  const written = await writeObject(api, call, (current, attempt) => {
    if (current === undefined) throw notFound(call.kind, call.name);
    const wish = readBodyAs(Scale, call, bodyFor(current));
    assertAddressed(call, wish);
    assertCurrent(call, wish, current);
    assertValid(Scale, call.name, check(Scale, wish));
    const object = draftOf(current) as ObjectDraft;
    setAt(object, paths.specReplicasPath, valueAt(wish, 'spec.replicas') ?? 0);
    return settled(api, call, { part: scaledObject(paths), object, current, attempt });
  }, { dryRun: call.options.dryRun });
  return { code: 200, body: viewOf(written.object, paths), warnings: [...call.warnings] };
};

const scaleBody = (call: Call, paths: ScaleSubresource): ((current: ApiObject) => unknown) => {
  const { body, verb } = call.request;
  if (verb === 'update') return () => body;
  const patch = readPatch(patchTypeOf(call) as PlainPatch, body, Scale.schema);
  return (current) => patch.apply(viewOf(current, paths) as unknown as JsonObject);
};

/** A Scale that is applied is an apply of the number of replicas, in the object's own fields. */
const applied = async (api: Surroundings, call: Call, paths: ScaleSubresource): Promise<ApiAnswer> => {
  assertManager(call);
  const { body } = call.request;
  for (const member of ['apiVersion', 'kind']) if (!isObject(body) || (body[member] ?? '') === '') throw badRequest(`the configuration to apply must say its ${member}`);
  const wish = readBodyAs(Scale, call, body);
  assertAddressed(call, wish);
  assertValid(Scale, call.name, check(Scale, wish));
  const { name, namespace, uid, resourceVersion } = wish.metadata;
  const object: ObjectDraft = { kind: call.kind.kind, apiVersion: apiVersionOf(call.kind), metadata: { name, namespace, uid, resourceVersion } };
  const replicas = valueAt(wish, 'spec.replicas');
  if (replicas !== undefined) setAt(object, paths.specReplicasPath, replicas);
  const answer = await applyConfiguration(api, call, scaledObject(paths), { object, said: object });
  return { ...answer, body: viewOf(answer.body as ApiObject, paths) };
};

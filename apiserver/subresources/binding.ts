import { rfc3339 } from '../../base/clock.ts';
import { badRequest, conflict, invalid, notFound, required, unsupported } from '../../schemas/errors.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Binding } from '../../schemas/types/bodies.ts';
import { keyOf } from '../keys.ts';
import { readBodyAs } from '../verbs/body.ts';
import { reviewedBody } from '../verbs/reviewed.ts';
import type { Handler } from './subresources.ts';
import { success } from './success.ts';

/** The same for a Binding that was sent as a resource of its own, which names its pod. */
export const bindingByName: Handler = (api, call) => {
  const { name = '', namespace = '' } = readBodyAs(Binding, { ...call, warnings: new Set() }, call.request.body).metadata;
  if (name === '') throw invalid(Binding, name, [required('metadata.name', 'name or generateName is required')]);
  if (namespace !== '' && namespace !== call.namespace) throw badRequest(`the namespace of the provided object does not match the namespace sent on the request: ${JSON.stringify(namespace)} is not ${JSON.stringify(call.namespace)}`);
  return binding(api, { ...call, kind: Pod, name });
};

/** Puts a pod on a node, once. A pod that has a node, is held by a gate or is being deleted is refused with Conflict. */
export const binding: Handler = async (api, call) => {
  const { kind, namespace, name, request } = call;
  const body = await reviewedBody(api, call, Binding, readBodyAs(Binding, call, request.body));
  if ((body.metadata.name ?? '') !== '' && body.metadata.name !== name) throw badRequest(`the name of the object (${body.metadata.name}) does not match the name on the URL (${name})`);
  const { name: node = '', kind: target = '' } = (body.target as Partial<Binding['target']> | undefined) ?? {};
  const errors = [
    ...(node === '' ? [required('target.name')] : []),
    ...(target === '' || target === 'Node' ? [] : [unsupported('target.kind', target, ['Node'])]),
  ];
  if (errors.length > 0) throw invalid(Binding, name, errors);

  await api.writer.write(keyOf(kind, namespace, name), (current) => {
    if (current === undefined) throw notFound(kind, name);
    const pod = current as Pod;
    const why = whyNotBindable(pod, body.metadata.uid);
    if (why !== undefined) throw conflict(kind, name, why);
    return { action: 'put', object: bound(pod, { node, annotations: body.metadata.annotations, nowMs: api.clock.now() }) };
  }, { dryRun: call.options.dryRun });
  return success(201);
};

const whyNotBindable = ({ metadata, spec }: Pod, uid: string | undefined): string | undefined => {
  if (uid !== undefined && uid !== '' && uid !== metadata.uid) return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
  if (metadata.deletionTimestamp !== undefined) return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if ((spec.nodeName ?? '') !== '') return `pod ${metadata.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`;
  return (spec.schedulingGates ?? []).length > 0 ? `pod ${metadata.name} has non-empty .spec.schedulingGates` : undefined;
};

const bound = (pod: Pod, { node, annotations, nowMs }: { readonly node: string; readonly annotations: Pod['metadata']['annotations']; readonly nowMs: number }): Pod => {
  const { metadata, spec, status } = pod;
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: rfc3339(nowMs) };
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  return {
    ...pod,
    metadata: {
      ...metadata, generation: (metadata.generation ?? 0) + 1,
      ...(annotations === undefined ? {} : { annotations: { ...metadata.annotations, ...annotations } }),
    },
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  };
};

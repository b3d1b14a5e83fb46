import { ApiError, qualified } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { UserInfo } from '../../schemas/api.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { demotionAnnotation, promotionAnnotation } from '../../schemas/cluster-info.ts';
import { apiReferences, configMirror, isMirror } from '../../schemas/static-pods.ts';
import { localPathFinalizer } from '../../schemas/volumes/volume-words.ts';
import { nodeLeaseNamespace, nodeOfUser } from '../authorization/node-authorizer.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';

/** Labels by which admins set nodes apart; no node may give them to itself. */
const reservedLabel = /(^|\.)node-restriction\.kubernetes\.io\//;

const labelsUnder = ({ metadata: { labels = {} } }: ApiObject, rule: RegExp): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => rule.test(key)));

/**
 * What an agent may not say although it may write the object: it makes no node but its own and no lease but its own, it
 * neither takes taints off itself nor puts on labels and the mark of a server that are the admin's to give, of a volume it says only that the
 * folder is gone, and the only pods that it makes are the pictures of its static pods.
 */
export const nodeRestriction = (cache: Pick<WatchCache, 'get'>): AdmissionPlugin => ({
  name: 'NodeRestriction',
  admit: (object, context) => {
    const node = nodeOfUser(context.user);
    if (node === undefined) return;
    const { kind, name, namespace, old } = context;
    if (kind.group === 'coordination.k8s.io' && kind.plural === 'leases') {
      if (name !== node || namespace !== nodeLeaseNamespace) throw refusal(context, `node ${JSON.stringify(node)} can only access node lease with the same name as the requesting node`);
      return;
    }
    if (kind.group === '' && kind.plural === 'persistentvolumes') {
      if (old === undefined || !onlyLetsGo(object, old)) throw refusal(context, `node ${JSON.stringify(node)} can only remove the finalizer ${localPathFinalizer} of a volume that is being deleted`);
      return;
    }
    if (kind.group === '' && kind.plural === 'pods' && context.subresource === '' && old === undefined) {
      const why = whyNoMirror(object as Pod, node, cache.get(`/nodes//${node}`));
      if (why !== undefined) throw refusal(context, why);
      return;
    }
    if (kind.group === '' && kind.plural === 'pods' && context.subresource === 'status') {
      if (!deepEqual(object.metadata.labels ?? {}, old?.metadata.labels ?? {})) throw refusal(context, `node ${JSON.stringify(node)} cannot update labels through pod status`);
      return;
    }
    if (kind.group !== '' || kind.plural !== 'nodes') return;
    if (name !== node) throw refusal(context, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`);
    const reserved = labelsUnder(object, reservedLabel);
    if (old === undefined ? Object.keys(reserved).length > 0 : !deepEqual(reserved, labelsUnder(old, reservedLabel))) {
      throw refusal(context, `is not allowed to modify labels: ${Object.keys({ ...reserved, ...(old === undefined ? {} : labelsUnder(old, reservedLabel)) }).join(', ')}`);
    }
    // Whoever has the one gets the keys of the cluster, and the other takes a server away.
    for (const mark of [promotionAnnotation, demotionAnnotation]) {
      if (object.metadata.annotations?.[mark] !== old?.metadata.annotations?.[mark]) throw refusal(context, `is not allowed to modify the annotation ${mark}`);
    }
    if (old !== undefined && !deepEqual((object as Node).spec?.taints ?? [], (old as Node).spec?.taints ?? [])) throw refusal(context, `node ${JSON.stringify(node)} is not allowed to modify taints`);
  },
});

/** A pod that a node makes is the picture of one that runs there by itself: it belongs to the node, and leads to no object that the node could not read otherwise. */
const whyNoMirror = (pod: Pod, node: string, itself: ApiObject | undefined): string | undefined => {
  if (!isMirror(pod)) return `pod does not have ${JSON.stringify(configMirror)} annotation, node ${JSON.stringify(node)} can only create mirror pods`;
  if (pod.spec.nodeName !== node) return `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`;
  const [owner, ...more] = pod.metadata.ownerReferences ?? [];
  if (owner === undefined || more.length > 0 || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) return `node ${JSON.stringify(node)} can only create pods with a single owner reference set to itself`;
  if (owner.controller !== true) return `node ${JSON.stringify(node)} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion === true) return `node ${JSON.stringify(node)} must not set blockOwnerDeletion on an owner reference`;
  if (owner.uid !== itself?.metadata.uid) return `node ${node} UID mismatch: expected ${itself?.metadata.uid ?? 'none, for there is no such node'}, got ${owner.uid}`;
  const [reference] = apiReferences(pod.spec);
  return reference === undefined ? undefined : `node ${JSON.stringify(node)} can not create pods that reference ${reference.what} (${reference.field})`;
};

/** Whether all that changes is that a volume on its way out loses the agents' finalizer. */
const onlyLetsGo = (object: ApiObject, old: ApiObject): boolean => {
  const rest = ({ metadata: { finalizers: _finalizers, managedFields: _managed, resourceVersion: _revision, ...metadata }, ...body }: ApiObject): object => ({ ...body, metadata });
  return old.metadata.deletionTimestamp !== undefined && deepEqual(rest(object), rest(old))
    && deepEqual(object.metadata.finalizers ?? [], (old.metadata.finalizers ?? []).filter((name) => name !== localPathFinalizer));
};

const refusal = ({ kind, name }: AdmissionContext, why: string): ApiError =>
  new ApiError('Forbidden', `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} is forbidden: ${why}`, { name, group: kind.group || undefined, kind: kind.plural });

/** An agent gets tokens only for pods on its node, each bound to the pod it is for. Anybody else is not looked at. */
export const requireOwnPod = (user: UserInfo, { account, pod, uid }: { readonly account: string; readonly pod: Pod | undefined; readonly uid: string | undefined }): void => {
  const node = nodeOfUser(user);
  if (node === undefined) return;
  const why = pod === undefined ? 'node requested token not bound to a pod'
    : (uid ?? '') === '' ? 'node requested token with a pod binding without a uid'
      : pod.spec.nodeName === node ? undefined : 'node requested token bound to a pod scheduled on a different node';
  if (why !== undefined) throw new ApiError('Forbidden', `serviceaccounts ${JSON.stringify(account)} is forbidden: ${why}`, { name: account, kind: 'serviceaccounts' });
};

import type { ApiRequest, Transport } from '../schemas/api.ts';
import { isReason } from '../schemas/errors.ts';
import type { Namespace } from '../schemas/kinds/core/namespace.ts';
import { defaultClassAnnotations, localPathClass, localPathProvisioner } from '../schemas/volumes/volume-words.ts';

/** On the namespace kube-system: the class was made once, and what became of it is its users' business. */
const madeAnnotation = 'barge.dev/storage-class';

const system = { group: '', version: 'v1', resource: 'namespaces', name: 'kube-system' } as const;

const localPath = {
  metadata: { name: localPathClass, annotations: { [defaultClassAnnotations[0]]: 'true' } },
  provisioner: localPathProvisioner, reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true,
};

/**
 * Gives a cluster the class `local-path`, once in its life: whoever changes the class or deletes it finds it so after the
 * next start too. It comes back when the annotation `barge.dev/storage-class` is taken from the namespace kube-system.
 */
export const ensureDefaultStorageClass = async (api: Transport): Promise<void> => {
  const { body } = await api.send({ ...system, verb: 'get' });
  if ((body as Namespace).metadata.annotations?.[madeAnnotation] !== undefined) return;
  const at: Pick<ApiRequest, 'group' | 'version' | 'resource'> = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
  await api.send({ ...at, verb: 'create', body: localPath }).catch((error: unknown) => {
    if (!isReason(error, 'AlreadyExists')) throw error;
  });
  await api.send({ ...system, verb: 'patch', patchType: 'merge', body: { metadata: { annotations: { [madeAnnotation]: localPathClass } } } });
};

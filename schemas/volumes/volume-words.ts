/** Annotations, finalizers and names by which claims and volumes find each other; Kubernetes' own where it has one. */

/** On a claim: it was bound once, and must not be bound to another volume. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
/** On a claim or volume: the controller chose the other side, and may take the choice back. */
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
/** On a volume: who made it, and will delete it. */
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
/** On a claim: the node for which the scheduler wants a volume. */
export const selectedNode = 'volume.kubernetes.io/selected-node';
/** On a claim: who is to make its volume. The second is the old name, which older provisioners look for. */
export const storageProvisioner = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner'] as const;
/** On a claim or volume: the class, as it was written before there was a field for it. */
export const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
/** On a class: claims that name none get this one. The second is the old name. */
export const defaultClassAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'] as const;

/** A claim with it stays as long as a pod uses it, a volume as long as a claim is bound to it. */
export const claimProtection = 'kubernetes.io/pvc-protection';
export const volumeProtection = 'kubernetes.io/pv-protection';

/** A class with this provisioner has volumes that people make. */
export const noProvisioner = 'kubernetes.io/no-provisioner';

/** barge's own provisioner, which makes volumes as folders of the node that a pod lands on; also its class is called so. */
export const localPathProvisioner = 'barge.dev/local-path';
export const localPathClass = 'local-path';
/** On a volume: its folder is on a node's disk, and that node's agent takes it away. */
export const localPathFinalizer = 'barge.dev/local-path';
/** On a volume: the node on which its folder is. */
export const localPathNode = 'barge.dev/node';
/** On a node: the folder in which its agent keeps such volumes. */
export const localPathDir = 'barge.dev/local-path-dir';
/** The label of nodes by which such a volume says where it is. */
export const hostnameLabel = 'kubernetes.io/hostname';

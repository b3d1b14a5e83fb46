import { list, mapOf, object, quantity, string, type Static } from '../schema.ts';

export const ResourceClaim = object('core.v1.ResourceClaim', 'Names a resource claim of the pod.', {
  name: string("Name of the claim in the pod's spec."),
  request: string('Name of one request of the claim; all where absent.'),
}, ['name']);
export type ResourceClaim = Static<typeof ResourceClaim>;

export const ResourceRequirements = object('core.v1.ResourceRequirements', 'Resources that are asked for and that may be used.', {
  claims: list(ResourceClaim, 'Resource claims of the pod that the container uses.', { mapKeys: ['name'] }),
  limits: mapOf(quantity('Amount.'), 'Most that may be used of each resource.'),
  requests: mapOf(quantity('Amount.'), 'What is set aside of each resource; the limit where absent.'),
});
export type ResourceRequirements = Static<typeof ResourceRequirements>;

export const VolumeResourceRequirements = object('core.v1.VolumeResourceRequirements', 'Sizes that are asked for.', {
  limits: mapOf(quantity('Amount.'), 'Most that may be used.'),
  requests: mapOf(quantity('Amount.'), 'Least that is wanted.'),
});
export type VolumeResourceRequirements = Static<typeof VolumeResourceRequirements>;

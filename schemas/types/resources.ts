import { list, mapOf, object, quantity, string, type Static } from '../schema.ts';

export const ResourceClaim = object('core.v1.ResourceClaim', '', {
  name: string(''),
  request: string(''),
}, ['name']);
export type ResourceClaim = Static<typeof ResourceClaim>;

export const ResourceRequirements = object('core.v1.ResourceRequirements', '', {
  claims: list(ResourceClaim, '', { mapKeys: ['name'] }),
  limits: mapOf(quantity(''), ''),
  requests: mapOf(quantity(''), ''),
});
export type ResourceRequirements = Static<typeof ResourceRequirements>;

export const VolumeResourceRequirements = object('core.v1.VolumeResourceRequirements', '', {
  limits: mapOf(quantity(''), ''),
  requests: mapOf(quantity(''), ''),
});
export type VolumeResourceRequirements = Static<typeof VolumeResourceRequirements>;

import type { ServiceSpec } from '../kinds/core/service.ts';

/** Settings of a service that mean nothing for one of its sort; in the words that kubectl's users know. */
export const warnService = ({ type, clusterIP, externalIPs = [], loadBalancerIP = '', sessionAffinity, externalName = '' }: ServiceSpec): readonly string[] => {
  const external = type === 'ExternalName';
  const headless = clusterIP === 'None';
  const why = external ? 'spec.type is "ExternalName"' : 'spec.clusterIP is "None"';
  return [
    ...(externalIPs.length > 0 && (external || headless) ? [`spec.externalIPs is ignored when ${why}`] : []),
    ...(loadBalancerIP !== '' && headless ? [`spec.loadBalancerIP is ignored when ${why}`] : []),
    ...(sessionAffinity === 'ClientIP' && headless ? [`spec.SessionAffinity is ignored when ${why}`] : []),
    ...(externalName !== '' && !external ? ['spec.externalName is ignored when spec.type is not "ExternalName"'] : []),
  ];
};

import { isIPv6 } from 'node:net';
import type { Draft } from '../frozen.ts';
import type { ServiceSpec } from '../kinds/core/service.ts';

const isExternalName = (spec: { readonly type?: string | undefined } | undefined): boolean => spec?.type === 'ExternalName';

/** The address of the service goes with its family, and stays when an update does not speak of it. */
const prepareAddresses = (spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void => {
  if (isExternalName(spec)) {
    // What the server gave to a service of another type is taken back; what the client says now is for the checks.
    if (old === undefined || isExternalName(old)) return;
    if (spec.clusterIP === old.clusterIP) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
    delete spec.internalTrafficPolicy;
    return;
  }
  const kept = isExternalName(old) ? undefined : old;
  if ((spec.clusterIP ?? '') === '' && kept?.clusterIP !== undefined && (spec.clusterIPs ?? []).length === 0) spec.clusterIP = kept.clusterIP;
  const { clusterIP } = spec;
  if (clusterIP !== undefined && clusterIP !== '') {
    const moved = kept?.clusterIP !== undefined && clusterIP !== kept.clusterIP && spec.clusterIPs?.[0] === kept.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 || moved) spec.clusterIPs = kept?.clusterIPs?.[0] === clusterIP ? [...kept.clusterIPs] : [clusterIP];
  } else if (spec.clusterIPs?.[0] !== undefined) {
    spec.clusterIP = spec.clusterIPs[0];
  }
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = kept?.ipFamilies === undefined ? [isIPv6(spec.clusterIP ?? '') ? 'IPv6' : 'IPv4'] : [...kept.ipFamilies];
  spec.ipFamilyPolicy ??= kept?.ipFamilyPolicy ?? 'SingleStack';
};

/** Settings that only some types have appear with the type and go with it. */
const preparePolicies = (spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void => {
  const balanced = spec.type === 'LoadBalancer';
  const outside = balanced || spec.type === 'NodePort';
  const changed = old !== undefined && old.type !== spec.type;
  if (!isExternalName(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (outside) spec.externalTrafficPolicy ??= 'Cluster';
  else if (changed && spec.externalTrafficPolicy === old.externalTrafficPolicy && (spec.externalIPs ?? []).length === 0) delete spec.externalTrafficPolicy;
  if (balanced) spec.allocateLoadBalancerNodePorts ??= true;
  else if (changed && spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP = { timeoutSeconds: 10_800, ...spec.sessionAffinityConfig.clientIP };
  } else if (old?.sessionAffinity === 'ClientIP') {
    delete spec.sessionAffinityConfig;
  }
};

/** Defaults of a service that depend on other fields. Addresses and node ports themselves are given by admission. */
export const prepareService = (spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void => {
  for (const port of spec.ports ?? []) {
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port;
    if (port.nodePort === 0) delete port.nodePort;
  }
  // A client that turns a service into one without node ports need not take the old ones out by hand.
  if (old !== undefined && old.type !== spec.type && (spec.type === 'ClusterIP' || isExternalName(spec))) {
    const given = new Set((old.ports ?? []).map((port) => port.nodePort));
    for (const port of spec.ports ?? []) if (given.has(port.nodePort)) delete port.nodePort;
  }
  prepareAddresses(spec, old);
  preparePolicies(spec, old);
};

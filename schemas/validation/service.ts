import { duplicate, forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { whyNotCidr, whyNotDnsSubdomain, whyNotIp, whyNotIpv4, whyNotIpv6, whyNotPortName, whyNotPortNumber, whyNotQualifiedName, whyNotDnsLabel } from '../names.ts';
import { validateLabels } from './object-meta.ts';
import type { ServicePort, ServiceSpec } from '../kinds/core/service.ts';

/** Longest affinity of a client, in seconds: a day. */
const longestAffinity = 86_400;

const hasNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';

const takesOutside = (spec: ServiceSpec): boolean => hasNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);

export const isHeadless = (spec: Pick<ServiceSpec, 'clusterIP'>): boolean => spec.clusterIP === 'None';

const validatePort = (port: ServicePort, field: string, several: boolean): readonly FieldError[] => {
  const { name = '', targetPort, nodePort = 0, appProtocol } = port;
  const errors: FieldError[] = [];
  if (name === '') {
    if (several) errors.push(required(`${field}.name`));
  } else {
    errors.push(...refused(`${field}.name`, name, whyNotDnsLabel(name)));
  }
  if (targetPort !== undefined && targetPort !== '' && targetPort !== 0) {
    errors.push(...refused(`${field}.targetPort`, targetPort, typeof targetPort === 'number' ? whyNotPortNumber(targetPort) : whyNotPortName(targetPort)));
  }
  if (nodePort !== 0) errors.push(...refused(`${field}.nodePort`, nodePort, whyNotPortNumber(nodePort)));
  if (appProtocol !== undefined) errors.push(...refused(`${field}.appProtocol`, appProtocol, whyNotQualifiedName(appProtocol)));
  return errors;
};

/** The agents' own port; a load balancer in front of it would open them to everybody. */
const agentPort = 10_250;

const validatePorts = (spec: ServiceSpec): readonly FieldError[] => {
  const { ports = [] } = spec;
  if (ports.length === 0 && spec.type !== 'ExternalName' && !isHeadless(spec)) return [required('spec.ports')];
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `spec.ports[${index}]`;
    const errors: FieldError[] = [...validatePort(port, at, ports.length > 1)];
    const { name = '', nodePort = 0, protocol = 'TCP' } = port;
    if (spec.type === 'LoadBalancer' && port.port === agentPort) errors.push(wrong(at, agentPort, `may not expose port ${agentPort} externally since it is used by kubelet`));
    if (name !== '' && names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (nodePort !== 0) {
      if (!hasNodePorts(spec)) errors.push(forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${spec.type ?? 'ClusterIP'}'`));
      else if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(`${at}.nodePort`, nodePort));
      nodePorts.add(`${protocol}/${nodePort}`);
    }
    return errors;
  });
};

const familyRules: Readonly<Record<string, (ip: string) => string | undefined>> = { IPv4: whyNotIpv4, IPv6: whyNotIpv6 };

const validateClusterIps = (spec: ServiceSpec): readonly FieldError[] => {
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], type } = spec;
  const errors: FieldError[] = [];
  if (type === 'ExternalName') {
    if (clusterIP !== '') errors.push(forbidden('spec.clusterIP', 'may not be set when `type` is \'ExternalName\''));
    if (clusterIPs.length > 0) errors.push(forbidden('spec.clusterIPs', 'may not be set when `type` is \'ExternalName\''));
    return errors;
  }
  if (isHeadless(spec) && type !== 'ClusterIP') errors.push(wrong('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type ?? ''} services`));
  if (clusterIP !== '' && !isHeadless(spec)) errors.push(...refused('spec.clusterIP', clusterIP, whyNotIp(clusterIP)));
  if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) errors.push(wrong('spec.clusterIPs[0]', clusterIPs[0], 'first value must match `clusterIP`'));
  for (const [index, family] of ipFamilies.entries()) {
    const rule = familyRules[family];
    if (rule === undefined) errors.push(unsupported(`spec.ipFamilies[${index}]`, family, Object.keys(familyRules)));
    else if (ipFamilies.indexOf(family) !== index) errors.push(duplicate(`spec.ipFamilies[${index}]`, family));
    const ip = clusterIPs[index];
    if (index > 0 && ip !== undefined && ip !== 'None') errors.push(...refused(`spec.clusterIPs[${index}]`, ip, whyNotIp(ip)));
    if (rule !== undefined && ip !== undefined && ip !== 'None' && whyNotIp(ip) === undefined) errors.push(...refused(`spec.clusterIPs[${index}]`, ip, rule(ip)));
  }
  if (spec.ipFamilyPolicy === 'SingleStack' && ipFamilies.length > 1) errors.push(wrong('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'may not be SingleStack when more than one family is named'));
  return errors;
};

const validateExternal = (spec: ServiceSpec): readonly FieldError[] => {
  const { type, externalName = '', externalIPs = [], externalTrafficPolicy, healthCheckNodePort = 0, loadBalancerSourceRanges: ranges = [] } = spec;
  const errors: FieldError[] = [];
  if (type === 'ExternalName') {
    const name = externalName.replace(/\.$/, '');
    errors.push(...(name === '' ? [required('spec.externalName')] : refused('spec.externalName', externalName, whyNotDnsSubdomain(name))));
  }
  for (const [index, ip] of externalIPs.entries()) {
    const why = whyNotIp(ip) ?? (/^(127\.|0\.0\.0\.0$|169\.254\.|224\.0\.0\.|::1?$|fe80:)/i.test(ip) ? 'may not be a loopback, link-local or unspecified address' : undefined);
    errors.push(...refused(`spec.externalIPs[${index}]`, ip, why));
  }
  if (externalTrafficPolicy === undefined) {
    if (hasNodePorts(spec)) errors.push(required('spec.externalTrafficPolicy', `must be set when \`type\` is '${type ?? ''}'`));
  } else if (!takesOutside(spec)) {
    errors.push(wrong('spec.externalTrafficPolicy', externalTrafficPolicy, 'may only be set for externally-accessible services'));
  }
  if (healthCheckNodePort !== 0 && !(type === 'LoadBalancer' && externalTrafficPolicy === 'Local')) {
    errors.push(wrong('spec.healthCheckNodePort', healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  }
  if (ranges.length > 0 && type !== 'LoadBalancer') errors.push(forbidden('spec.loadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
  for (const [index, range] of ranges.entries()) errors.push(...refused(`spec.loadBalancerSourceRanges[${index}]`, range, whyNotCidr(range.trim())));
  if (type === 'LoadBalancer' && spec.loadBalancerClass !== undefined) errors.push(...refused('spec.loadBalancerClass', spec.loadBalancerClass, whyNotQualifiedName(spec.loadBalancerClass)));
  for (const name of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
    if (spec[name] !== undefined && type !== 'LoadBalancer') errors.push(forbidden(`spec.${name}`, "may only be used when `type` is 'LoadBalancer'"));
  }
  return errors;
};

const validateAffinity = ({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): readonly FieldError[] => {
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity !== 'ClientIP') return config === undefined ? [] : [forbidden(field, `must not be set when session affinity is ${sessionAffinity ?? 'None'}`)];
  const seconds = config?.clientIP?.timeoutSeconds;
  if (seconds === undefined) return [required(`${field}.clientIP.timeoutSeconds`)];
  return seconds > 0 && seconds <= longestAffinity ? [] : [wrong(`${field}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${longestAffinity}`)];
};

/** What a load balancer was made from; another service, or none at all any more, may say something else. */
const validateBalancerChange = (spec: ServiceSpec, old: ServiceSpec): readonly FieldError[] => {
  if (old.type !== 'LoadBalancer' || spec.type !== 'LoadBalancer') return [];
  const { loadBalancerClass, healthCheckNodePort: port = 0 } = spec;
  const { healthCheckNodePort: oldPort = 0 } = old;
  const checked = spec.externalTrafficPolicy === 'Local' && old.externalTrafficPolicy === 'Local';
  return [
    ...(loadBalancerClass === old.loadBalancerClass ? [] : [wrong('spec.loadBalancerClass', loadBalancerClass ?? '', 'may not change once set')]),
    ...(checked && oldPort !== 0 && port !== oldPort ? [forbidden('spec.healthCheckNodePort', 'field is immutable')] : []),
  ];
};

const validateChange = (spec: ServiceSpec, old: ServiceSpec): readonly FieldError[] => {
  if (old.type === 'ExternalName' || spec.type === 'ExternalName' || (old.clusterIP ?? '') === '') return [];
  const [family, oldFamily] = [spec.ipFamilies?.[0], old.ipFamilies?.[0]];
  return [
    ...(spec.clusterIP === old.clusterIP ? [] : [wrong('spec.clusterIPs[0]', spec.clusterIP ?? '', 'may not change once set')]),
    ...(oldFamily === undefined || family === oldFamily ? [] : [wrong('spec.ipFamilies[0]', family ?? '', 'may not change once set')]),
  ];
};

/** Every wrong field of a service's spec. */
export const validateServiceSpec = (spec: ServiceSpec, old: ServiceSpec | undefined): readonly FieldError[] => [
  ...validatePorts(spec),
  ...validateClusterIps(spec),
  ...validateExternal(spec),
  ...validateAffinity(spec),
  ...validateLabels(spec.selector, 'spec.selector'),
  ...(spec.type === 'ExternalName' && spec.internalTrafficPolicy !== undefined ? [forbidden('spec.internalTrafficPolicy', "may not be set when `type` is 'ExternalName'")] : []),
  ...(old === undefined ? [] : [...validateChange(spec, old), ...validateBalancerChange(spec, old)]),
];

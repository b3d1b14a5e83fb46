/** Rules for ingresses and their classes: hosts, paths and the things behind them. */
import { isIP } from 'node:net';
import { forbidden, refused, required, tooLong, wrong, type FieldError } from '../errors.ts';
import type { HTTPIngressPath, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec, IngressTLS } from '../kinds/networking/ingress.ts';
import type { IngressClassParametersReference, IngressClassSpec } from '../kinds/networking/ingress-class.ts';
import { whyNotDns1035Label, whyNotDnsLabel, whyNotDnsSubdomain, whyNotDomainPath, whyNotIp, whyNotPathSegment, whyNotPortName, whyNotPortNumber, whyNotWildcardSubdomain } from '../names.ts';

/** Length of the name of an ingress controller, in characters. */
const maxControllerLength = 250;

/** The old way to say the class of an ingress. */
export const classAnnotation = 'kubernetes.io/ingress.class';

interface Reference {
  readonly apiGroup?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

const validateReference = ({ apiGroup, kind, name }: Reference, field: string): readonly FieldError[] => [
  ...(apiGroup === undefined ? [] : refused(`${field}.apiGroup`, apiGroup, whyNotDnsSubdomain(apiGroup))),
  ...(kind === '' ? [required(`${field}.kind`, 'kind is required')] : refused(`${field}.kind`, kind, whyNotPathSegment(kind))),
  ...(name === '' ? [required(`${field}.name`, 'name is required')] : refused(`${field}.name`, name, whyNotPathSegment(name))),
];

const validateService = ({ name, port }: IngressServiceBackend, field: string): readonly FieldError[] => {
  const errors: FieldError[] = name === '' ? [required(`${field}.service.name`)] : [...refused(`${field}.service.name`, name, whyNotDns1035Label(name))];
  const { name: portName = '', number = 0 } = port ?? {};
  if (portName !== '' && number !== 0) errors.push(wrong(field, '', 'cannot set both port name & port number'));
  else if (portName !== '') errors.push(...refused(`${field}.service.port.name`, portName, whyNotPortName(portName)));
  else if (number !== 0) errors.push(...refused(`${field}.service.port.number`, number, whyNotPortNumber(number)));
  else errors.push(required(field, 'port name or number is required'));
  return errors;
};

const validateBackend = ({ resource, service }: IngressBackend, field: string): readonly FieldError[] => {
  if (resource !== undefined && service !== undefined) return [wrong(field, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return validateReference(resource, `${field}.resource`);
  return service === undefined ? [wrong(field, '', 'resource or service backend is required')] : validateService(service, field);
};

const misleadingParts = ['//', '/./', '/../', '%2f', '%2F'];
const misleadingEnds = ['/..', '/.'];

const validatePath = ({ path = '', pathType, backend }: HTTPIngressPath, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const absolute = path.startsWith('/');
  if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !absolute) errors.push(wrong(`${field}.path`, path, 'must be an absolute path'));
  } else if (!absolute) {
    errors.push(wrong(`${field}.path`, path, 'must be an absolute path'));
  } else {
    for (const part of misleadingParts) if (path.includes(part)) errors.push(wrong(`${field}.path`, path, `must not contain '${part}'`));
    for (const end of misleadingEnds) if (path.endsWith(end)) errors.push(wrong(`${field}.path`, path, `cannot end with '${end}'`));
  }
  return [...errors, ...validateBackend(backend, `${field}.backend`)];
};

const whyNotHost = (host: string): string | undefined => (host.includes('*') && !host.startsWith('*.')
  ? "may have '*' only as its first label (for example '*.example.com')" : whyNotWildcardSubdomain(host));

const validateRule = ({ host = '', http }: IngressRule, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (host !== '' && isIP(host) !== 0) errors.push(wrong(`${field}.host`, host, 'must be a DNS name, not an IP address'));
  else if (host !== '') errors.push(...refused(`${field}.host`, host, whyNotHost(host)));
  if (http === undefined) return errors;
  if (http.paths.length === 0) errors.push(required(`${field}.http.paths`));
  return [...errors, ...http.paths.flatMap((path, index) => validatePath(path, `${field}.http.paths[${index}]`))];
};

const validateTls = ({ hosts = [], secretName = '' }: IngressTLS, field: string): readonly FieldError[] => [
  ...hosts.flatMap((host, index) => refused(`${field}.hosts[${index}]`, host, whyNotHost(host))),
  ...(secretName === '' ? [] : refused(`${field}.secretName`, secretName, whyNotDnsSubdomain(secretName))),
];

/** Every wrong field of an ingress. The annotations of a new one may not name another class than the spec does. */
export const validateIngress = (spec: IngressSpec, annotations: Readonly<Record<string, string>> | undefined): readonly FieldError[] => {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec;
  const annotated = annotations?.[classAnnotation];
  return [
    ...(annotated !== undefined && ingressClassName !== undefined && annotated !== ingressClassName
      ? [wrong(`annotations.${classAnnotation}`, annotated, 'must match `ingressClassName` when both are specified')] : []),
    ...(rules.length === 0 && defaultBackend === undefined ? [wrong('spec', rules, 'either `defaultBackend` or `rules` must be specified')] : []),
    ...(defaultBackend === undefined ? [] : validateBackend(defaultBackend, 'spec.defaultBackend')),
    ...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`)),
    ...tls.flatMap((one, index) => validateTls(one, `spec.tls[${index}]`)),
    ...(ingressClassName === undefined ? [] : refused('spec.ingressClassName', ingressClassName, whyNotDnsSubdomain(ingressClassName))),
  ];
};

interface BalancedStatus {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string | undefined; readonly hostname?: string | undefined }[] | undefined } | undefined;
}

/** Where a load balancer takes traffic, of an ingress or of a service. */
export const validateBalancedStatus = (status: BalancedStatus | undefined): readonly FieldError[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }, index) => {
    const at = `status.loadBalancer.ingress[${index}]`;
    return [
      ...(ip === '' ? [] : refused(`${at}.ip`, ip, whyNotIp(ip))),
      ...(hostname === '' ? [] : refused(`${at}.hostname`, hostname, whyNotDnsSubdomain(hostname) ?? (isIP(hostname) === 0 ? undefined : 'must be a DNS name, not an IP address'))),
    ];
  });

const validateParameters = (parameters: IngressClassParametersReference, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [...validateReference(parameters, field)];
  const { scope, namespace } = parameters;
  if (scope === 'Cluster' && namespace !== undefined) errors.push(forbidden(`${field}.namespace`, "parameters.scope is set to 'Cluster'"));
  if (scope === 'Namespace') {
    if ((namespace ?? '') === '') errors.push(required(`${field}.namespace`, "parameters.scope is set to 'Namespace'"));
    else errors.push(...refused(`${field}.namespace`, namespace, whyNotDnsLabel(namespace ?? '')));
  }
  return errors;
};

/** Every wrong field of an ingress class; its controller is set once. */
export const validateIngressClass = (spec: IngressClassSpec, old: IngressClassSpec | undefined): readonly FieldError[] => {
  const { controller = '', parameters } = spec;
  return [
    ...(controller.length > maxControllerLength ? [tooLong('spec.controller', maxControllerLength)] : []),
    ...(controller === '' ? [required('spec.controller')] : refused('spec.controller', controller, whyNotDomainPath(controller))),
    ...(parameters === undefined ? [] : validateParameters(parameters, 'spec.parameters')),
    ...(old !== undefined && controller !== (old.controller ?? '') ? [wrong('spec.controller', controller, 'field is immutable')] : []),
  ];
};

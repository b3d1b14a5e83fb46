import { validateDeviceAnnotations } from '../devices.ts';
import { forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotIp, whyNotLabelValue, whyNotQualifiedName } from '../names.ts';
import { validateSwarmAnnotations } from '../swarm/placement.ts';
import type { PodSpec, PodTemplateSpec } from '../types/pod-spec.ts';
import { validateContainers } from './containers.ts';
import { validateTemplateMeta } from './object-meta.ts';
import { validateOs } from './pod-os.ts';
import { validateAmounts, validateResources } from './resources.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes.ts';

/** Name servers and search domains of a pod; Kubernetes' limits. */
export const maxNameservers = 3;
export const maxSearches = 32;

/** Longest list of search domains, all together with the spaces between them, in characters; Kubernetes' limit. */
export const maxSearchLength = 2048;

const validateDns = (spec: PodSpec, field: string): readonly FieldError[] => {
  const { dnsPolicy, dnsConfig } = spec;
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  const at = `${field}.dnsConfig`;
  const errors: FieldError[] = [];
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    else if (nameservers.length === 0) errors.push(required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
  }
  if (nameservers.length > maxNameservers) errors.push(wrong(`${at}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`));
  if (searches.length > maxSearches) errors.push(wrong(`${at}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  for (const [index, server] of nameservers.entries()) errors.push(...refused(`${at}.nameservers[${index}]`, server, whyNotIp(server)));
  for (const [index, search] of searches.entries()) {
    const name = search === '.' ? 'root' : search.replace(/\.$/, '').replaceAll('_', '-');
    errors.push(...refused(`${at}.searches[${index}]`, search, whyNotDnsSubdomain(name)));
  }
  if (searches.join(' ').length > maxSearchLength) errors.push(wrong(`${at}.searches`, searches, `must not have more than ${maxSearchLength} characters (including spaces) in the search list`));
  for (const [index, option] of options.entries()) if ((option.name ?? '') === '') errors.push(required(`${at}.options[${index}]`, 'name is required'));
  return errors;
};

/** Longest host name of Linux. */
const longestHostname = 64;

/** A host name in full, which has the field to itself. */
const validateHostnameOverride = ({ hostnameOverride: name = '', setHostnameAsFQDN, hostNetwork }: PodSpec, field: string): readonly FieldError[] => (name === '' ? [] : [
  ...refused(field, name, name.length > longestHostname ? `must be no more than ${longestHostname} characters` : whyNotDnsSubdomain(name)),
  ...(setHostnameAsFQDN === true ? [forbidden(field, 'may not be set when `setHostnameAsFQDN` is true')] : []),
  ...(hostNetwork === true ? [forbidden(field, 'may not be set when `hostNetwork` is true')] : []),
]);

const validateHostNames = (spec: PodSpec, field: string): readonly FieldError[] => [
  ...validateHostnameOverride(spec, `${field}.hostnameOverride`),
  ...refusedUnlessEmpty(`${field}.hostname`, spec.hostname, whyNotDnsLabel),
  ...refusedUnlessEmpty(`${field}.subdomain`, spec.subdomain, whyNotDnsLabel),
  ...(spec.hostAliases ?? []).flatMap((alias, index) => [
    ...refused(`${field}.hostAliases[${index}].ip`, alias.ip, whyNotIp(alias.ip)),
    ...(alias.hostnames ?? []).flatMap((name, place) => refused(`${field}.hostAliases[${index}].hostnames[${place}]`, name, whyNotDnsSubdomain(name))),
  ]),
];

const refusedUnlessEmpty = (field: string, value: string | undefined, rule: (text: string) => string | undefined): readonly FieldError[] =>
  value === undefined || value === '' ? [] : refused(field, value, rule(value));

const validateNames = (spec: PodSpec, field: string): readonly FieldError[] => [
  ...refusedUnlessEmpty(`${field}.serviceAccountName`, spec.serviceAccountName, whyNotDnsSubdomain),
  ...refusedUnlessEmpty(`${field}.nodeName`, spec.nodeName, whyNotDnsSubdomain),
  ...refusedUnlessEmpty(`${field}.priorityClassName`, spec.priorityClassName, whyNotDnsSubdomain),
  ...refusedUnlessEmpty(`${field}.runtimeClassName`, spec.runtimeClassName, whyNotDnsSubdomain),
  ...refusedUnlessEmpty(`${field}.schedulerName`, spec.schedulerName, whyNotDnsSubdomain),
  ...Object.entries(spec.nodeSelector ?? {}).flatMap(([key, value]) => [
    ...refused(`${field}.nodeSelector`, key, whyNotQualifiedName(key)),
    ...refused(`${field}.nodeSelector`, value, whyNotLabelValue(value)),
  ]),
  ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) => refused(`${field}.readinessGates[${index}].conditionType`, conditionType, whyNotQualifiedName(conditionType))),
  ...(spec.schedulingGates ?? []).flatMap(({ name }, index) => refused(`${field}.schedulingGates[${index}]`, name, whyNotQualifiedName(name))),
  ...(spec.resourceClaims ?? []).flatMap((claim, index) => [
    ...(claim.name === '' ? [required(`${field}.resourceClaims[${index}].name`)] : refused(`${field}.resourceClaims[${index}].name`, claim.name, whyNotDnsLabel(claim.name))),
    ...((claim.resourceClaimName === undefined) === (claim.resourceClaimTemplateName === undefined)
      ? [wrong(`${field}.resourceClaims[${index}]`, claim.name, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')] : []),
  ]),
];

const validateDeadline = ({ activeDeadlineSeconds: deadline }: PodSpec, field: string): readonly FieldError[] =>
  (deadline !== undefined && (deadline < 1 || deadline > 2 ** 31 - 1) ? [wrong(`${field}.activeDeadlineSeconds`, deadline, `must be between 1 and ${2 ** 31 - 1}, inclusive`)] : []);

/** Users of the node's own cannot be told from those of a pod that shares its namespaces. */
const validateHostUsers = ({ hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec, field: string): readonly FieldError[] =>
  (hostUsers !== false ? [] : Object.entries({ hostNetwork, hostPID, hostIPC }).filter(([, shared]) => shared === true)
    .map(([name]) => forbidden(`${field}.${name}`, 'when `hostUsers` is false')));

/** Frozen specs with nothing wrong. They cannot change, and pods of one template share theirs. */
const right = new WeakSet<PodSpec>();

/** Every wrong field of a pod's spec, also within a template; `field` is its path. A frozen one is looked at once. */
export const validatePodSpec = (spec: PodSpec, field: string): readonly FieldError[] => {
  if (right.has(spec)) return [];
  const errors = errorsOf(spec, field);
  if (errors.length === 0 && Object.isFrozen(spec)) right.add(spec);
  return errors;
};

const errorsOf = (spec: PodSpec, field: string): readonly FieldError[] => {
  const { hostNetwork = false, hostIPC = false, hostPID = false } = spec;
  return [
    ...validateVolumes(spec.volumes, `${field}.volumes`),
    ...validateContainers(spec, field),
    ...validateDeadline(spec, field),
    ...validateHostUsers(spec, field),
    ...validateNames(spec, field),
    ...validateHostNames(spec, field),
    ...validateDns(spec, field),
    ...validatePodSecurityContext(spec.securityContext, `${field}.securityContext`, { network: hostNetwork, ipc: hostIPC }),
    ...(spec.shareProcessNamespace === true && hostPID
      ? [wrong(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled')] : []),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...validateTolerations(spec.tolerations, `${field}.tolerations`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    ...validateAmounts(spec.overhead, `${field}.overhead`),
    ...validateResources(spec.resources, `${field}.resources`, new Set()),
    ...validateOs(spec, field),
  ];
};

/** A template from which a controller makes pods that are always started again. */
export const validatePodTemplate = (template: PodTemplateSpec, field: string): readonly FieldError[] => [
  ...validateTemplateMeta(template.metadata, `${field}.metadata`),
  ...validateSwarmAnnotations(template.metadata?.annotations, `${field}.metadata.annotations`),
  ...validateDeviceAnnotations(template.metadata?.annotations, template.spec, `${field}.metadata.annotations`),
  ...validatePodSpec(template.spec, `${field}.spec`),
  ...((template.spec.ephemeralContainers ?? []).length > 0 ? [forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')] : []),
];

import { duplicate, forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import type { EndpointAddress, EndpointSubset } from '../kinds/core/endpoints.ts';
import type { Endpoint, EndpointPort } from '../kinds/discovery/endpoint-slice.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotIp, whyNotIpv4, whyNotIpv6, whyNotPortNumber, whyNotQualifiedName } from '../names.ts';

/** Addresses at which no service may answer for others: of the machine itself, of the link, of nobody. */
const whyNotEndpointIp = (ip: string): string | undefined => {
  const why = whyNotIp(ip);
  if (why !== undefined) return why;
  if (/^(0\.0\.0\.0|::)$/.test(ip)) return `may not be unspecified (${ip})`;
  if (/^(127\.|::1$)/.test(ip)) return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  if (/^(169\.254\.|fe80:)/i.test(ip)) return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  return /^(224\.0\.0\.|ff02:)/i.test(ip) ? 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)' : undefined;
};

const validateAddresses = (addresses: readonly EndpointAddress[] | undefined, field: string): readonly FieldError[] =>
  (addresses ?? []).flatMap((address, index) => [
    ...refused(`${field}[${index}].ip`, address.ip, whyNotEndpointIp(address.ip)),
    ...((address.hostname ?? '') === '' ? [] : refused(`${field}[${index}].hostname`, address.hostname, whyNotDnsLabel(address.hostname ?? ''))),
    ...((address.nodeName ?? '') === '' ? [] : refused(`${field}[${index}].nodeName`, address.nodeName, whyNotDnsSubdomain(address.nodeName ?? ''))),
  ]);

export const validateSubsets = (subsets: readonly EndpointSubset[] | undefined): readonly FieldError[] =>
  (subsets ?? []).flatMap((subset, index) => {
    const at = `subsets[${index}]`;
    const ports = subset.ports ?? [];
    return [
      ...((subset.addresses ?? []).length + (subset.notReadyAddresses ?? []).length === 0 ? [required(at, 'must specify `addresses` or `notReadyAddresses`')] : []),
      ...validateAddresses(subset.addresses, `${at}.addresses`),
      ...validateAddresses(subset.notReadyAddresses, `${at}.notReadyAddresses`),
      ...ports.flatMap(({ name = '', appProtocol }, place) => [
        ...(name === '' ? (ports.length > 1 ? [required(`${at}.ports[${place}].name`)] : []) : refused(`${at}.ports[${place}].name`, name, whyNotDnsLabel(name))),
        ...(appProtocol === undefined ? [] : refused(`${at}.ports[${place}].appProtocol`, appProtocol, whyNotQualifiedName(appProtocol))),
      ]),
    ];
  });

const addressRules = { IPv4: (ip: string) => whyNotIpv4(ip) ?? whyNotEndpointIp(ip), IPv6: (ip: string) => whyNotIpv6(ip) ?? whyNotEndpointIp(ip), FQDN: whyNotDnsSubdomain } as const;

interface Slice {
  readonly addressType: keyof typeof addressRules;
  readonly endpoints?: readonly Endpoint[] | undefined;
  readonly ports?: readonly EndpointPort[] | undefined;
}

/** Every wrong field of an EndpointSlice; the sort of its addresses is set once. */
export const validateEndpointSlice = (slice: Slice, old: Slice | undefined): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const rule = addressRules[slice.addressType];
  for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
    const at = `endpoints[${index}]`;
    if (endpoint.addresses.length === 0) errors.push(required(`${at}.addresses`, 'must contain at least 1 address'));
    // An unknown sort of address has been refused by the schema.
    if (rule !== undefined) errors.push(...endpoint.addresses.flatMap((address, place) => refused(`${at}.addresses[${place}]`, address, rule(address))));
    if ((endpoint.hostname ?? '') !== '') errors.push(...refused(`${at}.hostname`, endpoint.hostname, whyNotDnsLabel(endpoint.hostname ?? '')));
    if ((endpoint.nodeName ?? '') !== '') errors.push(...refused(`${at}.nodeName`, endpoint.nodeName, whyNotDnsSubdomain(endpoint.nodeName ?? '')));
    if (endpoint.deprecatedTopology !== undefined) errors.push(forbidden(`${at}.deprecatedTopology`, 'may not be set any more: use nodeName and zone'));
  }
  const names = new Set<string>();
  for (const [index, { name = '', port, appProtocol }] of (slice.ports ?? []).entries()) {
    if (names.has(name)) errors.push(duplicate(`ports[${index}].name`, name));
    names.add(name);
    if (name !== '') errors.push(...refused(`ports[${index}].name`, name, whyNotDnsLabel(name)));
    if (port !== undefined) errors.push(...refused(`ports[${index}].port`, port, whyNotPortNumber(port)));
    if (appProtocol !== undefined) errors.push(...refused(`ports[${index}].appProtocol`, appProtocol, whyNotQualifiedName(appProtocol)));
  }
  if (old !== undefined && old.addressType !== slice.addressType) errors.push(wrong('addressType', slice.addressType, 'field is immutable'));
  return errors;
};

/**
 * The rules for names and addresses of the Kubernetes API. Each returns why the text is not allowed, in words that say
 * what would be right, or undefined when it is fine.
 */
import { isIP, SocketAddress } from 'node:net';

type Rule = (text: string) => string | undefined;

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const tooLong = (text: string, most: number): string | undefined => (text.length > most ? `must be no more than ${most} characters` : undefined);

/** DNS-1123 label: names of namespaces, containers, volumes. At most 63 characters. */
export const whyNotDnsLabel: Rule = (text) =>
  tooLong(text, 63) ?? (label.test(text) ? undefined
    : "must be a DNS-1123 label: lower case letters, digits and '-', with a letter or digit first and last (for example 'my-name' or '123-abc')");

/** DNS-1123 subdomain: names of most objects. At most 253 characters. */
export const whyNotDnsSubdomain: Rule = (text) =>
  tooLong(text, 253) ?? (text.split('.').every((part) => label.test(part)) ? undefined
    : "must be a DNS-1123 subdomain: lower case letters, digits, '-' and '.', with a letter or digit first and last in each part (for example 'example.com')");

/** DNS-1035 label: names of services, which must start with a letter. At most 63 characters. */
export const whyNotDns1035Label: Rule = (text) =>
  tooLong(text, 63) ?? (label1035.test(text) ? undefined
    : "must be a DNS-1035 label: lower case letters, digits and '-', with a letter first and a letter or digit last (for example 'my-name' or 'abc-123')");

/** A DNS-1123 subdomain that may start with `*.`, as for hosts. */
export const whyNotWildcardSubdomain: Rule = (text) => whyNotDnsSubdomain(text.startsWith('*.') ? text.slice(2) : text);

/** Label keys, annotation keys, finalizers, taint keys: a name of at most 63 characters, after `prefix.example/` or not. */
export const whyNotQualifiedName: Rule = (text) => {
  const parts = text.split('/');
  if (parts.length > 2) return "must be a qualified name: a name, or a DNS subdomain, '/' and a name (for example 'app' or 'example.com/app')";
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    if (parts[0] === '') return "prefix part must not be empty before '/'";
    const why = whyNotDnsSubdomain(parts[0] ?? '');
    if (why !== undefined) return `prefix part ${why}`;
  }
  if (name === '') return 'name part must not be empty';
  if (name.length > 63) return 'name part must be no more than 63 characters';
  return qualifiedPart.test(name) ? undefined
    : "name part must be letters, digits, '-', '_' and '.', with a letter or digit first and last (for example 'MyName' or 'my.name')";
};

/** Names that only have to stand as one part of a URL's path: those of roles and role bindings. */
export const whyNotPathSegment: Rule = (text) => {
  if (text === '.' || text === '..') return `may not be '${text}'`;
  const bad = ['/', '%'].find((mark) => text.includes(mark));
  return bad === undefined ? undefined : `may not contain '${bad}'`;
};

/** A domain, '/' and a path: names of controllers of ingress classes. */
export const whyNotDomainPath: Rule = (text) => {
  const slash = text.indexOf('/');
  const [domain, path] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash <= 0 || path === '') return "must be a domain-prefixed path (such as 'acme.io/foo')";
  return whyNotDnsSubdomain(domain) ?? (/^[-A-Za-z0-9/._~%!$&'()*+,;=:]+$/.test(path) ? undefined : "must have a path of letters, digits and '/-._~%!$&'()*+,;=:'");
};

/** Names of CSI drivers: a DNS-1123 subdomain, but for capital letters, of at most 63 characters. */
export const whyNotCsiDriverName: Rule = (text) => tooLong(text, 63) ?? whyNotDnsSubdomain(text.toLowerCase());

/** Whether the name belongs to a domain: `example.com/gpu`. */
export const isDomainPrefixed = (text: string): boolean => text.includes('/');

/** Values of labels: empty, or at most 63 characters. */
export const whyNotLabelValue: Rule = (text) =>
  tooLong(text, 63) ?? (text === '' || qualifiedPart.test(text) ? undefined
    : "must be empty or letters, digits, '-', '_' and '.', with a letter or digit first and last (for example 'MyValue' or '12345')");

/** Names of ports: at most 15 characters. */
export const whyNotPortName: Rule = (text) => {
  if (text.length > 15) return 'must be no more than 15 characters';
  if (!/^[-a-z0-9]+$/.test(text)) return "must contain only lower case letters, digits and '-'";
  if (!/[a-z]/.test(text)) return 'must contain at least one letter';
  if (text.includes('--')) return "must not contain two '-' in a row";
  return text.startsWith('-') || text.endsWith('-') ? "must not start or end with '-'" : undefined;
};

/** Port numbers: 1 to 65535. */
export const whyNotPortNumber = (port: number): string | undefined =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? undefined : 'must be between 1 and 65535, inclusive';

/** Names of environment variables: any printable ASCII but '='. */
export const whyNotEnvName: Rule = (text) =>
  text !== '' && /^[\x20-\x3c\x3e-\x7e]+$/.test(text) ? undefined : "must be printable ASCII characters other than '='";

/** Keys of ConfigMaps and Secrets, which become file names. */
export const whyNotDataKey: Rule = (text) => {
  const long = tooLong(text, 253);
  if (long !== undefined) return long;
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) return "must be a key of letters, digits, '-', '_' and '.' (for example 'key.name' or 'KEY_NAME')";
  if (text === '.') return "must not be '.'";
  if (text === '..') return "must not be '..'";
  return text.startsWith('..') ? "must not start with '..'" : undefined;
};

/** An IPv4 or IPv6 address. */
export const whyNotIp: Rule = (text) => (isIP(text) === 0 ? 'must be an IP address (for example 10.9.8.7 or 2001:db8::ffff)' : undefined);

export const whyNotIpv4: Rule = (text) => (isIP(text) === 4 ? undefined : 'must be an IPv4 address (for example 10.9.8.7)');

export const whyNotIpv6: Rule = (text) => (isIP(text) === 6 ? undefined : 'must be an IPv6 address (for example 2001:db8::ffff)');

/** An address in the one form in which it is written as a name: no leading zeros, IPv6 in small letters and shortened. */
export const whyNotCanonicalIp: Rule = (text) => {
  const why = whyNotIp(text);
  if (why !== undefined) return why;
  const canonical = isIP(text) === 6 ? new SocketAddress({ address: text, family: 'ipv6' }).address : text;
  return text === canonical ? undefined : `must be in canonical form (${JSON.stringify(canonical)})`;
};

/** An address range such as 10.0.0.0/8. */
export const whyNotCidr: Rule = (text) => {
  const [address = '', bits = '', ...more] = text.split('/');
  const version = isIP(address);
  const right = version !== 0 && more.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
  return right ? undefined : 'must be a CIDR block (for example 10.9.8.0/24 or 2001:db8::/64)';
};

/** Names of HTTP headers, such as X-Probe. */
export const whyNotHttpHeaderName: Rule = (text) =>
  /^[-A-Za-z0-9]+$/.test(text) ? undefined : "must be letters, digits and '-' (for example 'X-Header-Name')";

/** A path that stays within its root: no `..` part and not absolute. */
export const whyNotLocalPath: Rule = (text) => {
  if (text.startsWith('/')) return 'must be a relative path';
  return text.split('/').includes('..') ? "must not contain '..'" : undefined;
};

/** Names of resources that a container can ask for. */
export const whyNotContainerResource: Rule = (text) => {
  const why = whyNotQualifiedName(text);
  if (why !== undefined) return why;
  if (!isDomainPrefixed(text)) {
    return containerResources.has(text) || text.startsWith('hugepages-') ? undefined
      : "must be a standard resource for containers such as cpu or memory, or have a domain (for example 'example.com/device')";
  }
  return text.startsWith('requests.') ? "must not begin with 'requests.', which is for quotas" : undefined;
};

const containerResources: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

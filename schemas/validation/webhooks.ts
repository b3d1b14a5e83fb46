/** Rules for webhooks: their names, where they are and when they are called. */
import { refused, required, wrong, type FieldError } from '../errors.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPortNumber } from '../names.ts';
import type { ServiceReference, WebhookClientConfig } from '../types/admission-rules.ts';
import type { ValidatingWebhook } from '../kinds/admissionregistration/validating-webhook-configuration.ts';
import { validateMatchConditions, validateRule } from './admission-rules.ts';

/** Longest time that a request may wait for one webhook, in seconds; Kubernetes' limit. */
const longestTimeoutSeconds = 30;

/** Versions of AdmissionReview of which a webhook must know one. */
const admissionReviewVersions = ['v1', 'v1beta1'];

const form = 'desired format: https://host[/path]';

const validateUrl = (text: string, field: string): readonly FieldError[] => {
  const url = URL.parse(text);
  if (url === null) return [required(field, `url must be a valid URL; ${form}`)];
  return [
    ...(url.protocol === 'https:' ? [] : [wrong(field, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme; ${form}`)]),
    ...(url.host === '' ? [wrong(field, url.host, `host must be specified; ${form}`)] : []),
    ...(url.username === '' && url.password === '' ? [] : [wrong(field, url.username, 'user information is not permitted in the URL')]),
    ...(url.hash === '' ? [] : [wrong(field, url.hash.slice(1), 'fragments are not permitted in the URL')]),
    ...(url.search === '' ? [] : [wrong(field, url.search.slice(1), 'query parameters are not permitted in the URL')]),
  ];
};

const validatePath = (path: string, field: string): readonly FieldError[] => {
  if (path === '' || path === '/') return [];
  if (!path.startsWith('/')) return [wrong(field, path, "must start with a '/'")];
  return path.slice(1).replace(/(?<=.)\/$/, '').split('/').flatMap((step, index) =>
    (step === '' ? [wrong(field, path, `segment[${index}] may not be empty`)] : refused(field, path, whyNotStep(step, index))));
};

const whyNotStep = (step: string, index: number): string | undefined => {
  const why = whyNotDnsSubdomain(step);
  return why === undefined ? undefined : `segment[${index}]: ${why}`;
};

const validateService = ({ name, namespace, path = '', port = 443 }: ServiceReference, field: string): readonly FieldError[] => [
  ...(name === '' ? [required(`${field}.name`, 'service name is required')] : []),
  ...(namespace === '' ? [required(`${field}.namespace`, 'service namespace is required')] : []),
  ...refused(`${field}.port`, port, whyNotPortNumber(port)),
  ...validatePath(path, `${field}.path`),
];

/** Every wrong field of how a webhook is called. */
export const validateClientConfig = ({ url, service }: WebhookClientConfig, field: string): readonly FieldError[] => {
  if ((url === undefined) === (service === undefined)) return [required(field, 'exactly one of url or service is required')];
  return [...(url === undefined ? [] : validateUrl(url, `${field}.url`)), ...(service === undefined ? [] : validateService(service, `${field}.service`))];
};

const validateName = (name: string, field: string): readonly FieldError[] => {
  if (name === '') return [required(field)];
  const errors = refused(field, name, whyNotDnsSubdomain(name));
  return errors.length > 0 || name.split('.').length >= 3 ? errors : [wrong(field, name, 'should be a domain with at least three segments separated by dots')];
};

/** Every wrong version of reviews that a webhook says it knows. */
export const validateReviewVersions = (versions: readonly string[], field: string, reviewVersions: readonly string[] = admissionReviewVersions): readonly FieldError[] => {
  if (versions.length === 0) return [required(field, `must specify one of ${reviewVersions.join(', ')}`)];
  return [
    ...versions.flatMap((version, index) => (versions.indexOf(version) < index
      ? [wrong(`${field}[${index}]`, version, 'duplicate version')] : refused(`${field}[${index}]`, version, whyNotDns1035Label(version)))),
    ...(versions.some((version) => reviewVersions.includes(version)) ? [] : [wrong(field, versions, `must include at least one of ${reviewVersions.join(', ')}`)]),
  ];
};

/** Every wrong webhook of a configuration, validating or mutating; their names are unique by the schema. */
export const validateWebhooks = (webhooks: readonly ValidatingWebhook[]): readonly FieldError[] =>
  webhooks.flatMap((webhook, index) => {
    const at = `webhooks[${index}]`;
    const { name, rules = [], timeoutSeconds: seconds = 10, namespaceSelector, objectSelector, clientConfig, matchConditions = [], admissionReviewVersions: versions } = webhook;
    return [
      ...validateReviewVersions(versions, `${at}.admissionReviewVersions`),
      ...validateName(name, `${at}.name`),
      ...rules.flatMap((rule, place) => validateRule(rule, `${at}.rules[${place}]`)),
      ...(seconds < 1 || seconds > longestTimeoutSeconds ? [wrong(`${at}.timeoutSeconds`, seconds, `the timeout value must be between 1 and ${longestTimeoutSeconds} seconds`)] : []),
      ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
      ...validateLabelSelector(objectSelector, `${at}.objectSelector`),
      ...validateClientConfig(clientConfig, `${at}.clientConfig`),
      ...validateMatchConditions(matchConditions, `${at}.matchConditions`),
    ];
  });

import { refused, required, wrong, type FieldError } from '../errors.ts';
import type { APIServiceSpec } from '../kinds/apiregistration/api-service.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPortNumber } from '../names.ts';

/** Highest priorities of groups and of versions; Kubernetes' limits. */
const maxGroupPriority = 20_000;
const maxVersionPriority = 1_000;

const validateServer = ({ service, caBundle = '', insecureSkipTLSVerify = false }: APIServiceSpec): readonly FieldError[] => {
  const field = 'spec.insecureSkipTLSVerify';
  if (service === undefined) {
    return [
      ...(caBundle === '' ? [] : [wrong('spec.caBundle', `${caBundle.length} characters`, 'local APIServices may not have a caBundle')]),
      ...(insecureSkipTLSVerify ? [wrong(field, true, 'local APIServices may not have insecureSkipTLSVerify')] : []),
    ];
  }
  const { name = '', namespace = '', port = 443 } = service;
  return [
    ...(namespace === '' ? [required('spec.service.namespace')] : []),
    ...(name === '' ? [required('spec.service.name')] : []),
    ...refused('spec.service.port', port, whyNotPortNumber(port)),
    ...(insecureSkipTLSVerify && caBundle !== '' ? [wrong(field, true, 'may not be true if caBundle is present')] : []),
  ];
};

/** Every wrong field of an API service; its name says its version and group. */
export const validateApiService = (name: string, spec: APIServiceSpec): readonly FieldError[] => {
  const { group = '', version = '', groupPriorityMinimum: inAll, versionPriority: inGroup } = spec;
  const rightName = `${version}.${group}`;
  return [
    ...(name === rightName || name === '' ? [] : [wrong('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(rightName)}`)]),
    ...(group === '' && version !== 'v1' ? [required('spec.group', 'only v1 may have an empty group and it better be legacy kube')] : []),
    ...(group === '' ? [] : refused('spec.group', group, whyNotDnsSubdomain(group))),
    ...refused('spec.version', version, whyNotDns1035Label(version)),
    ...(inAll > 0 && inAll <= maxGroupPriority ? [] : [wrong('spec.groupPriorityMinimum', inAll, `must be positive and less than ${maxGroupPriority}`)]),
    ...(inGroup > 0 && inGroup <= maxVersionPriority ? [] : [wrong('spec.versionPriority', inGroup, `must be positive and less than ${maxVersionPriority}`)]),
    ...validateServer(spec),
  ];
};

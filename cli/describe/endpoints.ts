import type { BodyOf } from '../../schemas/kind.ts';
import type { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { Describer } from './describer.ts';
import { Page, shownAnnotations } from './page.ts';

interface Port { readonly name?: string | undefined; readonly port?: number | undefined; readonly protocol?: string | undefined }

const head = ({ metadata }: Parameters<Describer>[0]): Page => new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace)
  .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ');

const addPorts = (page: Page, level: number, ports: readonly Port[]): void => {
  page.line(level, 'Ports:').line(level + 1, 'Name\tPort\tProtocol').line(level + 1, '----\t----\t--------');
  for (const { name, port, protocol } of ports) page.line(level + 1, `${name === undefined || name === '' ? '<unset>' : name}\t${port ?? '<unset>'}\t${protocol ?? 'TCP'}`);
};

export const endpoints: Describer<BodyOf<typeof Endpoints>> = (object) => {
  const page = head(object).line(0, 'Subsets:');
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of object.subsets ?? []) {
    const list = (of: readonly { readonly ip: string }[]): string => of.map(({ ip }) => ip).join(',') || '<none>';
    page.field(1, 'Addresses', list(addresses)).field(1, 'NotReadyAddresses', list(notReadyAddresses));
    if (ports.length > 0) addPorts(page, 1, ports);
    page.line(0, '');
  }
  return page;
};

export const endpointSlice: Describer<BodyOf<typeof EndpointSlice>> = (object) => {
  const page = head(object).field(0, 'AddressType', object.addressType);
  const ports = object.ports ?? [];
  if (ports.length === 0) page.field(0, 'Ports', '<unset>');
  else addPorts(page, 0, ports);
  const found = object.endpoints ?? [];
  if (found.length === 0) return page.field(0, 'Endpoints', '<none>');
  page.line(0, 'Endpoints:');
  for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of found) {
    page.line(1, `- Addresses:\t${addresses.join(',') || '<none>'}`).line(2, 'Conditions:').field(3, 'Ready', conditions?.ready ?? '<unset>')
      .field(2, 'Hostname', hostname ?? '<unset>');
    if (targetRef !== undefined) page.field(2, 'TargetRef', `${targetRef.kind ?? ''}/${targetRef.name ?? ''}`);
    page.field(2, 'NodeName', nodeName ?? '<unset>').field(2, 'Zone', zone ?? '<unset>');
  }
  return page;
};

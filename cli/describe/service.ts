import type { BodyOf } from '../../schemas/kind.ts';
import type { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import { selectorOf } from '../pods-of.ts';
import { related, type Describer } from './describer.ts';
import { Page, shownAnnotations } from './page.ts';

/** As many addresses are shown. */
const maxEndpoints = 3;

const endpointsOf = (slices: readonly BodyOf<typeof EndpointSlice>[], portName: string): string => {
  const addresses = slices.flatMap((slice) => {
    const ports = (slice.ports ?? []).filter((port) => (port.name ?? '') === portName);
    return (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
      .flatMap((endpoint) => endpoint.addresses.flatMap((address) => ports.map((port) => `${address}:${port.port ?? 0}`)));
  });
  if (addresses.length === 0) return slices.length === 0 ? '<none>' : '';
  const shown = addresses.slice(0, maxEndpoints).join(',');
  return addresses.length > maxEndpoints ? `${shown} + ${addresses.length - maxEndpoints} more...` : shown;
};

export const describer: Describer<BodyOf<typeof Service>> = async (object, context) => {
  const { metadata, spec, status } = object;
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace)
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .field(0, 'Selector', selectorOf(object) ?? '<none>').field(0, 'Type', spec?.type ?? 'ClusterIP');
  if (spec?.ipFamilyPolicy !== undefined) page.field(0, 'IP Family Policy', spec.ipFamilyPolicy);
  if ((spec?.ipFamilies ?? []).length > 0) page.field(0, 'IP Families', spec!.ipFamilies!.join(','));
  page.field(0, 'IP', spec?.clusterIP ?? '').field(0, 'IPs', spec?.clusterIPs?.join(',') ?? '<none>');
  if ((spec?.externalIPs ?? []).length > 0) page.field(0, 'External IPs', spec!.externalIPs!.join(','));
  if (spec?.externalName !== undefined && spec.externalName !== '') page.field(0, 'External Name', spec.externalName);
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0) page.field(0, 'LoadBalancer Ingress', ingress.map(({ ip, hostname }) => ip ?? hostname ?? '').join(', '));
  const slices = await related<BodyOf<typeof EndpointSlice>>(context, 'endpointslices', { namespace: metadata.namespace, labelSelector: `kubernetes.io/service-name=${metadata.name}` });
  for (const port of spec?.ports ?? []) {
    const name = port.name ?? '';
    page.line(0, `Port:\t${name === '' ? '<unset>' : name}\t${port.port}/${port.protocol ?? 'TCP'}`);
    page.line(0, `TargetPort:\t${port.targetPort ?? port.port}/${port.protocol ?? 'TCP'}`);
    if (port.nodePort !== undefined && port.nodePort > 0) page.line(0, `NodePort:\t${name === '' ? '<unset>' : name}\t${port.nodePort}/${port.protocol ?? 'TCP'}`);
    page.line(0, `Endpoints:\t${endpointsOf(slices, name)}`);
  }
  page.field(0, 'Session Affinity', spec?.sessionAffinity ?? 'None');
  if (spec?.externalTrafficPolicy !== undefined) page.field(0, 'External Traffic Policy', spec.externalTrafficPolicy);
  if (spec?.internalTrafficPolicy !== undefined) page.field(0, 'Internal Traffic Policy', spec.internalTrafficPolicy);
  return page;
};

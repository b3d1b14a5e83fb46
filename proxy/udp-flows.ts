import type { ServiceTable } from './backend.ts';

/** Which tracked UDP flows a change leaves behind, each as what `conntrack` is to delete. Pure. */
export const staleFlows = (before: ServiceTable, after: ServiceTable): readonly (readonly string[])[] => [...goneEndpoints(before, after), ...newPlaces(before, after)];

/** A client that goes on sending from one port keeps its flow, also to an endpoint that is gone. */
const goneEndpoints = (before: ServiceTable, after: ServiceTable): readonly (readonly string[])[] => [...before.values()].flatMap((port) => {
  if (port.protocol !== 'UDP') return [];
  const now = after.get(port.name)?.endpoints ?? [];
  return port.endpoints.filter((old) => !now.some((one) => one.ip === old.ip && one.port === old.port))
    .map(({ ip, port: number }) => ['--dst-nat', ip, '--reply-port-src', String(number)]);
});

/**
 * A client that was sending to a node port or a public address before any service had it has a flow that leads to no
 * endpoint, and keeps that. Addresses of the cluster are refused where nobody has them, which leaves no flow.
 */
const newPlaces = (before: ServiceTable, after: ServiceTable): readonly (readonly string[])[] => {
  const known = placesOf(before);
  return [...placesOf(after)].filter((place) => !known.has(place)).map((place) => place.split(' '));
};

const placesOf = (table: ServiceTable): ReadonlySet<string> => new Set([...table.values()].filter(({ protocol, endpoints }) => protocol === 'UDP' && endpoints.length > 0)
  .flatMap(({ insideIps, outsideIps, insideNodePort, nodePort, port }) => [
    ...[...insideIps, ...outsideIps].map((ip) => `--orig-dst ${ip} --orig-port-dst ${port}`),
    ...[insideNodePort, nodePort].filter((number) => number !== 0).map((number) => `--orig-port-dst ${number}`),
  ]));

/**
 * Cluster addresses and node ports: each belongs to one Service, for as long as the Service has it. Who holds what is
 * written down as rows of its own (`!ip/10.96.0.10`, `!port/TCP/30001`), made in the transaction that writes the Service
 * and only if they do not exist; so two servers that pick the same address cannot both have it, and nothing has to be
 * repaired after a crash. Rows go in the transaction that changes or removes the Service.
 */
import { isIPv4 } from 'node:net';
import { ApiError, invalid, wrong } from '../../schemas/errors.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import { keyOf } from '../keys.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionContext, AdmissionPlugin } from './admission.ts';
import { addressOf, addressRange, contains, numberOf, pick, portRange, type NumberRange } from './number-range.ts';
import {
  addressKey, dropOfOldType, heldBy, keepPorts, mayHaveNodePorts, portRow, wantsAddress, wantsHealthCheckPort, wantsNodePorts, type ServiceDraft,
} from './service-fields.ts';

export interface ServiceAddressOptions {
  readonly cache: Pick<WatchCache, 'revisionOf'>;
  readonly random: () => number;
  readonly serviceCidr: string;
  readonly nodePortRange: { readonly from: number; readonly to: number };
}

const isService = ({ kind, apiVersion }: { readonly kind: string; readonly apiVersion: string }): boolean => kind === 'Service' && apiVersion === 'v1';

/** Gives services their addresses and node ports, and takes them back. */
export const serviceAddresses = (options: ServiceAddressOptions): AdmissionPlugin => {
  const addresses = addressRange(options.serviceCidr);
  const ports = portRange(options.nodePortRange);
  return {
    name: 'ServiceAddresses',
    mutate: (draft, context) => {
      if (isService(draft)) new Giving({ ...options, addresses, ports }, draft as unknown as ServiceDraft, context).run();
    },
    removed: (object, context) => {
      if (!isService(object)) return;
      // The last update of a service may have changed what it holds in the same breath.
      for (const key of new Set([object, context.old ?? object].flatMap((one) => [...heldBy(one as Service)]))) context.attempt.release(key);
    },
  };
};

interface Ranges extends ServiceAddressOptions {
  readonly addresses: NumberRange;
  readonly ports: NumberRange;
}

/** One service that is being created or updated. */
class Giving {
  readonly #ranges: Ranges;
  readonly #service: ServiceDraft;
  readonly #old: Service | undefined;
  readonly #context: AdmissionContext;
  /** Rows that the stored service holds. */
  readonly #held: ReadonlySet<string>;
  readonly #reserved = new Set<string>();

  constructor(ranges: Ranges, service: ServiceDraft, context: AdmissionContext) {
    this.#ranges = ranges;
    this.#service = service;
    this.#context = context;
    this.#old = context.old as Service | undefined;
    this.#held = this.#old === undefined ? new Set() : heldBy(this.#old);
  }

  run(): void {
    const { spec } = this.#service;
    if (this.#old !== undefined) {
      keepPorts(this.#service, this.#old);
      dropOfOldType(this.#service, this.#old);
    }
    if (spec.type !== 'ExternalName') this.#families();
    if (wantsAddress(spec)) this.#address();
    // What was asked for goes first, so that nothing picked gets in its way.
    for (const [index, { nodePort = 0, protocol = 'TCP' }] of (spec.ports ?? []).entries()) {
      if (nodePort !== 0) this.#requestPort(`spec.ports[${index}].nodePort`, protocol, nodePort);
    }
    if (wantsNodePorts(spec)) for (const port of spec.ports ?? []) if ((port.nodePort ?? 0) === 0) port.nodePort = this.#givePort(port.protocol ?? 'TCP', this.#sibling(port.port));
    if (wantsHealthCheckPort(spec)) {
      if ((spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = this.#givePort('TCP', undefined);
      else this.#requestPort('spec.healthCheckNodePort', 'TCP', spec.healthCheckNodePort ?? 0);
    }
    const needed = heldBy(this.#service);
    for (const key of this.#held) if (!needed.has(key)) this.#context.attempt.release(key);
  }

  /** Only IPv4 is served. */
  #families(): void {
    const { spec } = this.#service;
    const { ipFamilies = [] } = spec;
    const other = ipFamilies.findIndex((family) => family !== 'IPv4');
    if (spec.ipFamilyPolicy === 'RequireDualStack') throw this.#invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services');
    if (other >= 0) throw this.#invalid(`spec.ipFamilies[${other}]`, ipFamilies[other], 'not configured on this cluster; it has IPv4');
  }

  #address(): void {
    const { spec } = this.#service;
    if ((spec.clusterIP ?? '') === '') {
      const given = pick(this.#ranges.addresses, this.#ranges.random, (value) => this.#isTaken(addressKey(addressOf(value))));
      if (given === undefined) throw rangeFull(`a cluster IP of ${this.#ranges.serviceCidr}`);
      spec.clusterIP = addressOf(given);
      spec.clusterIPs = [spec.clusterIP];
      this.#reserve(addressKey(spec.clusterIP));
      return;
    }
    for (const address of spec.clusterIPs ?? []) {
      const key = addressKey(address);
      // An address that is none is for validation to refuse.
      if (this.#held.has(key) || !isIPv4(address)) continue;
      const refused = (why: string): ApiError => this.#invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${address}: ${why}`);
      if (!contains(this.#ranges.addresses, numberOf(address))) throw refused(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${this.#ranges.serviceCidr}`);
      if (this.#isTaken(key)) throw refused('provided IP is already allocated');
      this.#reserve(key);
    }
  }

  #requestPort(field: string, protocol: string, port: number): void {
    const key = portRow(protocol, port);
    if (this.#held.has(key) || !mayHaveNodePorts(this.#service.spec)) return;
    const { from, to } = this.#ranges.nodePortRange;
    if (!contains(this.#ranges.ports, port)) throw this.#invalid(field, port, `provided port is not in the valid range. The range of valid ports is ${from}-${to}`);
    if (this.#reserved.has(key) || this.#isTaken(key)) throw this.#invalid(field, port, 'provided port is already allocated');
    this.#reserve(key);
  }

  #givePort(protocol: string, wish: number | undefined): number {
    const isTaken = (port: number): boolean => this.#held.has(portRow(protocol, port)) || this.#reserved.has(portRow(protocol, port)) || this.#isTaken(portRow(protocol, port));
    const port = wish !== undefined && !isTaken(wish) ? wish : pick(this.#ranges.ports, this.#ranges.random, isTaken);
    if (port === undefined) throw rangeFull(`a node port of ${this.#ranges.nodePortRange.from}-${this.#ranges.nodePortRange.to}`);
    this.#reserve(portRow(protocol, port));
    return port;
  }

  /** A port that is served over two protocols gets the same node port for both. */
  #sibling(port: number): number | undefined {
    return this.#service.spec.ports?.find((other) => other.port === port && (other.nodePort ?? 0) !== 0)?.nodePort;
  }

  #isTaken(key: string): boolean {
    return this.#ranges.cache.revisionOf(key) !== 0;
  }

  #reserve(key: string): void {
    const { kind, namespace, name } = this.#context;
    this.#reserved.add(key);
    this.#context.attempt.reserve(key, keyOf(kind, namespace, name));
  }

  #invalid(field: string, value: unknown, message: string): ApiError {
    return invalid(this.#context.kind, this.#context.name, [wrong(field, value, message)]);
  }
}

const rangeFull = (what: string): ApiError => new ApiError('InternalError', `Internal error occurred: failed to allocate ${what}: range is full`);

/** The first address of a service range, which belongs to the API server itself. */
export const firstAddress = (serviceCidr: string): string => addressOf(addressRange(serviceCidr).first);


/** The environment of a container: services, then envFrom, then env, each later one winning; `$(NAME)` sees what came before. */
import { whyNotEnvName } from '../schemas/names.ts';
import type { ConfigMap } from '../schemas/kinds/core/config-map.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Secret } from '../schemas/kinds/core/secret.ts';
import type { Service } from '../schemas/kinds/core/service.ts';
import type { Container } from '../schemas/types/container.ts';
import type { EnvVar } from '../schemas/types/env.ts';
import { ConfigError } from './config-error.ts';
import { fieldValue, resourceValue, type PodFacts } from './downward.ts';
import { expand } from './expansion.ts';

/** ConfigMaps and Secrets of the pod's namespace, by name. */
export interface Sources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

export interface EnvInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: Sources;
  /** Of the pod's namespace, and `default/kubernetes`. */
  readonly services: readonly Service[];
  readonly facts: PodFacts;
}

export interface Environment {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Keys of envFrom sources that are no names of variables, and were left out. */
  readonly skipped: readonly string[];
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** Variables that tell where services are: `REDIS_SERVICE_HOST`, and those of the old container links. */
export const serviceVariables = (services: readonly Service[]): ReadonlyMap<string, string> => {
  const out = new Map<string, string>();
  for (const { metadata, spec } of services) {
    const ip = spec?.clusterIP;
    const ports = spec?.ports ?? [];
    const first = ports[0];
    if (ip === undefined || ip === '' || ip === 'None' || first === undefined) continue;
    const prefix = (metadata.name ?? '').toUpperCase().replaceAll('-', '_').replaceAll('.', '_');
    out.set(`${prefix}_SERVICE_HOST`, ip);
    out.set(`${prefix}_SERVICE_PORT`, String(first.port));
    for (const port of ports) {
      if (port.name !== undefined && port.name !== '') out.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
    }
    const protocolOf = (port: { readonly protocol?: string | undefined }): string => (port.protocol ?? 'TCP').toLowerCase();
    out.set(`${prefix}_PORT`, `${protocolOf(first)}://${ip}:${first.port}`);
    for (const port of ports) {
      const protocol = protocolOf(port);
      const name = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
      out.set(name, `${protocol}://${ip}:${port.port}`);
      out.set(`${name}_PROTO`, protocol);
      out.set(`${name}_PORT`, String(port.port));
      out.set(`${name}_ADDR`, ip);
    }
  }
  return out;
};

/** Throws ConfigError when a source that is not optional is missing. */
export const environment = ({ pod, container, sources, services, facts }: EnvInput): Environment => {
  const values = new Map(serviceVariables(services));
  const skipped: string[] = [];
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef;
    if (ref === undefined) continue;
    const kind = configMapRef === undefined ? 'secret' : 'configmap';
    const source = configMapRef === undefined ? sources.secret(ref.name ?? '') : sources.configMap(ref.name ?? '');
    if (source === undefined) {
      if (ref.optional === true) continue;
      throw new ConfigError(`${kind} "${ref.name ?? ''}" not found`);
    }
    for (const [key, value] of Object.entries(source.data ?? {})) {
      const name = prefix + key;
      if (whyNotEnvName(name) === undefined) values.set(name, kind === 'secret' ? decoded(value) : value);
      else skipped.push(`${kind} ${ref.name ?? ''}: ${name}`);
    }
  }
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom === undefined
      ? expand(variable.value ?? '', (name) => values.get(name))
      : valueFrom(variable, { pod, container, sources, services, facts });
    if (value !== undefined) values.set(variable.name, value);
  }
  return { env: [...values].map(([name, value]) => ({ name, value })), skipped };
};

const valueFrom = (variable: EnvVar, { pod, container, sources, facts }: EnvInput): string | undefined => {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, facts) ?? '';
  if (resourceFieldRef !== undefined) return resourceValue(pod, container, resourceFieldRef, facts);
  const ref = configMapKeyRef ?? secretKeyRef;
  if (ref === undefined) throw new ConfigError(`env ${variable.name}: valueFrom has none of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef`);
  const kind = configMapKeyRef === undefined ? 'secret' : 'configmap';
  const source = configMapKeyRef === undefined ? sources.secret(ref.name ?? '') : sources.configMap(ref.name ?? '');
  const value = source?.data?.[ref.key];
  if (value !== undefined) return kind === 'secret' ? decoded(value) : value;
  if (ref.optional === true) return undefined;
  throw new ConfigError(source === undefined ? `${kind} "${ref.name ?? ''}" not found` : `couldn't find key ${ref.key} in ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${pod.metadata.namespace ?? ''}/${ref.name ?? ''}`);
};

import type { PodSpec } from './types/pod-spec.ts';

/** A ConfigMap or Secret that the pods of a template read. */
export interface ConfigReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** The keys that are read; undefined where all are. */
  readonly keys: ReadonlySet<string> | undefined;
  /** True where no container needs it to start. */
  readonly optional: boolean;
}

interface Noted { keys: Set<string> | undefined; optional: boolean }

/** Every ConfigMap and Secret in env, envFrom and volumes (projected ones too), each once, in the order of kind and name. */
export const configReferences = (spec: PodSpec): readonly ConfigReference[] => {
  const found = new Map<string, Noted>();
  const note = (kind: ConfigReference['kind'], name: string | undefined, keys: readonly string[] | undefined, optional: boolean | undefined): void => {
    if (name === undefined || name === '') return;
    const id = `${kind}/${name}`;
    const known = found.get(id);
    if (known === undefined) {
      found.set(id, { keys: keys === undefined ? undefined : new Set(keys), optional: optional === true });
      return;
    }
    known.keys = keys === undefined || known.keys === undefined ? undefined : new Set([...known.keys, ...keys]);
    known.optional &&= optional === true;
  };
  const ofItems = (items: readonly { readonly key: string }[] | undefined): readonly string[] | undefined => (items === undefined || items.length === 0 ? undefined : items.map(({ key }) => key));
  for (const { env = [], envFrom = [] } of [...(spec.initContainers ?? []), ...spec.containers]) {
    for (const { configMapRef, secretRef } of envFrom) {
      note('ConfigMap', configMapRef?.name, undefined, configMapRef?.optional);
      note('Secret', secretRef?.name, undefined, secretRef?.optional);
    }
    for (const { valueFrom } of env) {
      const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
      if (configMapKeyRef !== undefined) note('ConfigMap', configMapKeyRef.name, [configMapKeyRef.key], configMapKeyRef.optional);
      if (secretKeyRef !== undefined) note('Secret', secretKeyRef.name, [secretKeyRef.key], secretKeyRef.optional);
    }
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    if (configMap !== undefined) note('ConfigMap', configMap.name, ofItems(configMap.items), configMap.optional);
    if (secret !== undefined) note('Secret', secret.secretName, ofItems(secret.items), secret.optional);
    for (const source of projected?.sources ?? []) {
      if (source.configMap !== undefined) note('ConfigMap', source.configMap.name, ofItems(source.configMap.items), source.configMap.optional);
      if (source.secret !== undefined) note('Secret', source.secret.name, ofItems(source.secret.items), source.secret.optional);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, noted]) => {
    const slash = id.indexOf('/');
    return { kind: id.slice(0, slash) as ConfigReference['kind'], name: id.slice(slash + 1), keys: noted.keys, optional: noted.optional };
  });
};

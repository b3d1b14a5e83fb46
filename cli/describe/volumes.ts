import type { Volume } from '../../schemas/types/volume.ts';
import type { Page } from './page.ts';

/** What describe says of each volume source; others are shown by their name and fields. */
const sources: Readonly<Record<string, { readonly type: string; readonly fields: (source: Readonly<Record<string, unknown>>) => readonly (readonly [string, unknown])[] }>> = {
  emptyDir: { type: "EmptyDir (a temporary directory that shares a pod's lifetime)", fields: (source) => [['Medium', source['medium'] ?? ''], ['SizeLimit', source['sizeLimit'] ?? '<unset>']] },
  hostPath: { type: 'HostPath (bare host directory volume)', fields: (source) => [['Path', source['path']], ['HostPathType', source['type'] ?? '']] },
  configMap: { type: 'ConfigMap (a volume populated by a ConfigMap)', fields: (source) => [['Name', source['name']], ['Optional', source['optional'] ?? false]] },
  secret: { type: 'Secret (a volume populated by a Secret)', fields: (source) => [['SecretName', source['secretName']], ['Optional', source['optional'] ?? false]] },
  downwardAPI: { type: 'DownwardAPI (a volume populated by information about the pod)', fields: () => [] },
  persistentVolumeClaim: { type: 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)', fields: (source) => [['ClaimName', source['claimName']], ['ReadOnly', source['readOnly'] ?? false]] },
};

type Source = Readonly<Record<string, unknown>>;

const projectedLines = (page: Page, source: Source): void => {
  page.field(2, 'Type', 'Projected (a volume that contains injected data from multiple sources)');
  for (const part of (source['sources'] as readonly Readonly<Record<string, Source>>[] | undefined) ?? []) {
    if (part['secret'] !== undefined) page.field(2, 'SecretName', part['secret']['name']).field(2, 'SecretOptionalName', part['secret']['optional'] ?? '<nil>');
    if (part['configMap'] !== undefined) page.field(2, 'ConfigMapName', part['configMap']['name']).field(2, 'ConfigMapOptional', part['configMap']['optional'] ?? '<nil>');
    if (part['downwardAPI'] !== undefined) page.field(2, 'DownwardAPI', 'true');
    if (part['serviceAccountToken'] !== undefined) page.field(2, 'TokenExpirationSeconds', part['serviceAccountToken']['expirationSeconds'] ?? 3607);
  }
};

/** The volumes of a pod or template. */
export const addVolumes = (page: Page, volumes: readonly Volume[] | undefined, level: 0 | 1): void => {
  if (volumes === undefined || volumes.length === 0) {
    page.line(level, 'Volumes:\t<none>');
    return;
  }
  page.line(level, 'Volumes:');
  for (const { name, ...rest } of volumes) {
    page.line(0, `${level === 0 ? '  ' : '   '}${name}:`);
    const [kind, source] = Object.entries(rest).find(([, value]) => value !== undefined) as [string, Source] | undefined ?? ['emptyDir', {}];
    if (kind === 'projected') {
      projectedLines(page, source);
      continue;
    }
    const known = sources[kind];
    page.field(2, 'Type', known?.type ?? kind);
    for (const [field, value] of known?.fields(source) ?? Object.entries(source)) page.field(2, field, value);
  }
};

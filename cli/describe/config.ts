import type { BodyOf } from '../../schemas/kind.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { addBounds } from './bounds.ts';
import { related, type Describer } from './describer.ts';
import { Page, shownAnnotations } from './page.ts';

const bytesOf = (base64: string): number => Buffer.byteLength(base64, 'base64');

export const configMap: Describer<BodyOf<typeof ConfigMap>> = ({ metadata, data, binaryData }) => {
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace)
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .line(0, '').line(0, 'Data').line(0, '====');
  for (const [key, value] of Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    page.line(0, `${key}:`).line(0, '----');
    for (const line of value.split('\n')) page.line(0, line.replaceAll('\t', '    '));
    page.line(0, '');
  }
  page.line(0, '').line(0, 'BinaryData').line(0, '====');
  for (const [key, value] of Object.entries(binaryData ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) page.line(0, `${key}: ${bytesOf(value)} bytes`);
  return page.line(0, '');
};

/** Never the values, only how long they are. */
export const secret: Describer<BodyOf<typeof Secret>> = ({ metadata, data, type }) => {
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace)
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .line(0, '').field(0, 'Type', type ?? 'Opaque').line(0, '').line(0, 'Data').line(0, '====');
  for (const [key, value] of Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) page.field(0, key, `${bytesOf(value)} bytes`);
  return page;
};

export const namespace: Describer<BodyOf<typeof Namespace>> = async ({ metadata, status }, about) => {
  const page = new Page().field(0, 'Name', metadata.name).pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .field(0, 'Status', status?.phase ?? '');
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    page.line(0, 'Conditions:').line(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage').line(1, '----\t------\t------------------\t------\t-------');
    for (const one of conditions) page.line(1, `${one.type}\t${one.status}\t${one.lastTransitionTime ?? ''}\t${one.reason ?? ''}\t${one.message ?? ''}`);
  }
  await addBounds(page, metadata.name ?? '', about);
  return page;
};

/** The secrets that belong to it; one that it names and that is not there is marked. */
export const serviceAccount: Describer<BodyOf<typeof ServiceAccount>> = async ({ metadata, secrets, imagePullSecrets }, about) => {
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace)
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ');
  const there = await related<BodyOf<typeof Secret>>(about, 'secrets', { namespace: metadata.namespace });
  const names = new Set(there.map((one) => one.metadata.name));
  const tokens = there.filter((one) => one.type === 'kubernetes.io/service-account-token' && one.metadata.annotations?.['kubernetes.io/service-account.name'] === metadata.name);
  const list = (title: string, of: readonly (string | undefined)[]): void => {
    for (const [at, name] of (of.length === 0 ? ['<none>'] : of).entries()) {
      page.line(0, `${at === 0 ? `${title}:` : ''}\t${name ?? ''}${name !== '<none>' && !names.has(name) ? ' (not found)' : ''}`);
    }
  };
  list('Image pull secrets', (imagePullSecrets ?? []).map(({ name }) => name));
  list('Mountable secrets', (secrets ?? []).map(({ name }) => name));
  list('Tokens', tokens.map((one) => one.metadata.name));
  return page;
};

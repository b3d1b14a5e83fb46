import type { ApiObject, BodyOf } from '../../schemas/kind.ts';
import type { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { Namespace } from '../../schemas/kinds/core/namespace.ts';
import type { Secret } from '../../schemas/kinds/core/secret.ts';
import type { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { related, type DescribeContext, type Describer } from './describer.ts';
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

interface Quota extends ApiObject {
  readonly status?: { readonly hard?: Readonly<Record<string, string>>; readonly used?: Readonly<Record<string, string>> };
}

type Amounts = Readonly<Record<string, string>> | undefined;

interface Limits extends ApiObject {
  readonly spec?: { readonly limits?: readonly { readonly type: string; readonly min?: Amounts; readonly max?: Amounts; readonly default?: Amounts; readonly defaultRequest?: Amounts; readonly maxLimitRequestRatio?: Amounts }[] };
}

/** What holds in a namespace; a server without such objects says nothing about them. */
const addBounds = async (page: Page, name: string, about: DescribeContext): Promise<void> => {
  const discovery = await about.session.discovery();
  if (discovery.find('resourcequotas') !== undefined) {
    const quotas = await related<Quota>(about, 'resourcequotas', { namespace: name });
    page.line(0, '').line(0, quotas.length === 0 ? 'No resource quota.' : 'Resource Quotas');
    for (const { metadata, status } of quotas) {
      page.line(1, `Name:\t${metadata.name ?? ''}`).line(1, 'Resource\tUsed\tHard').line(1, '--------\t---\t---');
      for (const resource of Object.keys(status?.hard ?? {}).sort()) page.line(1, `${resource}\t${status?.used?.[resource] ?? '0'}\t${status?.hard?.[resource] ?? ''}`);
    }
  }
  if (discovery.find('limitranges') === undefined) return;
  const ranges = await related<Limits>(about, 'limitranges', { namespace: name });
  page.line(0, '').line(0, ranges.length === 0 ? 'No LimitRange resource.' : 'Resource Limits');
  if (ranges.length === 0) return;
  page.line(0, ' Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio').line(0, ' ----\t--------\t---\t---\t---------------\t-------------\t-----------------------');
  for (const { type, min, max, default: limit, defaultRequest, maxLimitRequestRatio } of ranges.flatMap(({ spec }) => spec?.limits ?? [])) {
    const columns = [min, max, defaultRequest, limit, maxLimitRequestRatio];
    for (const resource of [...new Set(columns.flatMap((amounts) => Object.keys(amounts ?? {})))].sort()) {
      page.line(0, ` ${[type, resource, ...columns.map((amounts) => amounts?.[resource] ?? '-')].join('\t')}`);
    }
  }
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

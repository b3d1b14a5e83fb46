import type { BodyOf } from '../../schemas/kind.ts';
import type { LimitRange } from '../../schemas/kinds/core/limit-range.ts';
import type { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { related, type DescribeContext, type Describer } from './describer.ts';
import { Page } from './page.ts';

type Quota = BodyOf<typeof ResourceQuota>;
type Limits = BodyOf<typeof LimitRange>;

/** A row for each resource that a quota limits: what is used, and what is allowed. */
const addUsage = (page: Page, level: number, { status }: Quota): void => {
  for (const resource of Object.keys(status?.hard ?? {}).sort()) page.line(level, `${resource}\t${status?.used?.[resource] ?? '0'}\t${status?.hard?.[resource] ?? ''}`);
};

const limitHeaders = ['Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio', '----\t--------\t---\t---\t---------------\t-------------\t-----------------------'];

/** A row for each resource that a range says something about. */
const limitRows = ({ spec }: Limits): readonly string[] => (spec?.limits ?? []).flatMap(({ type, min, max, default: limit, defaultRequest, maxLimitRequestRatio }) => {
  const columns = [min, max, defaultRequest, limit, maxLimitRequestRatio];
  const resources = [...new Set(columns.flatMap((amounts) => Object.keys(amounts ?? {})))].sort();
  return resources.map((resource) => [type, resource, ...columns.map((amounts) => amounts?.[resource] ?? '-')].join('\t'));
});

/** What holds in a namespace; a server without such objects says nothing about them. */
export const addBounds = async (page: Page, name: string, about: DescribeContext): Promise<void> => {
  const discovery = await about.session.discovery();
  if (discovery.find('resourcequotas') !== undefined) {
    const quotas = await related<Quota>(about, 'resourcequotas', { namespace: name });
    page.line(0, '').line(0, quotas.length === 0 ? 'No resource quota.' : 'Resource Quotas');
    for (const quota of quotas) {
      page.line(1, `Name:\t${quota.metadata.name ?? ''}`).line(1, 'Resource\tUsed\tHard').line(1, '--------\t---\t---');
      addUsage(page, 1, quota);
    }
  }
  if (discovery.find('limitranges') === undefined) return;
  const ranges = await related<Limits>(about, 'limitranges', { namespace: name });
  page.line(0, '').line(0, ranges.length === 0 ? 'No LimitRange resource.' : 'Resource Limits');
  if (ranges.length === 0) return;
  for (const line of [...limitHeaders, ...ranges.flatMap(limitRows)]) page.line(0, ` ${line}`);
};

/** What a scope counts, for those who do not know the word. */
const scopeNotes: Readonly<Record<string, string>> = {
  Terminating: 'pods with activeDeadlineSeconds',
  NotTerminating: 'pods without activeDeadlineSeconds',
  BestEffort: 'pods that name neither requests nor limits',
  NotBestEffort: 'pods that name requests or limits',
};

export const resourceQuota: Describer<Quota> = (quota) => {
  const { metadata, spec } = quota;
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace);
  const scopes = [...(spec?.scopes ?? [])].sort();
  if (scopes.length > 0) page.field(0, 'Scopes', scopes.join(', '));
  for (const scope of scopes) if (scopeNotes[scope] !== undefined) page.line(0, ` * ${scope}: ${scopeNotes[scope]}`);
  page.line(0, 'Resource\tUsed\tHard').line(0, '--------\t----\t----');
  addUsage(page, 0, quota);
  return page;
};

export const limitRange: Describer<Limits> = (range) => {
  const page = new Page().field(0, 'Name', range.metadata.name).field(0, 'Namespace', range.metadata.namespace);
  for (const line of [...limitHeaders, ...limitRows(range)]) page.line(0, line);
  return page;
};

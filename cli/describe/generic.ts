import type { Describer } from './describer.ts';
import { Page, shownAnnotations } from './page.ts';

const metadataShown = new Set(['name', 'namespace', 'labels', 'annotations', 'managedFields']);

const acronyms = new Set(['Api', 'Url', 'Uid', 'Osb', 'Guid']);

/** `podCIDR` as words: `Pod CIDR`; `apiVersion` as `API Version`. */
const words = (field: string): string => {
  const spaced = field.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
  return (spaced.charAt(0).toUpperCase() + spaced.slice(1)).split(' ').map((word) => (acronyms.has(word) ? word.toUpperCase() : word)).join(' ');
};

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

const lines = (page: Page, level: number, map: Readonly<Record<string, unknown>>): void => {
  for (const key of Object.keys(map).sort()) {
    const value = map[key];
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) {
      page.line(level, `${words(key)}:`);
      for (const item of value as readonly unknown[]) {
        if (isNested(item)) lines(page, level + 1, item as Readonly<Record<string, unknown>>);
        else page.line(level + 1, String(item));
      }
    } else if (isNested(value)) {
      page.line(level, `${words(key)}:`);
      lines(page, level + 1, value as Readonly<Record<string, unknown>>);
    } else {
      page.field(level, words(key), value);
    }
  }
};

/** Any object: all its fields, in the order of their names. */
export const describer: Describer = (object) => {
  const { metadata, ...rest } = object as typeof object & Readonly<Record<string, unknown>>;
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace ?? '')
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ');
  const others = Object.fromEntries(Object.entries(metadata).filter(([key]) => !metadataShown.has(key)).map(([key, value]) => [key, value as unknown]));
  lines(page, 0, { ...rest, metadata: others });
  return page;
};

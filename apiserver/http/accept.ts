/** What a client would like to be answered with: media ranges, and Kubernetes' `as=`, `v=`, `g=` on top of them. */

export interface MediaRange {
  /** `application/json`, in small letters. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 to 1. */
  readonly quality: number;
}

const maxRanges = 32;

/** The ranges of an Accept header, best first; those of one quality stay in their order, and those of quality 0 are left out. */
export const parseAccept = (header: string): readonly MediaRange[] =>
  header.split(',', maxRanges).map((text): MediaRange => {
    const [type = '', ...rest] = text.split(';').map((one) => one.trim());
    const parameters = new Map(rest.map((one): [string, string] => {
      const at = one.indexOf('=');
      return at < 0 ? [one.toLowerCase(), ''] : [one.slice(0, at).trim().toLowerCase(), one.slice(at + 1).trim().replaceAll(/^"|"$/g, '')];
    }));
    const quality = Number(parameters.get('q') ?? 1);
    return { type: type.toLowerCase(), parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
  }).filter((range) => range.type !== '' && range.quality > 0).sort((a, b) => b.quality - a.quality);

/** True when the range takes an answer of this type. */
export const covers = (range: MediaRange, type: string): boolean =>
  range.type === type || range.type === '*/*' || (range.type.endsWith('/*') && type.startsWith(range.type.slice(0, -1)));

/** How an object is shown: as it is, as a table for people, or its metadata alone. */
export interface Representation {
  readonly as: 'object' | 'table' | 'metadata';
  /** Version of meta.k8s.io for tables and metadata. */
  readonly version: 'v1' | 'v1beta1';
  /** YAML is for objects and lists as they are; a watch cannot be told in it. */
  readonly encoding: 'json' | 'yaml';
}

const plain: Representation = Object.freeze({ as: 'object', version: 'v1', encoding: 'json' });
const yaml: Representation = Object.freeze({ ...plain, encoding: 'yaml' });
const views: ReadonlyMap<string, Representation['as']> = new Map([
  ['Table', 'table'], ['PartialObjectMetadata', 'metadata'], ['PartialObjectMetadataList', 'metadata'],
]);

const negotiate = (ranges: readonly MediaRange[]): Representation | undefined => {
  for (const range of ranges) {
    const as = range.parameters.get('as');
    if (range.type === 'application/yaml' && as === undefined) return yaml;
    if (!covers(range, 'application/json')) continue;
    if (as === undefined) return plain;
    const view = views.get(as);
    const version = range.parameters.get('v') ?? 'v1';
    if (view !== undefined && range.parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1')) return { as: view, version, encoding: 'json' };
  }
  return undefined;
};

/** Clients send few different headers, again and again; what they mean is remembered. */
const remembered = new Map<string, Representation | undefined>();
const maxRemembered = 128;
const maxRememberedLength = 512;

/** How to show objects to a client with this Accept header; undefined when it takes nothing that there is (406). */
export const representationFor = (header: string | undefined): Representation | undefined => {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json') return plain;
  if (remembered.has(header)) return remembered.get(header);
  const found = negotiate(parseAccept(header));
  if (remembered.size < maxRemembered && header.length <= maxRememberedLength) remembered.set(header, found);
  return found;
};

/** The same for what can only be shown as it is: the answer to a question is no table. */
export const wholeFor = (header: string): Representation | undefined =>
  negotiate(parseAccept(header).filter(({ parameters }) => !parameters.has('as')));

/** True when an Accept-Encoding header takes gzip. */
export const takesGzip = (header: string | undefined): boolean =>
  header !== undefined && header.includes('gzip') && parseAccept(header).some((range) => range.type === 'gzip' || range.type === '*');

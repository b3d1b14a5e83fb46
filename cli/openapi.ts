/**
 * What the server's OpenAPI v3 says about a kind: its fields, for explain, and how its lists merge, for apply and edit.
 * One document a group version is read, when it is first needed.
 */
import type { Api } from './api.ts';
import type { Resource } from './discovery.ts';

export interface SchemaNode {
  readonly $ref?: string;
  readonly allOf?: readonly SchemaNode[];
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

interface Operation {
  readonly requestBody?: { readonly content?: Readonly<Record<string, unknown>> };
  readonly 'x-kubernetes-group-version-kind'?: { readonly group: string; readonly version: string; readonly kind: string };
}

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, SchemaNode>> };
  readonly paths?: Readonly<Record<string, { readonly patch?: Operation }>>;
}

/** A $ref chain longer than this is a loop. */
const maxRefs = 32;
const refPrefix = '#/components/schemas/';

/** The document of one group version. */
export class OpenApi {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The schema with its references followed; what stands beside a reference (a description) wins. */
  resolve(node: SchemaNode): SchemaNode {
    let found = node;
    for (let hops = 0; hops < maxRefs; hops++) {
      const ref = found.$ref ?? (found.allOf?.length === 1 ? found.allOf[0]?.$ref : undefined);
      if (ref === undefined) return found;
      const target = ref.startsWith(refPrefix) ? this.#document.components?.schemas?.[decodeURIComponent(ref.slice(refPrefix.length))] : undefined;
      if (target === undefined) return found;
      const { $ref: _, allOf: __, ...beside } = found;
      found = { ...target, ...beside };
    }
    return found;
  }

  /** Name of the type that a field refers to: `Container` of `io.k8s.api.core.v1.Container`. */
  typeName(node: SchemaNode): string {
    const ref = node.$ref ?? (node.allOf?.length === 1 ? node.allOf[0]?.$ref : undefined);
    if (ref !== undefined) {
      // A named text, such as a time, is shown as what it is on the wire.
      const target = this.resolve(node);
      return target.properties !== undefined || target.type === undefined || target.type === 'object' ? ref.slice(ref.lastIndexOf('.') + 1) : target.type;
    }
    if (node.type === 'array') return `[]${node.items === undefined ? 'Object' : this.typeName(node.items)}`;
    if (node.type === 'object' && typeof node.additionalProperties === 'object') return `map[string]${this.typeName(node.additionalProperties)}`;
    return node.type ?? (node.format === 'int-or-string' ? 'IntOrString' : 'Object');
  }

  /** The schema of a kind, or undefined when the document has none. */
  ofKind({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): SchemaNode | undefined {
    return Object.values(this.#document.components?.schemas ?? {}).find((schema) =>
      schema['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind));
  }

  /** False for kinds, such as custom ones, whose PATCH takes no strategic merge patch. */
  takesStrategicPatch({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): boolean {
    const operation = Object.values(this.#document.paths ?? {}).map((path) => path.patch).find((patch) => {
      const gvk = patch?.['x-kubernetes-group-version-kind'];
      return gvk?.group === group && gvk.version === version && gvk.kind === kind;
    });
    const content = operation?.requestBody?.content;
    return content === undefined || 'application/strategic-merge-patch+json' in content || '*/*' in content;
  }
}

/** Reads the documents of a server, each once. */
export class OpenApiReader {
  readonly #api: Api;
  readonly #signal: AbortSignal;
  readonly #documents = new Map<string, Promise<OpenApi | undefined>>();
  #index: Promise<Readonly<Record<string, { readonly serverRelativeURL: string }>>> | undefined;

  constructor(api: Api, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** The document of a group version, or undefined when the server has none. */
  of({ group, version }: Pick<Resource, 'group' | 'version'>): Promise<OpenApi | undefined> {
    const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    let document = this.#documents.get(path);
    if (document === undefined) this.#documents.set(path, document = this.#read(path));
    return document;
  }

  async #read(path: string): Promise<OpenApi | undefined> {
    this.#index ??= this.#api.getJson('/openapi/v3', 'application/json', this.#signal).then((body) => (body as { paths?: Record<string, { serverRelativeURL: string }> }).paths ?? {});
    const entry = (await this.#index)[path];
    return entry === undefined ? undefined : new OpenApi(await this.#api.getJson(entry.serverRelativeURL, 'application/json', this.#signal) as Document);
  }
}

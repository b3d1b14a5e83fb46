import type { FieldError } from './errors.ts';
import type { Draft } from './frozen.ts';
import { object, string, as, type Schema, type Static, type JsonSchema } from './schema.ts';
import { ObjectMeta } from './types/object-meta.ts';

/** What all API objects have in common. Stored ones always carry a name, uid and resourceVersion. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** One column of `get`. */
export interface Column<Body> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `name` for the first column; empty otherwise. */
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, more only with -o wide. */
  readonly priority: number;
  /** The cell. Ages are written with `age(timestamp, nowMs)` from table-cells.ts. */
  readonly cell: (object: Body, nowMs: number) => string | number | boolean | null;
}

/** JSON paths (without a leading dot) at which `/scale` finds its numbers. */
export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  /** Where the selector is; a LabelSelector object or a string. */
  readonly selectorPath: string;
}

/** A subresource with rules of its own; its handler is the file of that name in apiserver/subresources. */
export interface SpecialSubresource {
  /** Kind of its request or answer body, for discovery: `Binding`, `PodExecOptions`, ... */
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  /** As discovery lists them: `create`, `get`, `update`, ... */
  readonly verbs: readonly string[];
}

/** What a client can do with the objects of a kind; the verbs of discovery and of access rules. */
export type ObjectVerb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** An object without what its kind says by itself. */
export type Converted = Omit<ApiObject, 'apiVersion' | 'kind'> & Readonly<Record<string, unknown>>;

/**
 * The objects of a kind that is a second form of another: another version of it, or the same resource in another group.
 * Only the other kind's form is stored, completed, admitted, checked and watched; this one is how some clients read and
 * write it. Both functions are pure and lose nothing: what one form cannot say it carries in annotations.
 */
export interface StoredAs<Body> {
  /** A kind that is stored as it is. */
  readonly kind: AnyKind;
  /** From a decoded body with this kind's defaults, of which it may keep parts. */
  readonly toStored: (object: Body) => Converted;
  /** From a stored object, which is frozen and of which it may keep parts. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly fromStored: (stored: any) => Converted;
}

/**
 * How the objects of a kind come from the store and go there, where that is not as they are: in another version, or
 * written before the schema was what it is now.
 */
export interface StoredForm {
  /** The version in which objects are stored from now on, such as `example.com/v1`. */
  readonly apiVersion: string;
  /** False where a webhook converts objects of other versions. */
  readonly isImmediate: boolean;
  /** Stored objects as the kind shows them: frozen, and the same objects where nothing differs. A promise where a webhook converts. */
  read(stored: readonly ApiObject[]): readonly ApiObject[] | Promise<readonly ApiObject[]>;
  /** One stored object at once; undefined where only a webhook could tell. */
  readNow(stored: ApiObject): ApiObject | undefined;
  /** An object of the kind as it is stored. */
  write(object: ApiObject): ApiObject | Promise<ApiObject>;
}

/** What is true of kinds that a CustomResourceDefinition makes. */
export interface CustomKind {
  /** Name of the definition. */
  readonly definition: string;
  /** Name of the kind of lists. */
  readonly listKind: string;
  /** True for the version in which objects are stored. */
  readonly isStored: boolean;
  /** True while the definition is being deleted: nothing new is taken. */
  readonly isTerminating: boolean;
}

export interface Subresources {
  readonly status?: true;
  readonly scale?: ScaleSubresource;
  readonly special?: Readonly<Record<string, SpecialSubresource>>;
}

/** What clients write of an object's metadata and may change. */
export type ReportedMetadata = 'annotations' | 'finalizers' | 'labels' | 'ownerReferences';

/**
 * Kind is everything the cluster knows about one sort of object. Routes, checks, OpenAPI, discovery, patch and apply
 * semantics, tables and TypeScript types are derived from it.
 */
export interface Kind<Body extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly schema: Schema<Body>;
  /** Selectable fields beside metadata.name and metadata.namespace, by path; watches are indexed by them. */
  readonly fields: Readonly<Record<string, (object: Body) => string>>;
  readonly columns: readonly Column<Body>[];
  readonly subresources: Subresources;
  /**
   * True for a kind of which many objects are made from one template. What decoding, defaults and `prepare` make of a new
   * object must then hang on nothing but its body without the name.
   */
  readonly moulded?: true | undefined;
  /** The verbs that are served; all of them where absent. */
  readonly verbs?: readonly ObjectVerb[] | undefined;
  /** The kind in whose form the objects are stored, if not in this one's. */
  readonly storedAs?: StoredAs<Body> | undefined;
  /** Rule for metadata.name; a DNS-1123 subdomain where absent. The reason why not, or undefined. */
  readonly nameRule?: ((name: string) => string | undefined) | undefined;
  /** What all requests for the kind are warned of. */
  readonly deprecation?: string | undefined;
  /** Status of a new object (`{phase: 'Pending'}`), which counts and not the one in the body. */
  readonly initialStatus?: ((object: Body) => unknown) | undefined;
  /** True where an update must name the version that it was made from. */
  readonly updateNamesVersion?: true | undefined;
  /** True where an update of an object that does not exist creates it. */
  readonly createOnUpdate?: true | undefined;
  /**
   * Members whose changes `metadata.generation` counts, `metadata.annotations` and `metadata.labels` among them; where absent,
   * `spec` if there is one. Empty for a kind with a spec whose objects have no generation.
   */
  readonly generationCounts?: readonly string[] | undefined;
  /** What a write to the object itself makes of its status. */
  readonly statusOnUpdate?: ((object: Body, status: unknown) => unknown) | undefined;
  /** A finalizer that a delete puts on the object, so that it stays until the server has cleaned up behind it. */
  readonly deletionFinalizer?: string | undefined;
  /** There for kinds that a CustomResourceDefinition makes: bodies are taken as they are, and pruned, defaulted and checked by rules of their own. */
  readonly custom?: CustomKind | undefined;
  /** How objects come from the store and go there, if not as they are. */
  readonly stored?: StoredForm | undefined;
  /** Seconds of grace for a delete that names none; undefined removes at once. */
  readonly defaultGraceSeconds?: ((object: Body) => number) | undefined;
  /** Defaults that JSON Schema cannot say. Runs after the schema's own, on create, update and patch. */
  readonly prepare?: ((draft: Draft<Body>, old: Body | undefined) => void) | undefined;
  /**
   * What the server gives a new object beyond defaults, such as a selector with the object's UID. It runs after `prepare`,
   * once, and belongs to no field manager.
   */
  readonly generate?: ((draft: Draft<Body>) => void) | undefined;
  /** Every wrong field that the schema cannot see: formats, cross-field rules, fields that may not change. */
  readonly validate?: ((object: Body, old: Body | undefined) => readonly FieldError[]) | undefined;
  /**
   * What the writer of an object that is taken should know all the same, a line each; clients print them beside the answer.
   * Parts that an update leaves as they were are the same references as in `old`.
   */
  readonly warn?: ((object: Body, old: Body | undefined) => readonly string[]) | undefined;
  /** Rules that take time, or that only an object that is right otherwise can be held to; for a write of the object and of its status. */
  readonly rules?: ((object: Body, old: Body | undefined) => readonly FieldError[]) | undefined;
  /**
   * What of its metadata a write to /status leaves as it is, whatever the body says: all of it, or some members. The rest
   * counts there too, as in Kubernetes, whose controllers write an annotation and the status in one.
   */
  readonly statusKeeps?: 'metadata' | readonly ReportedMetadata[] | undefined;
  /** Rules for a write to /status. */
  readonly validateStatus?: ((object: Body, old: Body) => readonly FieldError[]) | undefined;
}

// A Kind uses its body only as a parameter of functions; any Kind<Body> can stand where bodies are not known.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyKind = Kind<any>;

/** The type of a kind's objects: `type Pod = BodyOf<typeof Pod>`. */
export type BodyOf<K> = K extends Kind<infer Body> ? Body : never;

type KindWords<Body extends ApiObject> =
  & Omit<Kind<Body>, 'singular' | 'shortNames' | 'categories' | 'fields' | 'subresources' | 'schema'>
  & Partial<Pick<Kind<Body>, 'singular' | 'shortNames' | 'categories' | 'fields' | 'subresources'>>;

/** The schema of a top-level object: apiVersion, kind and metadata, and the kind's own members. */
export const topLevel = <F extends Readonly<Record<string, JsonSchema>>, const R extends keyof F & string = never>(
  name: string, description: string, members: F, required: readonly R[] = [],
) => object(name, description, {
  apiVersion: string('Version of the schema of this object.'),
  kind: string('Name of the kind.'),
  metadata: as(ObjectMeta, 'Name, labels and life of the object.', { 'x-barge-default-object': true }),
  ...members,
}, ['apiVersion', 'kind', 'metadata', ...required] as readonly ('apiVersion' | 'kind' | 'metadata' | R)[]);

/** Makes a Kind; what is not said is empty, and the singular is the kind in small letters. */
export const defineKind = <S extends Schema<ApiObject>>(schema: S, words: KindWords<Static<S> & ApiObject>): Kind<Static<S> & ApiObject> => Object.freeze({
  singular: words.kind.toLowerCase(), shortNames: [], categories: [], fields: {}, subresources: {},
  ...words, schema: schema as unknown as Schema<Static<S> & ApiObject>,
});

/** Says that a kind is another form of a stored one: `storedAs: storedAs(HorizontalPodAutoscaler, { toStored, fromStored })`. */
export const storedAs = <Body, Stored extends ApiObject>(kind: Kind<Stored>, conversion: {
  readonly toStored: (object: Body) => Converted; readonly fromStored: (stored: Stored) => Converted;
}): StoredAs<Body> => ({ kind, ...conversion });

/** The kind in whose form the objects of a kind are stored: mostly the kind itself. */
export const storageKindOf = (kind: AnyKind): AnyKind => kind.storedAs?.kind ?? kind;

const reportedMembers: readonly ReportedMetadata[] = ['annotations', 'finalizers', 'labels', 'ownerReferences'];

/** What of the metadata counts in a write to /status. */
export const reportedMetadata = ({ statusKeeps = [] }: Pick<AnyKind, 'statusKeeps'>): readonly ReportedMetadata[] =>
  (statusKeeps === 'metadata' ? [] : reportedMembers.filter((member) => !statusKeeps.includes(member)));

export const serves = (kind: AnyKind, verb: ObjectVerb): boolean => kind.verbs === undefined || kind.verbs.includes(verb);

/** `v1` or `apps/v1`. */
export const apiVersionOf = (kind: { readonly group: string; readonly version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

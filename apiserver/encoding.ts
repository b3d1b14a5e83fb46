/**
 * The JSON bytes of objects and events, made once and shared.
 *
 * An object that is stored is frozen, so its bytes cannot change: they are encoded when somebody first asks and kept
 * beside the object as long as the object lives. A list is a join of such buffers, and an event goes to a thousand
 * watchers as one buffer. A fresh write costs no second stringify: the text that went to the store is kept until the
 * bytes are wanted, and the resourceVersion is set into it.
 */
import type { WatchEvent } from '../schemas/api.ts';
import { deepFreeze } from '../schemas/frozen.ts';
import type { ApiObject } from '../schemas/kind.ts';

/** What is known of a stored object's bytes: the bytes, the store's text (without resourceVersion), or nothing yet. */
const known = new WeakMap<object, Buffer | string | null>();
const lines = new WeakMap<object, Buffer>();

/**
 * The object as it stands at a revision: frozen, with its resourceVersion, and with its bytes kept by `jsonOf`. `text`
 * is the store's JSON of the object without a resourceVersion, if the caller has it at hand.
 */
export const storedObject = (object: ApiObject, revision: number, text?: string): ApiObject => {
  const resourceVersion = String(revision);
  const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion } });
  known.set(stored, text ?? null);
  return stored;
};

/** The object's JSON with its resourceVersion. A stored object is encoded once; any other each time. Never change the buffer. */
export const jsonOf = (object: ApiObject): Buffer => {
  const have = known.get(object);
  if (have === undefined) return Buffer.from(JSON.stringify(object));
  if (have !== null && typeof have !== 'string') return have;
  const text = have === null ? undefined : withRevision(have, object.metadata.resourceVersion);
  const bytes = ownBuffer(text ?? JSON.stringify(object));
  known.set(object, bytes);
  return bytes;
};

/** The line `{"type":..,"object":..}\n` of a watch stream; made once for a frozen event and shared by all its watchers. */
export const eventLineOf = (event: WatchEvent): Buffer => {
  const have = lines.get(event);
  if (have !== undefined) return have;
  const line = Buffer.concat([Buffer.from(`{"type":"${event.type}","object":`), jsonOf(event.object), closing]);
  if (Object.isFrozen(event)) lines.set(event, line);
  return line;
};

const closing = Buffer.from('}\n');
const metadataStart = '"metadata":{';

/**
 * The store writes kind, apiVersion and metadata first, and quotes inside strings are escaped, so the first `"metadata":{`
 * is the object's own. Undefined when the text is not of that form.
 */
const withRevision = (text: string, revision: string | undefined): string | undefined => {
  const found = text.startsWith('{"kind":"') ? text.indexOf(metadataStart) : -1;
  if (found < 0 || revision === undefined) return undefined;
  const at = found + metadataStart.length;
  return `${text.slice(0, at)}"resourceVersion":"${revision}"${text[at] === '}' ? '' : ','}${text.slice(at)}`;
};

/** Bytes of their own: a long-lived slice of Node's pool would keep the whole pool alive. */
const ownBuffer = (text: string): Buffer => {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
};

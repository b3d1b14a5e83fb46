/**
 * The JSON of objects and events, made once and shared.
 *
 * An object that is stored is frozen, so its text cannot change: it is kept beside the object as long as the object lives.
 * For a fresh write it is the text that went to the store with the resourceVersion set into it; one that was loaded is
 * encoded when somebody first asks. A list is a join of such texts, and an event goes to a thousand watchers as one buffer.
 *
 * Texts are kept as strings, and not as buffers as they once were: a buffer of its own for each object cost a tenth of a
 * write (its memory is allocated and counted outside of the heap), and the socket takes a string of ASCII as it is.
 */
import type { WatchEvent } from '../schemas/api.ts';
import { deepFreeze } from '../schemas/frozen.ts';
import type { ApiObject } from '../schemas/kind.ts';

/** The text of a stored object with its resourceVersion; null where it was not asked for yet. */
const known = new WeakMap<object, string | null>();
const lines = new WeakMap<object, Buffer>();

/** The events whose lines are kept, oldest first: those of the moment. A watch from the past makes its lines anew. */
let recent: WatchEvent[] = [];
let recentBytes = 0;
const maxRecentBytes = 2 * 2 ** 20;

const keepLine = (event: WatchEvent, line: Buffer): void => {
  lines.set(event, line);
  recent.push(event);
  recentBytes += line.length;
  if (recentBytes <= maxRecentBytes) return;
  // All but the newest: whoever is behind by so much is a reader or two, and not a thousand.
  for (const old of recent) if (old !== event) lines.delete(old);
  recent = [event];
  recentBytes = line.length;
};

/**
 * The object as it stands at a revision: frozen, with its resourceVersion, and with its text kept by `jsonOf`. `text`
 * is the store's JSON of the object without a resourceVersion, if the caller has it at hand.
 */
export const storedObject = (object: ApiObject, revision: number, text?: string): ApiObject => {
  const resourceVersion = String(revision);
  const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion } });
  known.set(stored, (text === undefined ? undefined : withRevision(text, resourceVersion)) ?? null);
  return stored;
};

/** Lets go of the text of a stored object; it is made again if somebody asks. */
export const forgetText = (object: ApiObject): void => {
  if (known.has(object)) known.set(object, null);
};

/** The object's JSON with its resourceVersion. That of a stored object is made once; any other each time. */
export const jsonOf = (object: ApiObject): string => {
  const have = known.get(object);
  if (have !== undefined && have !== null) return have;
  const text = JSON.stringify(object);
  if (have === null) known.set(object, text);
  return text;
};

/** The line `{"type":..,"object":..}\n` of a watch stream; made once for a frozen event, shared by all its watchers and kept for a while. Never change the buffer. */
export const eventLineOf = (event: WatchEvent): Buffer => {
  const have = lines.get(event);
  if (have !== undefined) return have;
  const line = Buffer.from(`{"type":"${event.type}","object":${jsonOf(event.object)}}\n`);
  if (Object.isFrozen(event)) keepLine(event, line);
  return line;
};

const metadataStart = '"metadata":{';

/**
 * The store writes kind, apiVersion and metadata first, and quotes inside strings are escaped, so the first `"metadata":{`
 * is the object's own. Undefined when the text is not of that form.
 */
const withRevision = (text: string, revision: string): string | undefined => {
  const found = text.startsWith('{"kind":"') ? text.indexOf(metadataStart) : -1;
  if (found < 0) return undefined;
  const at = found + metadataStart.length;
  return `${text.slice(0, at)}"resourceVersion":"${revision}"${text[at] === '}' ? '' : ','}${text.slice(at)}`;
};

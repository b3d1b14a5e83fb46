/** JSON with sorted keys and without absent members: one text for equal values. */
const canonical = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  return `{${Object.keys(members).filter((key) => members[key] !== undefined).sort().map((key) => `${JSON.stringify(key)}:${canonical(members[key])}`).join(',')}}`;
};

/** FNV-1a with 32 bits over the UTF-8 bytes. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
};

/** No vowels and no 0, 1, 3: nothing that reads as a word or that one can mistake. */
const safeLetters = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short name for a value, the same for equal values at all times: it ends up in names and labels. The collision count
 * makes another name when this one is taken by a different value.
 */
export const shortHash = (value: unknown, collisionCount = 0): string => {
  const text = canonical(value) + (collisionCount === 0 ? '' : `#${collisionCount}`);
  // Each digit becomes a letter; the map is one to one, so nothing of the hash is lost.
  return [...String(fnv1a(text))].map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length]).join('');
};

/** Letters of generated names: no vowels and nothing that is mistaken for another, so that no words come out. Those of Kubernetes. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxNameLength = 63;

/** A name from a prefix and five random letters; the prefix is cut so that the whole has at most 63 characters. */
export const generatedName = (prefix: string, random: () => number): string => {
  let name = prefix.slice(0, maxNameLength - suffixLength);
  for (let index = 0; index < suffixLength; index++) name += letters[Math.floor(random() * letters.length)];
  return name;
};

const bytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const word = (random: () => number): string => {
  const bits = Math.floor(random() * 2 ** 32);
  return bytes[bits >>> 24]! + bytes[(bits >>> 16) & 255]! + bytes[(bits >>> 8) & 255]! + bytes[bits & 255]!;
};

/** A random UUID (version 4). */
export const newUid = (random: () => number): string => {
  const hex = word(random) + word(random) + word(random) + word(random);
  const variant = '89ab'[Math.floor(random() * 4)];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** Programs of a few hundred bytes that a node makes by itself, for it need have neither a registry nor a compiler. */
export type ProgramArchitecture = 'amd64' | 'arm64';

const loadAddress = 0x400000;
const headerBytes = 64 + 56;

/** The machine code as a static ELF file with one readable and executable segment, entered at its first byte. */
export const elfProgram = (architecture: ProgramArchitecture, code: Buffer): Buffer => {
  const size = headerBytes + code.length;
  const head = Buffer.alloc(headerBytes);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0); // ELF, 64 bit, little endian
  head.writeUInt16LE(2, 16); // an executable
  head.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(loadAddress + headerBytes), 24); // entry
  head.writeBigUInt64LE(64n, 32); // program headers follow
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt16LE(64, 58);
  head.writeUInt32LE(1, 64); // PT_LOAD
  head.writeUInt32LE(5, 68); // read, execute
  head.writeBigUInt64LE(BigInt(loadAddress), 80);
  head.writeBigUInt64LE(BigInt(loadAddress), 88);
  head.writeBigUInt64LE(BigInt(size), 96);
  head.writeBigUInt64LE(BigInt(size), 104);
  head.writeBigUInt64LE(0x10000n, 112); // 64 KiB: the largest page of arm64
  return Buffer.concat([head, code]);
};

/** Instructions of arm64 as bytes. */
export const codeOfWords = (words: readonly number[]): Buffer => {
  const code = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) code.writeUInt32LE(word >>> 0, index * 4);
  return code;
};

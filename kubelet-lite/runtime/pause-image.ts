/**
 * The image of a pod's sandbox: one static program of a few hundred bytes that ignores SIGCHLD (so that the kernel reaps
 * the orphans of a shared PID namespace) and sleeps for ever. It is put together here, byte by byte, so that a node needs
 * neither a registry nor a compiler to start its first pod.
 */
export type PauseArchitecture = 'amd64' | 'arm64';

/** Raise the version when the program changes: an engine keeps the image that it has. */
export const pauseImageName = 'barge/pause:1';

const loadAddress = 0x400000;
const headerBytes = 64 + 56;

const sigchld = 17;
/** struct sigaction of the kernel: handler SIG_IGN, no flags, no restorer, empty mask; 8 bytes each. */
const ignoreAction = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);

const amd64Code = (): Buffer => {
  const tail = [
    0x31, 0xd2, //                          xor  edx, edx            no old action
    0x41, 0xba, 8, 0, 0, 0, //              mov  r10d, 8             size of the mask
    0x0f, 0x05, //                          syscall
    0xb8, 34, 0, 0, 0, //             loop: mov  eax, 34             pause
    0x0f, 0x05, //                          syscall
    0xeb, 0xf7, //                          jmp  loop
  ];
  return Buffer.from([
    0xb8, 13, 0, 0, 0, //                   mov  eax, 13             rt_sigaction
    0xbf, sigchld, 0, 0, 0, //              mov  edi, SIGCHLD
    0x48, 0x8d, 0x35, tail.length, 0, 0, 0, // lea  rsi, [rip + action], which follows the code
    ...tail,
  ]);
};

const arm64Code = (): Buffer => {
  const movz = (register: number, value: number): number => 0xd2800000 + (value << 5) + register;
  const svc = 0xd4000001;
  const loop = [movz(0, 0), movz(1, 0), movz(2, 0), movz(3, 0), movz(4, 0), movz(8, 73) /* ppoll of nothing: for ever */, svc];
  const back = 0x14000000 + (-loop.length & 0x3ffffff);
  const before = [movz(2, 0), movz(3, 8), movz(8, 134) /* rt_sigaction */, svc, ...loop, back];
  const distance = 4 + before.length * 4;
  const adrX1 = 0x10000000 + ((distance & 3) << 29) + ((distance >> 2) << 5) + 1;
  const words = [movz(0, sigchld), adrX1, ...before];
  const code = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) code.writeUInt32LE(word >>> 0, index * 4);
  return code;
};

/** The program as a static ELF file with one readable and executable segment. */
export const pauseProgram = (architecture: PauseArchitecture): Buffer => {
  const text = Buffer.concat([architecture === 'amd64' ? amd64Code() : arm64Code(), ignoreAction]);
  const size = headerBytes + text.length;
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
  return Buffer.concat([head, text]);
};

/** A tar archive of one executable file, as the engine's import takes it. */
export const tarOf = (path: string, content: Buffer): Buffer => {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, bytes: number): void => {
    header.write(`${value.toString(8).padStart(bytes - 1, '0')}\0`, at, 'latin1');
  };
  header.write(path, 0, 'latin1');
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.fill(' ', 148, 156);
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(header.reduce((sum, byte) => sum + byte, 0), 148, 7);
  header.write(' ', 155, 'latin1');
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
};

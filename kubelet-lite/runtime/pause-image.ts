/**
 * The image of a pod's sandbox: one static program of a few hundred bytes that ignores SIGCHLD (so that the kernel reaps
 * the orphans of a shared PID namespace) and sleeps for ever. It is put together here, byte by byte, so that a node needs
 * neither a registry nor a compiler to start its first pod.
 */
import { codeOfWords, elfProgram, type ProgramArchitecture } from './elf-program.ts';

/** Raise the version when the program changes: an engine keeps the image that it has. */
export const pauseImageName = 'barge/pause:1';

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
  return codeOfWords([movz(0, sigchld), adrX1, ...before]);
};

/** The program as a static ELF file. */
export const pauseProgram = (architecture: ProgramArchitecture): Buffer =>
  elfProgram(architecture, Buffer.concat([architecture === 'amd64' ? amd64Code() : arm64Code(), ignoreAction]));

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

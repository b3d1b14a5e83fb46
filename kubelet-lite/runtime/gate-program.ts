/**
 * The gate that a container of a warm sandbox goes through. Docker gives each container a host name of its own kernel
 * namespace, and to one that joins a sandbox the sandbox's, which was chosen before anybody knew of the pod. The name is
 * set from outside as soon as the container is there (host-names.ts); so that its program never sees another, the
 * container starts with this one, which waits until the name is right and then becomes the program.
 *
 *     start HOSTNAME FILE WORDS PATH... "" PROGRAM ARGUMENT...
 *
 * It tries the paths in turn. When none can be executed it writes the words to its error output and to the file, and
 * ends with 127 where no path was there, else with 126, as a shell does. It needs no right and no library, and is gone
 * from memory when the program begins. Its waiting costs a system call a millisecond.
 */
import { codeOfWords, elfProgram, type ProgramArchitecture } from './elf-program.ts';

const amd64Code = Buffer.from([
  0x48, 0x89, 0xe5,                              // mov rbp,rsp
  0x48, 0x81, 0xec, 0x90, 0x01, 0x00, 0x00,      // sub rsp,0x190
  0xb8, 0x3f, 0x00, 0x00, 0x00,                  // wait: mov eax,0x3f -- is the name here the one that was asked for?
  0x48, 0x89, 0xe7,                              // mov rdi,rsp
  0x0f, 0x05,                                    // syscall
  0x48, 0x8d, 0x74, 0x24, 0x41,                  // lea rsi,[rsp+0x41]
  0x48, 0x8b, 0x7d, 0x10,                        // mov rdi,[rbp+0x10]
  0x8a, 0x06,                                    // same: mov al,[rsi]
  0x3a, 0x07,                                    // cmp al,[rdi]
  0x75, 0x50,                                    // jne rest
  0x48, 0xff, 0xc6,                              // inc rsi
  0x48, 0xff, 0xc7,                              // inc rdi
  0x84, 0xc0,                                    // test al,al
  0x75, 0xf0,                                    // jne same
  0x48, 0x8b, 0x45, 0x00,                        // mov rax,[rbp+0x0]
  0x48, 0x8d, 0x54, 0xc5, 0x10,                  // lea rdx,[rbp+rax*8+0x10]
  0x48, 0x8d, 0x5d, 0x28,                        // lea rbx,[rbp+0x28]
  0x49, 0x89, 0xdc,                              // mov r12,rbx
  0x41, 0xbd, 0x7f, 0x00, 0x00, 0x00,            // mov r13d,0x7f
  0x49, 0x8b, 0x04, 0x24,                        // program: mov rax,[r12] -- the program and its arguments follow the empty one
  0x49, 0x83, 0xc4, 0x08,                        // add r12,0x8
  0x80, 0x38, 0x00,                              // cmp [rax],0x0
  0x75, 0xf3,                                    // jne program
  0x48, 0x8b, 0x3b,                              // try: mov rdi,[rbx] -- the paths in turn, until one becomes the program
  0x80, 0x3f, 0x00,                              // cmp [rdi],0x0
  0x74, 0x37,                                    // je failed
  0x4c, 0x89, 0xe6,                              // mov rsi,r12
  0xb8, 0x3b, 0x00, 0x00, 0x00,                  // mov eax,0x3b
  0x0f, 0x05,                                    // syscall
  0x48, 0x83, 0xc3, 0x08,                        // add rbx,0x8
  0x83, 0xf8, 0xfe,                              // cmp eax,0xfffffffe
  0x74, 0xe5,                                    // je try
  0x41, 0xbd, 0x7e, 0x00, 0x00, 0x00,            // mov r13d,0x7e
  0xeb, 0xdd,                                    // jmp try
  0x68, 0x40, 0x42, 0x0f, 0x00,                  // rest: push 0xf4240 -- no: look again in a millisecond
  0x6a, 0x00,                                    // push 0x0
  0x48, 0x89, 0xe7,                              // mov rdi,rsp
  0x31, 0xf6,                                    // xor esi,esi
  0xb8, 0x23, 0x00, 0x00, 0x00,                  // mov eax,0x23
  0x0f, 0x05,                                    // syscall
  0x48, 0x83, 0xc4, 0x10,                        // add rsp,0x10
  0xe9, 0x7b, 0xff, 0xff, 0xff,                  // jmp wait
  0x48, 0x8b, 0x75, 0x20,                        // failed: mov rsi,[rbp+0x20] -- none did: say so in the log and in the file of last words
  0xba, 0xff, 0xff, 0xff, 0xff,                  // mov edx,0xffffffff
  0xff, 0xc2,                                    // length: inc edx
  0x80, 0x3c, 0x16, 0x00,                        // cmp [rsi+rdx*1],0x0
  0x75, 0xf8,                                    // jne length
  0xbf, 0x02, 0x00, 0x00, 0x00,                  // mov edi,0x2
  0xb8, 0x01, 0x00, 0x00, 0x00,                  // mov eax,0x1
  0x0f, 0x05,                                    // syscall
  0x41, 0x89, 0xd0,                              // mov r8d,edx
  0x48, 0x8b, 0x7d, 0x18,                        // mov rdi,[rbp+0x18]
  0xbe, 0x01, 0x02, 0x00, 0x00,                  // mov esi,0x201
  0xb8, 0x02, 0x00, 0x00, 0x00,                  // mov eax,0x2
  0x0f, 0x05,                                    // syscall
  0x89, 0xc7,                                    // mov edi,eax
  0x48, 0x8b, 0x75, 0x20,                        // mov rsi,[rbp+0x20]
  0x44, 0x89, 0xc2,                              // mov edx,r8d
  0xb8, 0x01, 0x00, 0x00, 0x00,                  // mov eax,0x1
  0x0f, 0x05,                                    // syscall
  0x44, 0x89, 0xef,                              // mov edi,r13d
  0xb8, 0x3c, 0x00, 0x00, 0x00,                  // mov eax,0x3c
  0x0f, 0x05,                                    // syscall
]);

const arm64Words = [
  0x910003f3,  // mov x19, sp
  0xd10643ff,  // sub sp, sp, #0x190
  0xd2801408,  // wait: mov x8, #0xa0 -- is the name here the one that was asked for?
  0x910003e0,  // mov x0, sp
  0xd4000001,  // svc #0x0
  0x910107e1,  // add x1, sp, #0x41
  0xf9400a62,  // ldr x2, [x19, #16]
  0x38401423,  // same: ldrb w3, [x1], #1
  0x38401444,  // ldrb w4, [x2], #1
  0x6b04007f,  // cmp w3, w4
  0x540002c1,  // b.ne rest
  0x35ffff83,  // cbnz w3, same
  0xf9400263,  // ldr x3, [x19]
  0x8b030e74,  // add x20, x19, x3, lsl #3
  0x91004294,  // add x20, x20, #0x10
  0x9100a275,  // add x21, x19, #0x28
  0xaa1503f6,  // mov x22, x21
  0xd2800ff7,  // mov x23, #0x7f
  0xf84086c3,  // program: ldr x3, [x22], #8 -- the program and its arguments follow the empty one
  0x39400063,  // ldrb w3, [x3]
  0x35ffffc3,  // cbnz w3, program
  0xf84086a0,  // try: ldr x0, [x21], #8 -- the paths in turn, until one becomes the program
  0x39400003,  // ldrb w3, [x0]
  0x34000243,  // cbz w3, failed
  0xaa1603e1,  // mov x1, x22
  0xaa1403e2,  // mov x2, x20
  0xd2801ba8,  // mov x8, #0xdd
  0xd4000001,  // svc #0x0
  0xb100081f,  // cmn x0, #0x2
  0x54ffff00,  // b.eq try
  0xd2800fd7,  // mov x23, #0x7e
  0x17fffff6,  // b try
  0xd2884803,  // rest: mov x3, #0x4240 -- no: look again in a millisecond
  0xf2a001e3,  // movk x3, #0xf, lsl #16
  0xa9bf0fff,  // stp xzr, x3, [sp, #-16]!
  0x910003e0,  // mov x0, sp
  0xaa1f03e1,  // mov x1, xzr
  0xd2800ca8,  // mov x8, #0x65
  0xd4000001,  // svc #0x0
  0x910043ff,  // add sp, sp, #0x10
  0x17ffffda,  // b wait
  0xf9401261,  // failed: ldr x1, [x19, #32] -- none did: say so in the log and in the file of last words
  0x92800002,  // mov x2, #0xffffffffffffffff
  0x91000442,  // length: add x2, x2, #0x1
  0x38626823,  // ldrb w3, [x1, x2]
  0x35ffffc3,  // cbnz w3, length
  0xaa0203f8,  // mov x24, x2
  0xd2800040,  // mov x0, #0x2
  0xd2800808,  // mov x8, #0x40
  0xd4000001,  // svc #0x0
  0x92800c60,  // mov x0, #0xffffffffffffff9c
  0xf9400e61,  // ldr x1, [x19, #24]
  0xd2804022,  // mov x2, #0x201
  0xd2800708,  // mov x8, #0x38
  0xd4000001,  // svc #0x0
  0xf9401261,  // ldr x1, [x19, #32]
  0xaa1803e2,  // mov x2, x24
  0xd2800808,  // mov x8, #0x40
  0xd4000001,  // svc #0x0
  0xaa1703e0,  // mov x0, x23
  0xd2800ba8,  // mov x8, #0x5d
  0xd4000001,  // svc #0x0
];

export const gateProgram = (architecture: ProgramArchitecture): Buffer =>
  elfProgram(architecture, architecture === 'amd64' ? amd64Code : codeOfWords(arm64Words));

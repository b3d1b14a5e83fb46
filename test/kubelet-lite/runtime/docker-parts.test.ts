import test from 'ava';
import * as fc from 'fast-check';
import type Docker from 'dockerode';
import { engineWords, runtimeError } from '../../../kubelet-lite/runtime/docker-errors.ts';
import { linesOf } from '../../../kubelet-lite/runtime/docker-events.ts';
import { healthOf, withTag } from '../../../kubelet-lite/runtime/docker-images.ts';
import { labels, sandboxStates } from '../../../kubelet-lite/runtime/docker-labels.ts';
import { cpuShares } from '../../../kubelet-lite/resources/cgroup-limits.ts';
import { sampleFrom } from '../../../kubelet-lite/runtime/docker-stats.ts';
import { demultiplex } from '../../../kubelet-lite/runtime/docker-streams.ts';
import { pauseProgram, tarOf } from '../../../kubelet-lite/runtime/pause-image.ts';

const frame = (stream: number, text: string): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('frames are taken apart however they are cut', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string())), fc.array(fc.integer({ min: 1, max: 20 })), async (frames, sizes) => {
    const heard = { stdout: '', stderr: '' };
    const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    for await (const { stream, data } of demultiplex(cut(Buffer.concat(frames.map(([stream, text]) => frame(stream, text))), sizes))) parts[stream].push(Buffer.from(data));
    for (const stream of ['stdout', 'stderr'] as const) heard[stream] = Buffer.concat(parts[stream]).toString();
    const said = (stream: number): string => frames.filter(([one]) => one === stream).map(([, text]) => text).join('');
    t.deepEqual(heard, { stdout: said(1), stderr: said(2) });
  }), { numRuns: 50 });
});

test('lines are whole, also where a letter is cut', async (t) => {
  const lines: string[] = [];
  for await (const line of linesOf(cut(Buffer.from('{"a":"ä"}\n{"b":1}\n'), [1]))) lines.push(line);
  t.deepEqual(lines, ['{"a":"ä"}', '{"b":1}']);
});

test('an error has the engine\'s own words, and no answer means no engine', (t) => {
  const refused = Object.assign(new Error('(HTTP code 409) conflict - in use '), { statusCode: 409, json: { message: 'in use' } });
  t.is(engineWords(refused), 'in use');
  t.is(runtimeError('CreateContainerError', refused).reason, 'CreateContainerError');
  t.is(runtimeError('CreateContainerError', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })).reason, 'EngineUnavailable');
});

test('image names get their tag', (t) => {
  t.deepEqual(['a', 'a:1', 'r:5000/a', 'a@sha256:x'].map(withTag), ['a:latest', 'a:1', 'r:5000/a:latest', 'a@sha256:x']);
});

test('CPU weights', (t) => t.deepEqual([0, 1, 100, 1000, 2500].map(cpuShares), [2, 2, 102, 1024, 2560]));

test('statistics of both versions of cgroups', (t) => {
  const read = '2026-01-01T00:00:00Z';
  t.like(sampleFrom({ read, cpu_stats: { cpu_usage: { total_usage: 7 } }, memory_stats: { usage: 100, stats: { total_inactive_file: 30 } } }), { cpuNanoseconds: 7, memoryBytes: 100, workingSetBytes: 70 });
  t.is(sampleFrom({ read, memory_stats: { usage: 100, stats: { inactive_file: 130 } } }).workingSetBytes, 0);
  t.is(sampleFrom({ read }).memoryBytes, 0);
});

test('rows of a listing become pods; what events told is newer', (t) => {
  const row = (id: string, type: string, extra: Record<string, string>, state = 'running') => ({
    Id: id, Image: 'sha', ImageID: 'sha256:1', Created: 10, State: state, NetworkSettings: { Networks: { barge: { IPAddress: '10.0.0.9' } } },
    Labels: { [labels.type]: type, [labels.podUid]: 'u', [labels.attempt]: '0', ...extra },
  }) as unknown as Docker.ContainerInfo;
  const rows = [
    row('c2', 'container', { [labels.sandbox]: 's', [labels.container]: 'a', [labels.attempt]: '10' }), row('c1', 'container', { [labels.sandbox]: 's', [labels.container]: 'a', [labels.attempt]: '9' }),
    row('lost', 'container', { [labels.sandbox]: 'other' }), row('s', 'sandbox', {}),
  ];
  const [orphan, sandbox, ...others] = sandboxStates(rows, new Map([['c1', { startedAtMs: 1, finishedAtMs: 2, exitCode: 3 }], ['c2', { startedAtMs: 4 }]]));
  t.deepEqual(others, []);
  // Somebody removed the sandbox: what may still run in it is found, under one that is lost and older than all others.
  t.like(orphan, { id: 'other', ready: false, ip: undefined, podUid: 'u', attempt: -1 });
  t.deepEqual(orphan?.containers.map(({ id, status }) => [id, status]), [['lost', 'running']]);
  t.like(sandbox, { id: 's', ready: true, ip: '10.0.0.9' });
  t.deepEqual(sandbox?.containers.map(({ id, status, exitCode }) => [id, status, exitCode]), [['c1', 'exited', 3], ['c2', 'running', undefined]]);
  t.like(sandboxStates(rows, new Map([['s', { exitCode: 137 }]]))[1], { ready: false, ip: undefined });
});

test('the sandbox program is a small static ELF, and its archive is a tar of one file', (t) => {
  for (const architecture of ['amd64', 'arm64'] as const) {
    const program = pauseProgram(architecture);
    t.is(program.toString('latin1', 1, 4), 'ELF');
    t.true(program.length < 512);
    t.is(Number(program.readBigUInt64LE(96)), program.length, 'the segment is the whole file');
  }
  const archive = tarOf('pause', pauseProgram('amd64'));
  t.is(archive.length % 512, 0);
  const sum = archive.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  t.is(Number.parseInt(archive.toString('latin1', 148, 154), 8), sum);
});

test('the check of an image, in both forms, with the engine\'s defaults', (t) => {
  t.deepEqual(healthOf({ Healthcheck: { Test: ['CMD', 'a', 'b'] } }), { command: ['a', 'b'], intervalSeconds: 30, timeoutSeconds: 30, retries: 3 });
  t.deepEqual(healthOf({ Healthcheck: { Test: ['CMD-SHELL', 'a || b'], Interval: 1_500_000_000, Timeout: 1_000_000, Retries: 5 } }), { command: ['/bin/sh', '-c', 'a || b'], intervalSeconds: 2, timeoutSeconds: 1, retries: 5 });
  t.deepEqual(healthOf({ Healthcheck: { Test: ['CMD-SHELL', 'a'], Interval: 0 }, Shell: ['/bin/ash', '-ec'] })?.command, ['/bin/ash', '-ec', 'a']);
  for (const none of [{}, { Healthcheck: null }, { Healthcheck: {} }, { Healthcheck: { Test: [] } }, { Healthcheck: { Test: ['NONE'] } }, { Healthcheck: { Test: ['CMD'] } }]) t.is(healthOf(none), undefined);
});

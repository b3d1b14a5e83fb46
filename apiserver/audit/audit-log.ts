/**
 * The audit log as a file: one JSON line an event. Events wait in memory, up to a limit, and are appended in batches; a
 * disk that does not keep up, or is full, loses events and not requests, and what was lost is counted and logged.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Log } from '../../base/log.ts';
import type { Counter, Metrics } from '../../base/metrics/metrics.ts';
import type { AuditSink } from './auditor.ts';
import type { AuditEvent } from './event.ts';

export interface AuditLogOptions {
  readonly file: string;
  /** Size at which the file is put aside as `FILE.1`, and `FILE.1` as `FILE.2`. */
  readonly maxBytes: number;
  /** Files that are put aside; older ones are removed. */
  readonly maxBackups: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Bytes that may wait to be written; 16 MiB where absent. */
  readonly waitingBytes?: number | undefined;
}

/** An event with larger objects is written without them. */
const maxEventBytes = 1024 * 1024;
const defaultWaitingBytes = 16 * 1024 * 1024;

const lineOf = (event: AuditEvent): string => {
  const line = JSON.stringify(event);
  if (line.length <= maxEventBytes) return `${line}\n`;
  const { requestObject: _request, responseObject: _response, ...rest } = event;
  return `${JSON.stringify({ ...rest, annotations: { ...event.annotations, 'audit.k8s.io/truncated': 'true' } })}\n`;
};

export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions;
  readonly #lost: Counter;
  #handle: FileHandle;
  #size: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #lostSinceLog = 0;

  private constructor(options: AuditLogOptions, handle: FileHandle, size: number) {
    this.#options = options;
    this.#handle = handle;
    this.#size = size;
    this.#lost = options.metrics.counter({ name: 'apiserver_audit_error_total', help: 'Events of the audit log that were lost.', labels: ['plugin'] }).of('log');
  }

  /** Opens the file, or makes it with mode 0600. Rejects when it cannot be written. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const handle = await open(options.file, 'a', 0o600);
    return new AuditLog(options, handle, (await handle.stat()).size);
  }

  write(event: AuditEvent): void {
    const line = lineOf(event);
    if (this.#waitingBytes + line.length > (this.#options.waitingBytes ?? defaultWaitingBytes)) return this.#lose(1);
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#drain();
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#handle.close();
  }

  async #drain(): Promise<void> {
    // Events of one turn go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#append(lines);
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    try {
      const bytes = Buffer.from(lines.join(''));
      if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) await this.#rotate();
      await this.#handle.appendFile(bytes);
      this.#size += bytes.length;
      if (this.#lostSinceLog > 0) {
        this.#options.log.error('events of the audit log were lost', { count: this.#lostSinceLog, file: this.#options.file });
        this.#lostSinceLog = 0;
      }
    } catch (error) {
      if (this.#lostSinceLog === 0) this.#options.log.error('the audit log cannot be written', { file: this.#options.file, error });
      this.#lose(lines.length);
    }
  }

  async #rotate(): Promise<void> {
    const { file, maxBackups } = this.#options;
    const aside = (number: number): string => `${file}.${number}`;
    await rm(maxBackups === 0 ? file : aside(maxBackups), { force: true });
    for (let number = maxBackups - 1; number >= 0; number--) {
      await rename(number === 0 ? file : aside(number), aside(number + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    const handle = await open(file, 'a', 0o600);
    await this.#handle.close();
    this.#handle = handle;
    this.#size = 0;
  }

  #lose(count: number): void {
    this.#lost.add(count);
    this.#lostSinceLog += count;
  }
}

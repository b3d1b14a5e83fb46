/** Log lines are a message and fields. An error is logged once, where it is handled. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines carry these fields too. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Takes one whole line without its newline. */
  readonly write: (line: string) => void;
  readonly now: () => number;
}

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const plain = (value: unknown): unknown => (value instanceof Error ? (value.stack ?? value.message) : value);

const textValue = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(plain(value)) ?? 'undefined';
  return /[\s"=]/.test(text) && !text.startsWith('"') ? JSON.stringify(text) : text;
};

export const createLog = (options: LogOptions, fixed: LogFields = {}): Log => {
  const emit = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (order.indexOf(level) < order.indexOf(options.level)) return;
    const time = new Date(options.now()).toISOString();
    const all = { ...fixed, ...fields };
    if (options.format === 'json') {
      const values = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, plain(value)]));
      options.write(JSON.stringify({ time, level, message, ...values }));
    } else {
      const words = Object.entries(all).map(([key, value]) => `${key}=${textValue(plain(value))}`);
      options.write([time, level.toUpperCase().padEnd(5), message, ...words].join(' '));
    }
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => createLog(options, { ...fixed, ...fields }),
  };
};

/** A log that says nothing. */
export const silentLog: Log = createLog({ level: 'error', format: 'text', write: () => undefined, now: () => 0 });

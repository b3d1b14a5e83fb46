import { RuntimeError, type RuntimeReason } from './runtime.ts';

/** The HTTP status of an engine's refusal; undefined when no engine answered. */
export const statusOf = (error: unknown): number | undefined => {
  const code = (error as { readonly statusCode?: unknown } | undefined)?.statusCode;
  return typeof code === 'number' ? code : undefined;
};

export const isMissing = (error: unknown): boolean => statusOf(error) === 404;

/** The engine's own words, without the HTTP client's frame around them. */
export const engineWords = (error: unknown): string => {
  const body = (error as { readonly json?: { readonly message?: unknown } | null } | undefined)?.json?.message;
  const text = typeof body === 'string' ? body : error instanceof Error ? error.message : String(error);
  return text.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
};

const connectionErrors = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EACCES', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** The error for the agent: EngineUnavailable when no engine answered, else the given reason, with the engine's words. */
export const runtimeError = (reason: RuntimeReason, error: unknown): RuntimeError => {
  if (error instanceof RuntimeError) return error;
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  const lost = statusOf(error) === undefined && typeof code === 'string' && connectionErrors.has(code);
  return new RuntimeError(lost ? 'EngineUnavailable' : reason, lost ? `the container engine does not answer: ${engineWords(error)}` : engineWords(error), { cause: error });
};

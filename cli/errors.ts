import { ApiError } from '../schemas/errors.ts';
import { CommandError } from './command.ts';
import { UsageError } from './flags.ts';

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
}

const isSystemError = (error: unknown): error is SystemError => error instanceof Error && typeof (error as { code?: unknown }).code === 'string';

const apiErrorLine = (error: ApiError): string => {
  const details = error.details;
  const causes = details?.causes ?? [];
  if (error.reason === 'Invalid' && details?.kind !== undefined && details.name !== undefined && causes.length > 0) {
    const lines = causes.map((cause) => (cause.field === undefined ? `${cause.message}` : `${cause.field}: ${cause.message}`));
    const head = `The ${details.kind} "${details.name}" is invalid: `;
    return lines.length === 1 ? `${head}${lines[0]}` : `${head}\n${lines.map((line) => `* ${line}`).join('\n')}`;
  }
  if (error.reason === 'Unauthorized') return 'error: You must be logged in to the server (Unauthorized)';
  return `Error from server (${error.reason}): ${error.message}`;
};

/** The message, and those of its causes that say something new. */
const withCauses = (error: Error): string => {
  let text = error.message;
  for (let { cause } = error; cause instanceof Error; { cause } = cause) if (!text.includes(cause.message)) text += `: ${cause.message}`;
  return text;
};

/** What is printed on standard error for a failure, in kubectl's words, and the exit code that goes with it. */
export const describeFailure = (error: unknown, commandPath: string): { readonly text: string; readonly exitCode: number } => {
  if (error instanceof UsageError) return { text: `error: ${error.message}\nSee '${commandPath} --help' for usage.`, exitCode: 1 };
  if (error instanceof CommandError) return { text: error.plain ? error.message : `error: ${error.message}`, exitCode: error.exitCode };
  // Named, not imported: the classes live in modules that most failures do not need.
  if (error instanceof Error && (error.name === 'KubeconfigError' || error.name === 'JsonPathError')) return { text: `error: ${error.message}`, exitCode: 1 };
  if (error instanceof AggregateError && error.errors.length > 0 && error.errors.every((part) => part instanceof Error)) {
    return describeFailure(error.errors[0], commandPath);
  }
  if (error instanceof ApiError && (isSystemError(error.cause) || error.cause instanceof AggregateError)) return describeFailure(error.cause, commandPath);
  if (error instanceof ApiError) return { text: apiErrorLine(error), exitCode: 1 };
  if (isSystemError(error) && (error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND')) {
    const at = error.address === undefined ? '' : ` ${error.address}:${error.port}`;
    return { text: `The connection to the server${at} was refused - did you specify the right host or port?`, exitCode: 1 };
  }
  if (isSystemError(error)) return { text: `error: ${error.message}`, exitCode: 1 };
  // What this program throws itself is worded for people. Its faults are errors of other classes, and show where they are.
  if (error instanceof Error && error.constructor === Error) return { text: `error: ${withCauses(error)}`, exitCode: 1 };
  return { text: `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, exitCode: 1 };
};

/** The line for one failed object among several: the command goes on with the others. */
export const failureLine = (error: unknown): string => describeFailure(error, 'barge').text;

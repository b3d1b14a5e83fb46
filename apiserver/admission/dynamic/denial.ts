import { ApiError, statusCodes, type Reason, type Status, type StatusDetails } from '../../../schemas/errors.ts';
import { isObject } from '../../patch/json.ts';

/** A refusal in the words, with the code and for the reason of somebody outside: codes and reasons need not be such as this server has. */
export class Denial extends ApiError {
  override readonly code: number;
  readonly #reasonText: string;

  constructor({ message, code, reason, details }: { readonly message: string; readonly code: number; readonly reason: string; readonly details: StatusDetails | undefined }) {
    super(reasonFor(code, reason), message, details);
    this.code = code;
    this.#reasonText = reason;
  }

  override toStatus(): Status {
    const { reason: _, ...status } = super.toStatus();
    return { ...status, ...(this.#reasonText === '' ? {} : { reason: this.#reasonText }) };
  }
}

const reasonFor = (code: number, reason: string): Reason => {
  if (Object.hasOwn(statusCodes, reason)) return reason as Reason;
  return (Object.entries(statusCodes) as [Reason, number][]).find(([, one]) => one === code)?.[0] ?? (code >= 500 ? 'InternalError' : 'BadRequest');
};

/** Causes that are passed on. */
const maxCauses = 64;
/** Longest text of somebody outside that is passed on, in UTF-16 units. */
const maxLength = 16 * 1024;

const textsOf = (from: unknown, names: readonly string[]): Readonly<Record<string, string>> =>
  (isObject(from) ? Object.fromEntries(names.flatMap((name) => (typeof from[name] === 'string' ? [[name, from[name].slice(0, maxLength)]] : []))) : {});

/** What is known of a Status' details, of the types that it must be of. */
const detailsOf = (details: unknown): StatusDetails | undefined => {
  if (!isObject(details)) return undefined;
  const { causes, retryAfterSeconds } = details;
  return {
    ...textsOf(details, ['name', 'group', 'kind', 'uid']),
    ...(Array.isArray(causes) ? { causes: causes.slice(0, maxCauses).map((cause) => textsOf(cause, ['reason', 'message', 'field'])) } : {}),
    ...(typeof retryAfterSeconds === 'number' && Number.isSafeInteger(retryAfterSeconds) && retryAfterSeconds >= 0 ? { retryAfterSeconds } : {}),
  };
};

/** What the client is told when a webhook refuses its request, as Kubernetes words it. */
export const deniedBy = (webhook: string, { message, reason, code, details }: Partial<Status>): Denial => {
  const because = typeof message === 'string' && message !== '' ? message : typeof reason === 'string' ? reason : '';
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const isError = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599;
  return new Denial({
    message: because === '' ? `${denied} without explanation` : `${denied}: ${because.slice(0, maxLength)}`,
    code: isError ? code : 400, reason: typeof reason === 'string' ? reason.slice(0, 256) : '', details: detailsOf(details),
  });
};

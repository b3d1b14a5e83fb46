/**
 * The one error that crosses the API. It is thrown by the server's rules, goes over the wire as a `Status` and comes
 * back out of every transport as the same class. Reasons, codes and message forms are those that kubectl and client-go
 * know (`isNotFound`, retry on conflict, print of causes).
 */

/** HTTP status code of each reason. */
export const statusCodes = {
  BadRequest: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404, MethodNotAllowed: 405, NotAcceptable: 406,
  AlreadyExists: 409, Conflict: 409, Gone: 410, Expired: 410, RequestEntityTooLarge: 413, URITooLong: 414, UnsupportedMediaType: 415,
  Invalid: 422, TooManyRequests: 429, HeaderFieldsTooLarge: 431, InternalError: 500, ServiceUnavailable: 503, Timeout: 504,
} as const;

export type Reason = keyof typeof statusCodes;

/** Why one field is wrong; the words that Kubernetes' clients know. */
export type CauseType =
  | 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueNotSupported' | 'FieldValueDuplicate'
  | 'FieldValueForbidden' | 'FieldValueNotFound' | 'FieldValueTooMany' | 'FieldValueTooLong' | 'FieldValueTypeInvalid';

/** One wrong field: its path (`spec.containers[0].name`), why, and in `message` what would be right. */
export interface FieldError {
  readonly reason: CauseType;
  readonly field: string;
  readonly message: string;
}

export interface StatusCause {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly field?: string | undefined;
}

export interface StatusDetails {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly uid?: string | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** The body of every failed answer, and of a delete that is done at once. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly resourceVersion?: string | undefined; readonly continue?: string | undefined };
  readonly status: 'Success' | 'Failure';
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly details?: StatusDetails | undefined;
  readonly code?: number | undefined;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly reason: Reason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** A fresh `continue` token, for an expired one. */
  readonly continueToken: string | undefined;

  constructor(reason: Reason, message: string, details?: StatusDetails, options: { readonly cause?: unknown; readonly continueToken?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.code = statusCodes[reason];
    this.details = details;
    this.continueToken = options.continueToken;
  }

  toStatus(): Status {
    return {
      kind: 'Status', apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure', message: this.message, reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }), code: this.code,
    };
  }

  /** The error that a `Status` body stands for. An unknown reason falls back on the code's usual one. */
  static fromStatus(status: Status): ApiError {
    const code = status.code ?? 500;
    const byCode = (Object.keys(statusCodes) as Reason[]).find((reason) => statusCodes[reason] === code);
    const reason = status.reason !== undefined && status.reason in statusCodes ? (status.reason as Reason) : (byCode ?? 'InternalError');
    const token = status.metadata?.continue;
    return new ApiError(reason, status.message ?? reason, status.details, token === undefined ? {} : { continueToken: token });
  }
}

/** True when the error is an ApiError of one of the reasons. */
export const isReason = (error: unknown, ...reasons: readonly Reason[]): error is ApiError =>
  error instanceof ApiError && reasons.includes(error.reason);

/** A resource as error messages name it: `pods`, `deployments.apps`. */
export const qualified = (plural: string, group: string): string => (group === '' ? plural : `${plural}.${group}`);

export interface Named { readonly group: string; readonly plural: string; readonly kind: string }

export const notFound = (of: Named, name: string): ApiError =>
  new ApiError('NotFound', `${qualified(of.plural, of.group)} "${name}" not found`, { name, group: of.group || undefined, kind: of.plural });

export const alreadyExists = (of: Named, name: string): ApiError =>
  new ApiError('AlreadyExists', `${qualified(of.plural, of.group)} "${name}" already exists`, { name, group: of.group || undefined, kind: of.plural });

export const conflict = (of: Named, name: string, why = 'the object has been modified; please apply your changes to the latest version and try again'): ApiError =>
  new ApiError('Conflict', `Operation cannot be fulfilled on ${qualified(of.plural, of.group)} "${name}": ${why}`, { name, group: of.group || undefined, kind: of.plural });

/** The 422 that lists every wrong field. */
export const invalid = (of: Pick<Named, 'group' | 'kind'>, name: string, errors: readonly FieldError[]): ApiError => {
  const lines = errors.map((error) => `${error.field}: ${error.message}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiError('Invalid', `${qualified(of.kind, of.group)} "${name}" is invalid: ${text}`, {
    name, group: of.group || undefined, kind: of.kind,
    causes: errors.map((error) => ({ reason: error.reason, message: error.message, field: error.field })),
  });
};

export const badRequest = (message: string): ApiError => new ApiError('BadRequest', message);

// Field errors, in the words of the field: `Invalid value: -1: must be greater than or equal to 0`.

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > 256 ? `${text.slice(0, 256)}...` : text;
};

export const required = (field: string, message = ''): FieldError => ({
  reason: 'FieldValueRequired', field, message: message === '' ? 'Required value' : `Required value: ${message}`,
});
export const wrong = (field: string, value: unknown, message: string): FieldError => ({
  reason: 'FieldValueInvalid', field, message: `Invalid value: ${shown(value)}: ${message}`,
});
export const unsupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  reason: 'FieldValueNotSupported', field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}`,
});
export const forbidden = (field: string, message: string): FieldError => ({
  reason: 'FieldValueForbidden', field, message: `Forbidden: ${message}`,
});
export const tooLong = (field: string, most: number, unit: 'characters' | 'bytes' = 'bytes'): FieldError => ({
  reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${most} ${unit}`,
});
export const tooMany = (field: string, count: number, most: number): FieldError => ({
  reason: 'FieldValueTooMany', field, message: `Too many: ${count}: must have at most ${most} item${most === 1 ? '' : 's'}`,
});
export const absent = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueNotFound', field, message: `Not found: ${shown(value)}`,
});
/** The error of a rule that says why not, or nothing: `...refused(path, value, whyNotDnsLabel(value))`. */
export const refused = (field: string, value: unknown, why: string | undefined): readonly FieldError[] =>
  why === undefined ? [] : [wrong(field, value, why)];

/** The formats that schemas name: what each takes, and how to say what is right. */
import { canonicalQuantity, parseQuantity, whyNotQuantity } from './quantity.ts';
import { canonicalMicroTime, canonicalTime, isTime } from './timestamps.ts';

export interface Format {
  readonly accepts: (value: never) => boolean;
  /** The JSON type that the format is about; values of other types pass. */
  readonly type: 'string' | 'number';
  readonly message: string;
}

const integerBetween = (low: number, high: number) => (value: number): boolean => Number.isInteger(value) && value >= low && value <= high;

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

const timeMessage = 'must be a time such as 2026-01-31T12:00:00Z';

export const formats: Readonly<Record<string, Format>> = {
  'int32': { type: 'number', accepts: integerBetween(-(2 ** 31), 2 ** 31 - 1), message: 'must be an integer of 32 bits' },
  'int64': { type: 'number', accepts: integerBetween(-(2 ** 63), 2 ** 63), message: 'must be an integer of 64 bits' },
  'int-or-string': { type: 'number', accepts: integerBetween(-(2 ** 31), 2 ** 31 - 1), message: 'must be an integer of 32 bits or a string' },
  'quantity': { type: 'string', accepts: (text: string) => parseQuantity(text) !== undefined, message: whyNotQuantity('') ?? '' },
  'date-time': { type: 'string', accepts: isTime, message: timeMessage },
  'micro-time': { type: 'string', accepts: isTime, message: timeMessage.replace('00Z', '00.000000Z') },
  'byte': { type: 'string', accepts: isBase64, message: 'must be base64' },
};

const canonicalForms: Readonly<Record<string, (text: string) => string>> = {
  'quantity': canonicalQuantity, 'date-time': canonicalTime, 'micro-time': canonicalMicroTime,
};

/** The one way in which a value of the format is stored: `1024Mi` is `1Gi`. A wrong value stays for the check to refuse. */
export const canonical = (format: string | undefined, text: string): string =>
  format !== undefined && Object.hasOwn(canonicalForms, format) ? canonicalForms[format]?.(text) ?? text : text;

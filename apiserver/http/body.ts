/** Reads and decodes request bodies. Nothing of a body is believed: its size, its type, its shape all have limits. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import type { PatchType } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { decodeEnvelope } from '../protobuf/decode.ts';
import { duplicateFields } from './json-duplicates.ts';
import { checkBody, maxDepth } from '../json-limits.ts';

const tooLarge = (limit: number): ApiError => new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);

/** Whether a request says that it has a body, were it an empty one of a length to come. */
export const announcesBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** The whole body; empty where none is announced. Throws RequestEntityTooLarge as soon as it is clear that it passes the limit, without reading on. */
export const readBody = (request: IncomingMessage, limitBytes: number): Promise<Buffer> => new Promise((resolve, reject) => {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity') return reject(new ApiError('UnsupportedMediaType', 'the body must not be compressed'));
  // Without one its stream tells of no end (server.ts).
  if (!announcesBody(request)) return resolve(Buffer.alloc(0));
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return reject(tooLarge(limitBytes));
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limitBytes) {
      request.off('data', onData);
      request.pause();
      reject(tooLarge(limitBytes));
      return;
    }
    chunks.push(chunk);
  };
  const onBreak = (): void => reject(badRequest('the body ended before its length'));
  request.on('data', onData);
  request.once('end', () => {
    request.off('error', onBreak).off('close', onBreak);
    resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
  });
  request.once('error', onBreak);
  request.once('close', onBreak);
});

export type BodyFormat = 'json' | 'yaml' | 'protobuf';

const objectTypes: ReadonlyMap<string, BodyFormat> = new Map([
  ['', 'json'], ['application/json', 'json'], ['application/yaml', 'yaml'], ['application/vnd.kubernetes.protobuf', 'protobuf'],
]);
const patchTypes: ReadonlyMap<string, readonly [PatchType, BodyFormat]> = new Map([
  ['application/json-patch+json', ['json', 'json']], ['application/merge-patch+json', ['merge', 'json']],
  ['application/strategic-merge-patch+json', ['strategic', 'json']], ['application/apply-patch+yaml', ['apply', 'yaml']],
]);

const unsupportedMedia = (accepted: Iterable<string>): ApiError => new ApiError(
  'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${[...accepted].filter((one) => one !== '').join(', ')}`,
);

const bare = (contentType: string | undefined): string => contentType?.split(';', 1)[0]!.trim().toLowerCase() ?? '';

/** How the object in a body is written. No Content-Type at all means JSON; one that is not known is a 415. */
export const objectFormat = (contentType: string | undefined): BodyFormat => {
  const format = objectTypes.get(bare(contentType));
  if (format === undefined) throw unsupportedMedia(objectTypes.keys());
  return format;
};

/** Which sort of patch a body is and how it is written. */
export const patchFormat = (contentType: string | undefined): readonly [PatchType, BodyFormat] => {
  const found = patchTypes.get(bare(contentType));
  if (found === undefined) throw unsupportedMedia(patchTypes.keys());
  return found;
};

const yamlSchema = CORE_SCHEMA.withTags(mergeTag);
/** Aliases are rare in manifests; what they grow into is limited beside (checkBody). */
const maxAliases = 1_000;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`the body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const parseYaml = (text: string, allowDuplicates: boolean): unknown => {
  try {
    return load(text, { schema: yamlSchema, maxDepth, maxAliases, json: allowDuplicates });
  } catch (error) {
    if (error instanceof YAMLException) {
      const at = error.mark === null || error.mark === undefined ? '' : ` (line ${error.mark.line + 1}, column ${error.mark.column + 1})`;
      throw badRequest(`the body is not valid YAML: ${error.reason}${at}`);
    }
    throw error;
  }
};

export interface DecodeOptions {
  readonly format: BodyFormat;
  readonly limitBytes: number;
  /** Look for members that stand twice in one object. */
  readonly findDuplicates: boolean;
}

export interface DecodedBody {
  readonly value: unknown;
  /** Field paths of members that stand there twice. */
  readonly duplicates: readonly string[];
}

/** The JSON value of a body. Throws BadRequest when it is malformed or passes a limit. */
export const decodeBody = (body: Buffer, options: DecodeOptions): DecodedBody => {
  if (options.format === 'protobuf') {
    const value = decodeEnvelope(body);
    checkBody(value, options.limitBytes * 4); // names are not on the wire
    return { value, duplicates: [] };
  }
  if (!isUtf8(body)) throw badRequest('the body is not UTF-8');
  const text = body.toString('utf8');
  const json = options.format === 'json' ? parseJson(text) : tryJson(text);
  const value = json === undefined ? parseYaml(text, !options.findDuplicates) : json;
  checkBody(value, options.limitBytes);
  return { value, duplicates: options.findDuplicates && json !== undefined ? duplicateFields(text) : [] };
};

/** kubectl sends its apply patches as JSON; JSON.parse reads them many times faster than a YAML parser. */
const tryJson = (text: string): unknown => {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

import type { ApiObject } from '../schemas/kind.ts';
import { compactJson } from '../schemas/print-json.ts';

/** Where apply keeps what it applied, so that the next one knows what to remove. kubectl uses the same. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

const withAnnotations = (object: ApiObject, annotations: Readonly<Record<string, string>>): ApiObject => ({ ...object, metadata: { ...object.metadata, annotations } });

/** The object with itself, as JSON, in its annotation; byte for byte what kubectl writes, so that both can be used in turn. */
export const withLastApplied = (object: ApiObject): ApiObject => {
  const { [lastAppliedAnnotation]: _, ...others } = object.metadata.annotations ?? {};
  const text = `${compactJson(withAnnotations(object, others))}\n`;
  return withAnnotations(object, { ...others, [lastAppliedAnnotation]: text });
};

/** What was applied last, or undefined. Throws an Error when the annotation is no JSON object. */
export const lastApplied = (object: ApiObject): Readonly<Record<string, unknown>> | undefined => {
  const text = object.metadata.annotations?.[lastAppliedAnnotation];
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`annotation ${lastAppliedAnnotation}: must be a JSON object`);
  return value as Readonly<Record<string, unknown>>;
};

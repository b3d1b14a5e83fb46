/** ConfigMaps and Secrets: keys that can be file names, a limit on the size, and values that are frozen on request. */
import { forbidden, refused, required, tooLong, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import { whyNotDataKey } from '../names.ts';

/** All values of a ConfigMap or Secret together, in bytes; Kubernetes' limit. */
export const maxDataBytes = 1024 * 1024;

type Values = Readonly<Record<string, string>> | undefined;

const base64Bytes = (text: string): number => Math.floor((text.length * 3) / 4) - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);

const validateKeys = (values: Values, field: string): readonly FieldError[] =>
  Object.keys(values ?? {}).flatMap((key) => refused(`${field}[${key}]`, key, whyNotDataKey(key)));

interface Frozen { readonly immutable?: boolean | undefined }

const validateImmutable = <T extends Frozen>(object: T, old: T | undefined, fields: readonly (keyof T & string)[]): readonly FieldError[] => {
  if (old?.immutable !== true) return [];
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', 'field is immutable when `immutable` is set')]),
    ...fields.filter((name) => !deepEqual(object[name] ?? {}, old[name] ?? {})).map((name) => forbidden(name, 'field is immutable when `immutable` is set')),
  ];
};

interface ConfigMapData extends Frozen { readonly data?: Values; readonly binaryData?: Values }

export const validateConfigMapData = (map: ConfigMapData, old: ConfigMapData | undefined): readonly FieldError[] => {
  const size = Object.values(map.data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0)
    + Object.values(map.binaryData ?? {}).reduce((sum, value) => sum + base64Bytes(value), 0);
  return [
    ...validateKeys(map.data, 'data'),
    ...validateKeys(map.binaryData, 'binaryData'),
    ...Object.keys(map.binaryData ?? {}).filter((key) => Object.hasOwn(map.data ?? {}, key)).map((key) => wrong(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...(size > maxDataBytes ? [tooLong('data', maxDataBytes)] : []),
    ...validateImmutable(map, old, ['data', 'binaryData']),
  ];
};

interface SecretData extends Frozen { readonly data?: Values; readonly type?: string | undefined; readonly metadata: { readonly annotations?: Values } }

/** Keys that a secret of a type must have. */
const requiredKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

const isJson = (base64: string): boolean => {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString());
    return true;
  } catch {
    return false;
  }
};

const validateTyped = (type: string, data: Readonly<Record<string, string>>): readonly FieldError[] => {
  const keys = requiredKeys.get(type) ?? [];
  const errors: FieldError[] = keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(`data[${key}]`));
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  for (const key of ['.dockercfg', '.dockerconfigjson']) {
    const value = data[key];
    // A secret is not shown, not even to say what is wrong with it.
    if (keys.includes(key) && value !== undefined && !isJson(value)) errors.push(wrong(`data[${key}]`, '<secret contents redacted>', 'must be JSON'));
  }
  return errors;
};

export const validateSecretData = (secret: SecretData, old: SecretData | undefined): readonly FieldError[] => {
  const { type = 'Opaque', data = {} } = secret;
  const size = Object.values(data).reduce((sum, value) => sum + base64Bytes(value), 0);
  const account = 'kubernetes.io/service-account.name';
  return [
    ...validateKeys(data, 'data'),
    ...(size > maxDataBytes ? [tooLong('data', maxDataBytes)] : []),
    ...validateTyped(type, data),
    ...(type === 'kubernetes.io/service-account-token' && (secret.metadata.annotations?.[account] ?? '') === '' ? [required(`metadata.annotations[${account}]`)] : []),
    ...(old !== undefined && type !== (old.type ?? 'Opaque') ? [wrong('type', type, 'field is immutable')] : []),
    ...validateImmutable(secret, old, ['data']),
  ];
};

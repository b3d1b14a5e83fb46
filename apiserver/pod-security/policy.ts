/** What a namespace's labels say of the pods in it: a level of security for each of three modes. */
import { wrong, type FieldError } from '../../schemas/errors.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level as it was in one version of Kubernetes; `latest` is a version above all others. */
export interface Standard {
  readonly level: Level;
  /** Minor version; Infinity for the latest. */
  readonly minor: number;
}

/** What refuses, what is noted for the auditor, what warns. */
export interface Policy {
  readonly enforce: Standard;
  readonly audit: Standard;
  readonly warn: Standard;
}

const levels: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const prefix = 'pod-security.kubernetes.io/';

export const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text);

/** `restricted:latest`, `baseline:v1.24`. */
export const standardName = ({ level, minor }: Standard): string => `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;

/** Below 0 when the first level demands less than the second. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

const readMinor = (text: string): number | undefined => {
  if (text === 'latest') return Infinity;
  const minor = /^v1\.(0|[1-9][0-9]{0,4})$/.exec(text)?.[1];
  return minor === undefined ? undefined : Number(minor);
};

/**
 * The policy of a namespace's labels, and what is wrong with them. A level that cannot be read is the strictest for what
 * refuses and none for what only tells; a version that cannot be read is the latest.
 */
export const readPolicy = (labels: Readonly<Record<string, string>> | undefined): { readonly policy: Policy; readonly errors: readonly FieldError[] } => {
  const errors: FieldError[] = [];
  const of = (mode: keyof Policy): Standard => {
    const [level, version] = [labels?.[prefix + mode], labels?.[`${prefix}${mode}-version`]];
    const field = (name: string): string => `metadata.labels[${prefix}${name}]`;
    const minor = version === undefined ? Infinity : readMinor(version);
    if (level !== undefined && !isLevel(level)) errors.push(wrong(field(mode), level, `must be one of ${levels.join(', ')}`));
    if (minor === undefined) errors.push(wrong(field(`${mode}-version`), version, 'must be "latest" or "v1.x"'));
    return { level: level === undefined ? 'privileged' : isLevel(level) ? level : mode === 'enforce' ? 'restricted' : 'privileged', minor: minor ?? Infinity };
  };
  return { policy: { enforce: of('enforce'), audit: of('audit'), warn: of('warn') }, errors };
};

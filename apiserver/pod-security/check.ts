/** The words in which pod security speaks, and the shape of its checks. */
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Container, EphemeralContainer } from '../../schemas/types/container.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';
import type { SecurityContext } from '../../schemas/types/security-context.ts';

/** What is checked: a pod, or the pattern from which pods are made. */
export interface Subject {
  readonly metadata?: Pick<Pod['metadata'], 'annotations'> | undefined;
  readonly spec: PodSpec;
}

/** Why a pod does not meet a standard. */
export interface Violation {
  /** In few words, for lists of many pods. */
  readonly reason: string;
  /** Which container or field it is, and what would be right. */
  readonly detail: string;
}

export interface Check {
  readonly id: string;
  /** Baseline checks that this one, at the restricted level, takes the place of. */
  readonly replaces?: readonly string[];
  /** The rule by the minor version from which on it holds, oldest first. */
  readonly versions: readonly { readonly from: number; readonly violation: (subject: Subject) => Violation | undefined }[];
}

export type AnyContainer = Container | EphemeralContainer;

/** All containers in the order in which they are named: init containers first, ephemeral ones last. */
export const containersOf = ({ spec }: Subject): readonly AnyContainer[] => [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];

/** Names of the containers whose security context has something. */
export const containersWhere = (subject: Subject, holds: (context: SecurityContext, container: AnyContainer) => boolean): readonly string[] =>
  containersOf(subject).filter((container) => holds(container.securityContext ?? {}, container)).map(({ name }) => name);

export const quoted = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(', ');
export const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
export const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);

/** `container "a"`, `containers "a", "b"`. */
export const containerWords = (names: readonly string[]): string => `${plural(names.length, 'container', 'containers')} ${quoted(names)}`;

/** `pod and containers "a", "b"`: who has set something; undefined where nobody has. */
export const setters = ({ pod, containers }: { readonly pod: boolean; readonly containers: readonly string[] }): string | undefined => {
  const who = [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [containerWords(containers)] : [])];
  return who.length === 0 ? undefined : who.join(' and ');
};

/** A rule that holds for all pods but those for Windows, where it has no meaning; from 1.25 on pods say for which system they are. */
export const notOnWindows = (rule: (subject: Subject) => Violation | undefined) => (subject: Subject): Violation | undefined =>
  (subject.spec.os?.name === 'windows' ? undefined : rule(subject));

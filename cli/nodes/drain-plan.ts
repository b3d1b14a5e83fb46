/** Which pods of a node a drain moves, which it leaves, and which are in its way: kubectl's rules, in kubectl's words. */
import { controllerOf } from '../../schemas/owners.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { isMirror } from '../../schemas/static-pods.ts';

export interface DrainRules {
  /** Pods of DaemonSets stay, for they would come back at once. Without it they are in the way. */
  readonly ignoreDaemonSets: boolean;
  /** Pods whose emptyDir volumes are lost with them go too. */
  readonly deleteEmptyDirData: boolean;
  /** Pods that nothing would make again go too. */
  readonly force: boolean;
  /** Pods that have been leaving for longer than this are not waited for; 0 waits for all. */
  readonly skipLeavingForMs: number;
}

export interface DrainPlan {
  readonly leaving: readonly Pod[];
  /** What goes or stays although somebody may not expect it; a line each. */
  readonly warnings: readonly string[];
  /** Why nothing is done, a line each; empty where the node can be drained. */
  readonly refusals: readonly string[];
}

const words = {
  daemonSet: { refusal: 'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)', warning: 'ignoring DaemonSet-managed Pods' },
  emptyDir: { refusal: 'cannot delete Pods with local storage (use --delete-emptydir-data to override)', warning: 'deleting Pods with local storage' },
  unmanaged: { refusal: 'cannot delete Pods that declare no controller (use --force to override)', warning: 'deleting Pods that declare no controller' },
} as const;

type Concern = keyof typeof words;

const named = (pods: readonly Pod[]): string => pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');

/** @param nowMs for `skipLeavingForMs` */
export const planDrain = (pods: readonly Pod[], rules: DrainRules, nowMs: number): DrainPlan => {
  const allowed: Readonly<Record<Concern, boolean>> = { daemonSet: rules.ignoreDaemonSets, emptyDir: rules.deleteEmptyDirData, unmanaged: rules.force };
  const concerned: Record<Concern, Pod[]> = { daemonSet: [], emptyDir: [], unmanaged: [] };
  const leaving = pods.filter((pod) => {
    const { metadata, spec, status } = pod;
    if (isMirror(pod)) return false;
    if (rules.skipLeavingForMs > 0 && metadata.deletionTimestamp !== undefined && nowMs - Date.parse(metadata.deletionTimestamp) > rules.skipLeavingForMs) return false;
    // Of one that has ended nothing is lost, and nothing comes back in its place.
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return true;
    const controller = controllerOf(pod);
    if (controller?.kind === 'DaemonSet') {
      concerned.daemonSet.push(pod);
      return false;
    }
    const concerns: readonly Concern[] = [
      ...(spec.volumes?.some(({ emptyDir }) => emptyDir !== undefined) === true ? ['emptyDir' as const] : []),
      ...(controller === undefined ? ['unmanaged' as const] : []),
    ];
    for (const concern of concerns) concerned[concern].push(pod);
    return concerns.every((concern) => allowed[concern]);
  });
  const lines = (outcome: 'refusal' | 'warning'): readonly string[] => (Object.keys(words) as Concern[])
    .filter((concern) => concerned[concern].length > 0 && allowed[concern] === (outcome === 'warning'))
    .map((concern) => `${words[concern][outcome]}: ${named(concerned[concern])}`);
  return { leaving, warnings: lines('warning'), refusals: lines('refusal') };
};

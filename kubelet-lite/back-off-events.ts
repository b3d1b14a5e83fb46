import type { ContainerStatus, PodStatus } from '../schemas/types/pod-status.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';

export interface BackOffEvent {
  /** Name of the container. */
  readonly container: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'BackOff' | 'Failed';
  readonly message: string;
}

const statusesOf = (status: PodStatus | undefined): readonly ContainerStatus[] => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];

/** What is told when a container begins to wait before its next start or pull: once for each wait, not for each look. */
export const backOffEvents = ({ metadata, status: before }: Pod, after: PodStatus): readonly BackOffEvent[] => {
  const { namespace = '', name = '', uid = '' } = metadata;
  return statusesOf(after).flatMap((status): readonly BackOffEvent[] => {
    const reason = status.state?.waiting?.reason;
    const last = statusesOf(before).find((one) => one.name === status.name);
    if (last?.state?.waiting?.reason === reason && last?.restartCount === status.restartCount) return [];
    if (reason === 'CrashLoopBackOff') {
      return [{ container: status.name, type: 'Warning', reason: 'BackOff', message: `Back-off restarting failed container ${status.name} in pod ${name}_${namespace}(${uid})` }];
    }
    if (reason !== 'ImagePullBackOff') return [];
    return [
      { container: status.name, type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${status.image}"` },
      { container: status.name, type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
    ];
  });
};

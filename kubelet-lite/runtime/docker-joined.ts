import type Docker from 'dockerode';
import { labels, podOf, type PodOf } from './docker-labels.ts';

/** What containers have to know of the sandbox that they join. */
export interface Joined extends PodOf {
  readonly hostPid: boolean;
  readonly sharePid: boolean;
  readonly hostIpc: boolean;
  /** The host name that they start with, where the sandbox was made before its pod. */
  readonly givenHostname: string | undefined;
}

export const joinedFrom = ({ Name: name, Config: { Labels: own, Hostname: hostname }, HostConfig: host }: Docker.ContainerInspectInfo): Joined => {
  const { podUid = '', podName = '', podNamespace = '' } = podOf({ name, labels: own }) ?? {};
  return {
    podUid, podName, podNamespace, hostPid: host.PidMode === 'host', hostIpc: host.IpcMode === 'host', sharePid: own[labels.sharePid] === 'true',
    givenHostname: own[labels.warm] === undefined ? undefined : hostname,
  };
};

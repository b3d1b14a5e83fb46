import { PodInfo } from '../../scheduler/pod-info.ts';
import { NodeInfo } from '../../scheduler/node-info.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Taint } from '../../schemas/types/affinity.ts';
import type { PodSpec } from '../../schemas/types/pod-spec.ts';

export type Requests = Readonly<Record<string, string>>;

export interface NodeWords {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
  readonly allocatable?: Readonly<Record<string, string>>;
}

/** A node with 4 CPUs, 8 Gi of memory and room for 110 pods, unless said otherwise. */
export const node = (name: string, { labels = {}, taints = [], unschedulable = false, allocatable = {} }: NodeWords = {}): Node => ({
  apiVersion: 'v1', kind: 'Node', metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec: { taints, unschedulable }, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } },
});

/** A pod of one container with these requests. */
export const pod = (name: string, requests: Requests = {}, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: `uid-${name}` },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }], ...spec },
});

export const podInfo = (name: string, requests: Requests = {}, spec: Partial<PodSpec> = {}): PodInfo => new PodInfo(pod(name, requests, spec));

export const nodeInfo = (name: string, words: NodeWords = {}, pods: readonly PodInfo[] = []): NodeInfo => {
  const info = new NodeInfo(name);
  info.setNode(node(name, words));
  for (const one of pods) info.add(one);
  return info;
};

export const withPorts = (...ports: readonly { readonly hostPort?: number; readonly containerPort?: number; readonly hostIP?: string; readonly protocol?: 'TCP' | 'UDP' }[]): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'i', ports: ports.map((port) => ({ containerPort: port.containerPort ?? 80, ...port })) }],
});

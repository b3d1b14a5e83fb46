import { rfc3339 } from '../../base/clock.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';

/** Midnight of the fake clock. */
export const startMs = Date.UTC(2026, 0, 1);
export const at = (seconds: number): string => rfc3339(startMs + seconds * 1000);

export const template = (image: string, labels: Readonly<Record<string, string>> = { app: 'web' }) =>
  ({ metadata: { labels }, spec: { containers: [{ name: 'c', image }] } });

const meta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({ name, namespace: 'default', uid: `uid-${name}`, creationTimestamp: at(0), generation: 1, ...more });

export const deployment = (spec: Partial<Deployment['spec']> = {}, more: { readonly metadata?: Partial<ObjectMeta>; readonly status?: Deployment['status'] } = {}): Deployment => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('web', more.metadata),
  spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('v1'), progressDeadlineSeconds: 600, ...spec },
  ...(more.status === undefined ? {} : { status: more.status }),
});

export const replicaSet = (name: string, spec: Partial<ReplicaSet['spec']> = {}, more: { readonly metadata?: Partial<ObjectMeta>; readonly status?: Partial<NonNullable<ReplicaSet['status']>> } = {}): ReplicaSet => ({
  apiVersion: 'apps/v1', kind: 'ReplicaSet',
  metadata: meta(name, { labels: { app: 'web' }, ...more.metadata }),
  spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('v1'), ...spec },
  status: { replicas: 0, observedGeneration: 1, ...more.status },
});

export interface PodWords {
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string | undefined;
  readonly phase?: string;
  readonly readySince?: number;
  readonly ip?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<Pod['spec']>;
  readonly status?: Partial<NonNullable<Pod['status']>>;
}

/** A pod; `readySince` (seconds after startMs) makes it ready. */
export const pod = (name: string, { labels = { app: 'web' }, node, phase = 'Running', readySince, ip, metadata, spec, status }: PodWords = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: meta(name, { labels, ...metadata }),
  spec: { containers: [{ name: 'c', image: 'v1' }], ...(node === undefined ? {} : { nodeName: node }), ...spec },
  status: {
    phase, ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    conditions: [readySince === undefined ? { type: 'Ready', status: 'False' } : { type: 'Ready', status: 'True', lastTransitionTime: at(readySince) }],
    ...status,
  },
});

export const service = (spec: Partial<NonNullable<Service['spec']>> = {}, metadata: Partial<ObjectMeta> = {}): Service => ({
  apiVersion: 'v1', kind: 'Service', metadata: meta('web', metadata),
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }], ...spec },
});

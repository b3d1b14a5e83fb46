import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { PodView } from '../../kubelet-lite/pod-view.ts';
import type { ContainerState, SandboxState } from '../../kubelet-lite/runtime/runtime.ts';

export const nowMs = Date.UTC(2026, 0, 1, 12);

type Spec = NonNullable<Pod['spec']>;

export const podOf = (spec: Partial<Spec> = {}, rest: { readonly metadata?: Partial<Pod['metadata']>; readonly status?: Pod['status'] } = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', uid: 'u', ...rest.metadata },
  spec: { containers: [{ name: 'a', image: 'i' }], ...spec }, status: rest.status ?? {},
});

export const runOf = (name: string, extra: Partial<ContainerState> = {}): ContainerState => ({
  id: `${name}-${extra.attempt ?? 0}`, name, attempt: 0, image: 'i', imageId: 'sha256:1', status: 'running', createdAtMs: nowMs - 60_000, startedAtMs: nowMs - 60_000, oomKilled: false, labels: {}, ...extra,
});

export const ended = (name: string, exitCode: number, extra: Partial<ContainerState> = {}): ContainerState =>
  runOf(name, { status: 'exited', exitCode, finishedAtMs: nowMs - 1_000, ...extra });

export const sandboxOf = (containers: readonly ContainerState[] = [], extra: Partial<SandboxState> = {}): SandboxState => ({
  id: `s${extra.attempt ?? 0}`, podUid: 'u', podName: 'p', podNamespace: 'default', attempt: 0, ready: true, createdAtMs: nowMs - 61_000, ip: '10.0.0.2', labels: {}, containers, ...extra,
});

export const viewOf = (pod: Pod, sandboxes: readonly SandboxState[], extra: Partial<PodView> = {}): PodView => ({
  pod, sandboxes, probes: new Map(), busy: new Set(), backoffs: new Map(), blocked: new Map(), verdict: undefined, nowMs, ...extra,
});

import type { BodyOf } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import type { ContainerStatus } from '../../schemas/types/pod-status.ts';
import type { Container } from '../../schemas/types/container.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import type { Probe } from '../../schemas/types/probe.ts';
import { shownField, shownResource } from './env-values.ts';
import { Page, shownTime } from './page.ts';
import { addVolumes } from './volumes.ts';

const stateLines = (page: Page, name: string, state: ContainerStatus['state'] | undefined): void => {
  if (state?.running !== undefined) {
    page.field(2, name, 'Running').field(3, 'Started', shownTime(state.running.startedAt));
  } else if (state?.waiting !== undefined) {
    page.field(2, name, 'Waiting');
    if (state.waiting.reason !== undefined) page.field(3, 'Reason', state.waiting.reason);
  } else if (state?.terminated !== undefined) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
    page.field(2, name, 'Terminated');
    if (reason !== undefined) page.field(3, 'Reason', reason);
    if (message !== undefined && message !== '') page.field(3, 'Message', message.trim());
    page.field(3, 'Exit Code', exitCode);
    if (signal !== undefined && signal > 0) page.field(3, 'Signal', signal);
    page.field(3, 'Started', shownTime(startedAt)).field(3, 'Finished', shownTime(finishedAt));
  } else {
    page.field(2, name, 'Waiting');
  }
};

const probeText = (probe: Probe): string => {
  const timing = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 1}s period=${probe.periodSeconds ?? 10}s #success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`;
  if (probe.exec !== undefined) return `exec [${(probe.exec.command ?? []).join(' ')}] ${timing}`;
  if (probe.httpGet !== undefined) {
    const { scheme = 'HTTP', host = '', port, path = '' } = probe.httpGet;
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${path} ${timing}`;
  }
  if (probe.tcpSocket !== undefined) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${timing}`;
  if (probe.grpc !== undefined) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${timing}`;
  return `unknown ${timing}`;
};

const envLines = (page: Page, container: Container, pod: BodyOf<typeof Pod> | undefined): void => {
  for (const { prefix, configMapRef, secretRef } of container.envFrom ?? []) {
    const [kind, ref] = configMapRef === undefined ? ['Secret', secretRef] : ['ConfigMap', configMapRef];
    page.line(3, `${ref?.name ?? ''}\t${kind}${prefix === undefined ? '' : ` with prefix '${prefix}'`}\tOptional: ${ref?.optional ?? false}`);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) {
      const [first = '', ...more] = (value ?? '').split('\n');
      page.line(3, `${name}:\t${first}`);
      for (const line of more) page.line(3, `\t${line}`);
    } else if (valueFrom.fieldRef !== undefined) {
      page.line(3, `${name}:\t${shownField(pod, valueFrom.fieldRef.fieldPath)} (${valueFrom.fieldRef.apiVersion ?? 'v1'}:${valueFrom.fieldRef.fieldPath})`);
    } else if (valueFrom.resourceFieldRef !== undefined) {
      page.line(3, `${name}:\t${shownResource(container, valueFrom.resourceFieldRef)} (${valueFrom.resourceFieldRef.resource})`);
    } else if (valueFrom.secretKeyRef !== undefined) {
      page.line(3, `${name}:\t<set to the key '${valueFrom.secretKeyRef.key}' in secret '${valueFrom.secretKeyRef.name ?? ''}'>\tOptional: ${valueFrom.secretKeyRef.optional ?? false}`);
    } else if (valueFrom.configMapKeyRef !== undefined) {
      page.line(3, `${name}:\t<set to the key '${valueFrom.configMapKeyRef.key}' of config map '${valueFrom.configMapKeyRef.name ?? ''}'>\tOptional: ${valueFrom.configMapKeyRef.optional ?? false}`);
    }
  }
};

interface Shown {
  readonly status: ContainerStatus | undefined;
  readonly pod: BodyOf<typeof Pod> | undefined;
  readonly indent: string;
}

const containerLines = (page: Page, container: Container, { status, pod, indent }: Shown): void => {
  page.line(0, `${indent}${container.name}:`);
  if (status !== undefined) page.field(2, 'Container ID', status.containerID ?? '');
  page.field(2, 'Image', container.image ?? '');
  if (status !== undefined) page.field(2, 'Image ID', status.imageID);
  const ports = container.ports ?? [];
  page.field(2, ports.length > 1 ? 'Ports' : 'Port', ports.map((port) => `${port.containerPort}/${port.protocol ?? 'TCP'}`).join(', ') || '<none>');
  page.field(2, ports.length > 1 ? 'Host Ports' : 'Host Port', ports.map((port) => `${port.hostPort ?? 0}/${port.protocol ?? 'TCP'}`).join(', ') || '<none>');
  for (const [name, words] of [['Command', container.command], ['Args', container.args]] as const) {
    if (words === undefined || words.length === 0) continue;
    page.line(2, `${name}:`);
    for (const word of words) for (const line of word.split('\n')) page.line(3, line);
  }
  if (status !== undefined) {
    stateLines(page, 'State', status.state);
    if (status.lastState?.terminated !== undefined) stateLines(page, 'Last State', status.lastState);
    page.field(2, 'Ready', status.ready ? 'True' : 'False').field(2, 'Restart Count', status.restartCount);
  }
  for (const [name, amounts] of [['Limits', container.resources?.limits], ['Requests', container.resources?.requests]] as const) {
    if (amounts === undefined || Object.keys(amounts).length === 0) continue;
    page.line(2, `${name}:`);
    for (const [resource, amount] of Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1))) page.field(3, resource, amount);
  }
  if (container.livenessProbe !== undefined) page.field(2, 'Liveness', probeText(container.livenessProbe));
  if (container.readinessProbe !== undefined) page.field(2, 'Readiness', probeText(container.readinessProbe));
  if (container.startupProbe !== undefined) page.field(2, 'Startup', probeText(container.startupProbe));
  if ((container.env ?? []).length + (container.envFrom ?? []).length === 0) page.field(2, 'Environment', '<none>');
  else {
    page.line(2, 'Environment:');
    envLines(page, container, pod);
  }
  const mounts = container.volumeMounts ?? [];
  if (mounts.length === 0) page.field(2, 'Mounts', '<none>');
  else {
    page.line(2, 'Mounts:');
    for (const mount of [...mounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1))) {
      page.line(3, `${mount.mountPath} from ${mount.name} (${[mount.readOnly === true ? 'ro' : 'rw', ...(mount.subPath === undefined ? [] : [`path="${mount.subPath}"`])].join(',')})`);
    }
  }
};

/** The containers of a pod, or of a template (level 1), which has no status. */
export const addContainers = (page: Page, spec: { readonly containers?: readonly Container[] | undefined; readonly initContainers?: readonly Container[] | undefined }, { pod, level }: { readonly pod?: BodyOf<typeof Pod> | undefined; readonly level: 0 | 1 }): void => {
  const groups = [
    ['Init Containers', spec.initContainers ?? [], pod?.status?.initContainerStatuses] as const,
    ['Containers', spec.containers ?? [], pod?.status?.containerStatuses] as const,
  ];
  for (const [title, containers, statuses] of groups) {
    if (containers.length === 0) continue;
    page.line(level, `${title}:`);
    // kubectl sets names in templates one space in, and their fields where those of a pod's containers stand.
    for (const container of containers) containerLines(page, container, { status: statuses?.find(({ name }) => name === container.name), pod, indent: level === 0 ? '  ' : '   ' });
  }
};

/** Node selector and tolerations, as pods and templates show them. */
export const addPlacement = (page: Page, spec: PodTemplateSpec['spec'] | undefined, level: 0 | 1): void => {
  page.pairs(level, 'Node-Selectors', spec?.nodeSelector);
  const tolerations = (spec?.tolerations ?? []).map((toleration) => {
    const head = `${toleration.key ?? ''}${toleration.value === undefined || toleration.value === '' ? '' : `=${toleration.value}`}${toleration.effect === undefined ? '' : `:${toleration.effect}`}`;
    const operator = toleration.operator === 'Exists' && (toleration.value ?? '') === '' ? `${head === '' ? '' : ' '}op=Exists` : '';
    return `${head}${operator}${toleration.tolerationSeconds === undefined ? '' : ` for ${toleration.tolerationSeconds}s`}`;
  }).sort();
  if (tolerations.length === 0) page.line(level, 'Tolerations:\t<none>');
  for (const [index, toleration] of tolerations.entries()) page.line(level, `${index === 0 ? 'Tolerations:' : ''}\t${toleration}`);
};

/** The template inside a workload's page, and of `rollout history --revision`. */
export const addPodTemplate = (page: Page, template: PodTemplateSpec | undefined): Page => {
  page.line(0, 'Pod Template:').pairs(1, 'Labels', template?.metadata?.labels);
  const annotations = template?.metadata?.annotations;
  if (annotations !== undefined && Object.keys(annotations).length > 0) page.pairs(1, 'Annotations', annotations, ': ');
  const { serviceAccountName } = template?.spec ?? {};
  if (serviceAccountName !== undefined && serviceAccountName !== '') page.field(1, 'Service Account', serviceAccountName);
  addContainers(page, template?.spec ?? {}, { level: 1 });
  addVolumes(page, template?.spec?.volumes, 1);
  const { priorityClassName } = template?.spec ?? {};
  if (priorityClassName !== undefined && priorityClassName !== '') page.field(1, 'Priority Class Name', priorityClassName);
  addPlacement(page, template?.spec, 1);
  return page;
};

export const describePodTemplate = (template: PodTemplateSpec | undefined): string => addPodTemplate(new Page(), template).text();

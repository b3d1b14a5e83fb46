import type { BodyOf } from '../../schemas/kind.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { humanDuration } from '../../schemas/table-cells.ts';
import type { Describer } from './describer.ts';
import { Page, shownAnnotations, shownTime } from './page.ts';
import { addContainers, addPlacement } from './pod-template.ts';
import { addVolumes } from './volumes.ts';

export const describer: Describer<BodyOf<typeof Pod>> = (pod, { world }) => {
  const { metadata, spec, status } = pod;
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Namespace', metadata.namespace);
  page.field(0, 'Priority', spec?.priority ?? 0);
  if (spec?.priorityClassName !== undefined && spec.priorityClassName !== '') page.field(0, 'Priority Class Name', spec.priorityClassName);
  if (spec?.runtimeClassName !== undefined) page.field(0, 'Runtime Class Name', spec.runtimeClassName);
  page.field(0, 'Service Account', spec?.serviceAccountName ?? '');
  page.field(0, 'Node', spec?.nodeName === undefined || spec.nodeName === '' ? '<none>' : `${spec.nodeName}/${status?.hostIP ?? ''}`);
  if (status?.startTime !== undefined) page.field(0, 'Start Time', shownTime(status.startTime));
  page.pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ');
  if (metadata.deletionTimestamp !== undefined) {
    const sinceMs = world.clock.now() - Date.parse(metadata.deletionTimestamp);
    page.field(0, 'Status', sinceMs < 0 ? 'Terminating' : `Terminating (lasts ${humanDuration(sinceMs)})`).field(0, 'Termination Grace Period', `${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else {
    page.field(0, 'Status', status?.phase ?? '');
  }
  if (status?.reason !== undefined) page.field(0, 'Reason', status.reason);
  if (status?.message !== undefined) page.field(0, 'Message', status.message);
  page.field(0, 'IP', status?.podIP ?? '');
  const ips = status?.podIPs ?? [];
  if (ips.length === 0) page.line(0, 'IPs:\t<none>');
  else {
    page.line(0, 'IPs:');
    for (const { ip } of ips) page.field(1, 'IP', ip);
  }
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller !== undefined) page.field(0, 'Controlled By', `${controller.kind}/${controller.name}`);
  if (status?.nominatedNodeName !== undefined && status.nominatedNodeName !== '') page.field(0, 'NominatedNodeName', status.nominatedNodeName);
  addContainers(page, spec ?? {}, { pod, level: 0 });
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) {
    page.line(0, 'Conditions:').line(1, 'Type\tStatus');
    for (const { type, status: value } of conditions) page.line(1, `${type} \t${value} `);
  }
  addVolumes(page, spec?.volumes, 0);
  page.field(0, 'QoS Class', status?.qosClass ?? '<unset>');
  addPlacement(page, spec, 0);
  return page;
};

/** Defaults of pods and pod templates that depend on other fields. */
import type { Draft } from '../frozen.ts';
import type { Container } from '../types/container.ts';
import type { PodSpec } from '../types/pod-spec.ts';
import type { Volume } from '../types/volume.ts';

/** The tag of an image name; `latest` when it says neither tag nor digest. */
export const imageTag = (image: string): string => {
  const [name = '', digest] = image.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  if (colon >= 0) return last.slice(colon + 1);
  return digest === undefined ? 'latest' : '';
};

/** Always for the tag that moves, IfNotPresent for all others. */
export const defaultPullPolicy = (image: string): 'Always' | 'IfNotPresent' => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent');

const prepareContainer = (container: Draft<Pick<Container, 'image' | 'imagePullPolicy'>>): void => {
  container.imagePullPolicy ??= defaultPullPolicy(container.image ?? '');
};

const prepareVolume = (volume: Draft<Volume>): void => {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.image !== undefined) volume.image.pullPolicy ??= defaultPullPolicy(volume.image.reference ?? '');
};

/** What pods and templates share: pull policies, volumes without a source, the old name of serviceAccountName. */
export const preparePodTemplateSpec = (spec: Draft<PodSpec>): void => {
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) prepareContainer(container);
  for (const volume of spec.volumes ?? []) prepareVolume(volume);
  const account = spec.serviceAccountName ?? spec.serviceAccount;
  if (account !== undefined && account !== '') {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
};

const requestLimits = (container: Draft<Container>): void => {
  const { resources } = container;
  if (resources?.limits !== undefined) resources.requests = { ...resources.limits, ...resources.requests };
};

/** What only pods get: requests out of limits, service links, and host ports that equal the container's on the node's network. */
export const preparePodSpec = (spec: Draft<PodSpec>): void => {
  preparePodTemplateSpec(spec);
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    requestLimits(container);
    if (spec.hostNetwork !== true) continue;
    for (const port of container.ports ?? []) port.hostPort = port.hostPort === undefined || port.hostPort === 0 ? port.containerPort : port.hostPort;
  }
};

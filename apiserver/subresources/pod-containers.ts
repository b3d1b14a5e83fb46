import { badRequest } from '../../schemas/errors.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';

const namesOf = (containers: readonly { readonly name: string }[] | undefined): readonly string[] => (containers ?? []).map(({ name }) => name);

/** The container that a request means: the one it names, or the pod's only one. Throws BadRequest that names the choice. */
export const containerFor = ({ metadata, spec }: Pod, wanted: string): string => {
  const main = namesOf(spec.containers);
  const init = namesOf(spec.initContainers);
  const ephemeral = namesOf(spec.ephemeralContainers);
  if (wanted !== '') {
    if (![...main, ...init, ...ephemeral].includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${metadata.name}`);
    return wanted;
  }
  if (main.length === 1 && main[0] !== undefined) return main[0];
  const others = [
    ...(init.length > 0 ? [` or one of the init containers: [${init.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [` or one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ];
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${main.join(' ')}]${others.join('')}`);
};

/** Why a container has no logs (yet, or of an earlier run), as its status tells; undefined when it should have some. */
export const whyNoLogs = ({ metadata, status }: Pod, container: string, previous: boolean): string | undefined => {
  const words = `container ${JSON.stringify(container)} in pod ${JSON.stringify(metadata.name)}`;
  const found = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])]
    .find(({ name }) => name === container);
  const before = found?.lastState?.terminated;
  if (previous) return before === undefined ? `previous terminated ${words} not found` : undefined;
  // A pod without a node has no status of its containers either.
  if (found === undefined) return `${words} is not available`;
  const { waiting, running, terminated } = found.state ?? {};
  if (running !== undefined || terminated !== undefined || before !== undefined) return undefined;
  switch (waiting?.reason) {
    case undefined: case '': return `${words} is waiting to start - no logs yet`;
    case 'ErrImagePull': return `${words} is waiting to start: image can't be pulled`;
    case 'ImagePullBackOff': return `${words} is waiting to start: trying and failing to pull image`;
    default: return `${words} is waiting to start: ${waiting?.reason}`;
  }
};

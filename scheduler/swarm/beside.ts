/** Which nodes an affinity of Swarm's language means: by the pods and the images that are there. */
import type { Node } from '../../schemas/kinds/core/node.ts';
import { patternMatch, type SwarmExpression } from '../../schemas/swarm/expression.ts';
import type { Cluster } from '../cluster.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import type { CountedPods } from '../topology-count.ts';

/** An affinity for one pod: which nodes it means, and which other pods make a difference to it. */
export interface Beside {
  readonly expression: SwarmExpression;
  readonly matches: (node: NodeInfo) => boolean;
  readonly isAbout: (other: PodInfo) => boolean;
}

export const onNode = (node: NodeInfo): string => node.name;

/** Names under which the containers of a pod are known: the pod's name and UID, and those of its containers. */
export const containerNames = ({ pod, uid }: PodInfo): readonly string[] => [
  pod.metadata.name ?? '', uid, ...(pod.spec?.containers ?? []).map(({ name }) => name),
];

/** An image by all its names: as it is written, without tag and digest, and both without the registry that need not be said. */
const imageNames = (image: string): readonly string[] => {
  const short = image.replace(/^docker\.io\/(library\/)?/, '');
  const [name = ''] = short.split('@');
  const repository = name.lastIndexOf(':') > name.lastIndexOf('/') ? name.slice(0, name.lastIndexOf(':')) : name;
  return [...new Set([image, short, name, repository])];
};

const imagesOf = ({ pod }: PodInfo): readonly string[] => (pod.spec?.containers ?? []).flatMap(({ image }) => (image === undefined ? [] : imageNames(image)));

const toldImages = new WeakMap<Node, readonly string[]>();

const imagesOn = (node: Node): readonly string[] => {
  let names = toldImages.get(node);
  if (names === undefined) toldImages.set(node, names = (node.status?.images ?? []).flatMap((image) => (image.names ?? []).flatMap(imageNames)));
  return names;
};

/** Affinities look at the pods of the same namespace: Swarm has none, and names of others are no business of a pod. */
const sameNamespace = (pod: PodInfo): ((other: PodInfo) => boolean) => {
  const { namespace } = pod.pod.metadata;
  return (other) => other.pod.metadata.namespace === namespace;
};

/** An affinity to containers, to images, or, by any other key, to labels of containers. */
export const beside = (expression: SwarmExpression, pod: PodInfo, cluster: Cluster): Beside => {
  const { key, operator, value } = expression;
  const one = patternMatch({ operator: '==', value });
  const wanted = operator === '==';
  const isNear = sameNamespace(pod);
  const counted = (what: string, isAbout: (other: PodInfo) => boolean, also: (node: NodeInfo) => boolean = () => false): Beside => {
    const text = JSON.stringify([what, value, what === 'image' ? null : pod.pod.metadata.namespace]);
    const count = cluster.count(`swarm affinity ${text}`, (): CountedPods => ({ domainOf: onNode, matches: isAbout }));
    return { expression, isAbout, matches: (node) => ((count.at(node) ?? 0) > 0 || also(node)) === wanted };
  };
  if (key === 'container') return counted(key, (other) => isNear(other) && one.matches(containerNames(other)));
  if (key === 'image') {
    // From now on changes of images are told. What runs on a node has its image there, also where the node has not told yet.
    void cluster.nodesWithImage;
    return counted(key, (other) => one.matches(imagesOf(other)), ({ node }) => node !== undefined && one.matches(imagesOn(node)));
  }
  return counted(`label ${key}`, (other) => isNear(other) && one.matches([other.pod.metadata.labels?.[key] ?? '']));
};

/** The pods that a dependency names must be on the node. */
export const dependencyOn = (name: string, pod: PodInfo, cluster: Cluster): Omit<Beside, 'expression'> => {
  const isNear = sameNamespace(pod);
  const isAbout = (other: PodInfo): boolean => isNear(other) && containerNames(other).includes(name);
  const count = cluster.count(`swarm dependency ${JSON.stringify([name, pod.pod.metadata.namespace])}`, (): CountedPods => ({ domainOf: onNode, matches: isAbout }));
  return { isAbout, matches: (node) => (count.at(node) ?? 0) > 0 };
};

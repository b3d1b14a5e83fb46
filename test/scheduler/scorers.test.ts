import test from 'ava';
import { Cluster } from '../../scheduler/cluster.ts';
import type { Scorer } from '../../scheduler/framework.ts';
import { PodInfo } from '../../scheduler/pod-info.ts';
import { balancedAllocation } from '../../scheduler/scorers/balanced-allocation.ts';
import { imageLocality, taggedImage } from '../../scheduler/scorers/image-locality.ts';
import { leastAllocated } from '../../scheduler/scorers/least-allocated.ts';
import { mostAllocated } from '../../scheduler/scorers/most-allocated.ts';
import { emptiestOfPlaces, fewerIsBetter, shareOfMost, stretched } from '../../scheduler/scorers/normalise.ts';
import { requestedToCapacityRatio } from '../../scheduler/scorers/requested-to-capacity-ratio.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { node, pod, podInfo, type NodeWords, type Requests } from './objects.ts';

const score = (scorer: Scorer, asked: PodInfo, { used, words }: { readonly used?: Requests; readonly words?: NodeWords } = {}): number | undefined => {
  const cluster = new Cluster();
  cluster.setNode(node('a', words));
  if (used !== undefined) cluster.place(podInfo('used', used), 'a');
  return scorer.prepare(asked, cluster)?.(cluster.node('a')!);
};

const both = { cpu: 1, memory: 1 };
const large = { allocatable: { cpu: '4', memory: '10000Mi' } };
const gpus = { allocatable: { ...large.allocatable, 'example.com/gpu': '4' } };

for (const [name, scorer, asks, used, words, expected] of [
  // (4000-3000)/4000 and (10000-5000)/10000, as in the scorers' own descriptions.
  ['least: the mean of what stays free', leastAllocated(both), { cpu: '3', memory: '5000Mi' }, undefined, large, Math.floor((25 + 50) / 2)],
  ['least: nothing asked counts as 100m and 200Mi', leastAllocated(both), {}, undefined, large, Math.floor((97 + 98) / 2)],
  ['least: what does not fit counts as nothing free', leastAllocated(both), { cpu: '5', memory: '5000Mi' }, undefined, large, 25],
  ['least: weights', leastAllocated({ cpu: 3, memory: 1 }), { cpu: '3', memory: '5000Mi' }, undefined, large, Math.floor((3 * 25 + 50) / 4)],
  ['least: a device counts for pods that ask for it', leastAllocated({ 'example.com/gpu': 1 }), { 'example.com/gpu': '1' }, { 'example.com/gpu': '2' }, gpus, 25],
  ['least: and not for others', leastAllocated({ ...both, 'example.com/gpu': 5 }), { cpu: '3', memory: '5000Mi' }, undefined, gpus, 37],
  ['most: the mean of what is taken', mostAllocated(both), { cpu: '2', memory: '4000Mi' }, { cpu: '1', memory: '1000Mi' }, large, Math.floor((75 + 50) / 2)],
  ['most: more than there is counts as all', mostAllocated(both), { cpu: '8', memory: '5000Mi' }, undefined, large, 75],
  ['balanced: equal shares', balancedAllocation(both), { cpu: '2', memory: '5000Mi' }, undefined, large, 100],
  ['balanced: 100 less half the difference of two', balancedAllocation(both), { cpu: '3', memory: '2500Mi' }, undefined, large, 75],
  ['balanced: nothing to say about pods without requests', balancedAllocation(both), {}, undefined, large, undefined],
  ['ratio: on the line', requestedToCapacityRatio(both, [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }]), { cpu: '3', memory: '5000Mi' }, undefined, large, 63],
  ['ratio: falling lines prefer the empty', requestedToCapacityRatio(both, [{ utilization: 0, score: 10 }, { utilization: 100, score: 0 }]), { cpu: '3', memory: '5000Mi' }, undefined, large, 38],
  ['ratio: flat beyond the ends', requestedToCapacityRatio({ cpu: 1 }, [{ utilization: 80, score: 3 }]), { cpu: '4' }, undefined, large, 30],
] as const) {
  test(name, (t) => {
    t.is(score(scorer, podInfo('p', asks), { ...(used === undefined ? {} : { used: used as Requests }), words }), expected);
  });
}

test('images count by their size and by the share of nodes that have them', (t) => {
  const mebibytes = (count: number) => count * 1024 * 1024;
  const withImages = (name: string, ...images: readonly (readonly [string, number])[]): Node => {
    const one = node(name);
    return { ...one, status: { ...one.status, images: images.map(([image, size]) => ({ names: [`docker.io/${image}@sha256:00`, image], sizeBytes: mebibytes(size) })) } };
  };
  const cluster = new Cluster();
  cluster.setNode(withImages('a', ['web:1', 500], ['tool:latest', 40]));
  cluster.setNode(withImages('b', ['web:1', 500]));
  cluster.setNode(node('c'));
  const asked = (image: string) => new PodInfo(pod('p', {}, { containers: [{ name: 'c', image }] }));
  const scores = (image: string) => ['a', 'b', 'c'].map((name) => imageLocality.prepare(asked(image), cluster)!(cluster.node(name)!));
  const share = Math.floor(100 * (Math.floor(mebibytes(500) * 2 / 3) - mebibytes(23)) / mebibytes(1_000 - 23));
  t.deepEqual(scores('web:1'), [share, share, 0]);
  t.deepEqual(scores('tool'), [0, 0, 0], '40 MB on one of three nodes is below the least that counts');
  cluster.setNode(withImages('c', ['web:1', 500]));
  t.deepEqual(scores('web:1'), [48, 48, 48], 'kept up with nodes');
  cluster.setNode(node('a'));
  cluster.removeNode('b');
  t.deepEqual(imageLocality.prepare(asked('web:1'), cluster)!(cluster.node('c')!), Math.floor(100 * (250 - 23) / (1_000 - 23)));
  t.deepEqual(['web', 'web:1', 'host:5000/web', 'host:5000/web:1', 'web@sha256:00'].map(taggedImage), ['web:latest', 'web:1', 'host:5000/web:latest', 'host:5000/web:1', 'web@sha256:00']);
});

for (const [name, normalise, from, to] of [
  ['stretched', stretched, [-10, 0, 10], [0, 50, 100]],
  ['stretched, all equal', stretched, [7, 7], [0, 0]],
  ['share of the most', shareOfMost, [0, 1, 3], [0, 33, 100]],
  ['share of nothing', shareOfMost, [0, 0], [0, 0]],
  ['fewer is better', fewerIsBetter, [0, 1, 3], [100, 67, 0]],
  ['none is best', fewerIsBetter, [0, 0], [100, 100]],
  ['emptiest of places', emptiestOfPlaces, [4, 8, Number.NaN, 6], [100, 50, 0, 75]],
  ['all places empty', emptiestOfPlaces, [0, 0], [100, 100]],
] as const) {
  test(`to one scale: ${name}`, (t) => {
    const scores = Float64Array.from(from);
    normalise(scores);
    t.deepEqual([...scores], [...to]);
  });
}

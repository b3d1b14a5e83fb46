import { countOf } from '../filters/pod-affinity.ts';
import { spreadConstraints } from '../spread-constraints.ts';
import { namesText, nodesText, type Remedy } from './remedy.ts';

const selectorText = (selector: object | undefined): string => JSON.stringify(selector ?? {});

/** For each constraint that is not kept: how full the places are. */
export const topologySpreadRemedy: Remedy = (pod, refused, cluster) => spreadConstraints(pod, cluster, 'DoNotSchedule').flatMap(({ said, count, self }) => {
  const without = refused.filter((node) => count.at(node) === undefined);
  const least = count.domains < (said.minDomains ?? 1) ? 0 : count.least;
  const full = refused.filter((node) => (count.at(node) ?? 0) + self - least > said.maxSkew && count.at(node) !== undefined);
  const nearest = Math.min(...full.map((node) => (count.at(node) ?? 0) + self - least));
  return [
    ...(without.length === 0 ? [] : [`${namesText(without.map(({ name }) => name))} ${without.length === 1 ? 'has' : 'have'} no label ${said.topologyKey}: give it one, or spread by another key`]),
    ...(full.length === 0 ? [] : [`with this pod the places by ${said.topologyKey} would differ by ${nearest} or more where ${said.maxSkew} is allowed (the emptiest has ${least}): make room for it in an emptier place, raise maxSkew to ${nearest}, or say whenUnsatisfiable: ScheduleAnyway`]),
  ];
});

/** Which terms find nobody, or somebody. */
export const podAffinityRemedy: Remedy = (pod, refused, cluster) => {
  const { podAffinity, podAntiAffinity } = pod.pod.spec?.affinity ?? {};
  const { affinity, antiAffinity } = cluster.termsOf(pod);
  const near = affinity.flatMap((term, index) => {
    const said = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[index];
    const count = countOf(cluster, term);
    const lacking = refused.filter((node) => (count.at(node) ?? 0) === 0);
    if (lacking.length === 0) return [];
    const what = `pods that match ${selectorText(said?.labelSelector)}`;
    return [count.total === 0
      ? `there are no ${what} on any node: start one first, or drop the affinity to them`
      : `${nodesText(lacking.length)} ${lacking.length === 1 ? 'is' : 'are'} not in the same ${term.topologyKey} as ${what}: make room for the pod where they are, or start one elsewhere`];
  });
  const away = antiAffinity.flatMap((term, index) => {
    const said = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[index];
    const count = countOf(cluster, term);
    const crowded = refused.filter((node) => (count.at(node) ?? 0) > 0);
    return crowded.length === 0 ? [] : [`on ${nodesText(crowded.length)} there are pods in the same ${term.topologyKey} that match ${selectorText(said?.labelSelector)}, which the pod must not be near: add a node of another ${term.topologyKey}, or prefer to be apart in place of requiring it`];
  });
  const unwanted = refused.filter((node) => [...cluster.held.all()].some(({ weight, term, holders }) => weight === 0 && (holders.at(node) ?? 0) > 0 && term.matches(pod.pod.metadata.namespace ?? '', pod.pod.metadata.labels)));
  return [...near, ...away, ...(unwanted.length === 0 ? [] : [`on ${namesText(unwanted.map(({ name }) => name))} there are pods that must not be near this one, by an anti-affinity of theirs: change its labels, or their anti-affinity`])];
};

import { dependenciesOf, type Annotations, type Dependency, type DependencyKind } from './rollout-annotations.ts';

/** A workload by the words of `barge.dev/depends-on`: `statefulset/db`. */
export const workloadText = ({ kind, name }: Pick<Dependency, 'kind' | 'name'>): string => `${kind.toLowerCase()}/${name}`;

interface Way {
  readonly text: string;
  readonly from: Way | undefined;
}

const steps = (way: Way | undefined): readonly string[] => {
  const texts: string[] = [];
  for (let at = way; at !== undefined; at = at.from) texts.unshift(at.text);
  return texts;
};

/**
 * The shortest way from a workload back to itself over what each waits for, with the workload at both ends; undefined where
 * there is none. `find` is asked once for each workload on the way, and gives its annotations, or undefined where it is not
 * there.
 */
export const dependencyCircle = (
  kind: DependencyKind, { name = '', annotations }: { readonly name?: string | undefined; readonly annotations?: Annotations },
  find: (kind: DependencyKind, name: string) => { readonly annotations?: Annotations } | undefined,
): readonly string[] | undefined => {
  const start = workloadText({ kind, name });
  const seen = new Set<string>();
  const queue: { readonly way: Way; readonly annotations: Annotations }[] = [{ way: { text: start, from: undefined }, annotations }];
  for (const at of queue) {
    for (const dependency of dependenciesOf(at.annotations)) {
      const way = { text: workloadText(dependency), from: at.way };
      if (way.text === start) return steps(way);
      if (seen.has(way.text)) continue;
      seen.add(way.text);
      const next = find(dependency.kind, dependency.name);
      if (next !== undefined) queue.push({ way, annotations: next.annotations });
    }
  }
  return undefined;
};

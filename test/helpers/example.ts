/** Manifests of the folder examples/ as a reader tries them: applied as they are, then looked at with kubectl and with barge. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { words } from './contract.ts';
import { bargeBin, root, within, type E2eCluster, type Result } from './e2e.ts';

export interface Example {
  /** The manifest, below examples/ and without its ending. */
  readonly file: string;
  /** What the example is about needs several nodes: it runs where there are three, which only pretend to run containers. */
  readonly nodes?: 'several';
  /** Where the manifest itself speaks of the namespace in which it is applied; else each has one of its own. */
  readonly namespace?: 'default';
  /** What must be so before the manifest is applied. */
  readonly before?: (at: Place) => Promise<unknown>;
  /** What a user sees and does when it is applied. */
  readonly shows: (at: Place) => Promise<unknown>;
  /** What is put back afterwards beside the manifest's objects: labels of nodes and the like. */
  readonly after?: (at: Place) => Promise<unknown>;
}

/** For how long something that must come to pass is waited for: machines may be slow, and all examples share one. */
const seconds = 300;
const timeoutMs = (seconds + 60) * 1_000;

type Expected = RegExp | ((text: string) => void);

const meets = (text: string, expected: Expected): void => {
  if (typeof expected === 'function') expected(text);
  else assert.match(text, expected);
};

/** The path of an example's manifest. */
export const manifestOf = (file: string): string => join(root, 'examples', `${file}.yaml`);

/** A namespace of a cluster, as somebody with kubectl and barge sees it. Single quotes hold the words of a command line together. */
export class Place {
  readonly cluster: E2eCluster;
  readonly namespace: string;
  /** Names of the cluster's nodes, in order. */
  readonly nodes: readonly string[];
  readonly #kubectl: string;

  constructor(cluster: E2eCluster, { kubectl, namespace, nodes }: { readonly kubectl: string; readonly namespace: string; readonly nodes: readonly string[] }) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.nodes = nodes;
    this.#kubectl = kubectl;
  }

  #words(line: string): readonly string[] {
    return ['--namespace', this.namespace, ...words(line)];
  }

  /** Runs kubectl and gives what it prints; throws where it fails. */
  kubectl(line: string): Promise<string> {
    return this.cluster.with(this.#kubectl, this.#words(line), { timeoutMs });
  }

  barge(line: string): Promise<string> {
    return this.cluster.with(bargeBin, this.#words(line), { timeoutMs });
  }

  /** Runs kubectl, whatever comes of it. */
  try(line: string): Promise<Result> {
    return this.cluster.try(this.#kubectl, this.#words(line), { timeoutMs });
  }

  /** Waits until kubectl prints what is expected, then sees that barge prints it too. Only for what stays so. */
  async sees(line: string, expected: Expected): Promise<void> {
    await this.seesByKubectl(line, expected);
    await within(seconds, async () => meets(await this.barge(line), expected), 1_000);
  }

  /** The same with kubectl alone: where barge has other words, as in most of `describe`. */
  seesByKubectl(line: string, expected: Expected): Promise<void> {
    return within(seconds, async () => meets(await this.kubectl(line), expected), 1_000);
  }

  /** kubectl must fail, with an error that matches; a controller may have to make it so first. */
  refuses(line: string, error: RegExp): Promise<void> {
    return within(seconds, async () => {
      const { code, stdout, stderr } = await this.try(line);
      assert.notEqual(code, 0, `${line}: ${stdout}`);
      assert.match(stderr, error, line);
    }, 1_000);
  }

  /** Waits for a condition, as `kubectl wait` does. */
  waits(condition: string, object: string): Promise<string> {
    return this.kubectl(`wait --for=condition=${condition} ${object} --timeout=${seconds}s`);
  }

  /** Waits until all pods of a workload are of its newest template and available. */
  rollsOut(workload: string): Promise<string> {
    return this.kubectl(`rollout status ${workload} --timeout=${seconds}s`);
  }

  /** Follows a log while something is done, to the log's end; gives the whole of it. */
  async logDuring(object: string, work: () => Promise<unknown>): Promise<string> {
    const child = spawn(this.#kubectl, [...this.#words(`logs --follow ${object}`)], { env: { ...process.env, ...this.cluster.env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => { text += part; });
    const ended = once(child, 'close');
    try {
      await within(seconds, () => assert.notEqual(text, ''));
      await work();
      await ended;
      return text;
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** The nodes on which the namespace's pods are, by name of the pod; undefined for those on none. */
  async placement(selector = ''): Promise<ReadonlyMap<string, string | undefined>> {
    const lines = (await this.kubectl(`get pods --selector=${selector} --no-headers -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName`)).trim().split('\n');
    return new Map(lines.map((line) => line.split(/ +/)).map(([name = '', node]) => [name, node === '<none>' ? undefined : node]));
  }

  /** Applies a manifest, looks at it and takes it away again. */
  async carryOut({ file, before, shows, after }: Example): Promise<void> {
    if (this.namespace !== 'default') await this.kubectl(`create namespace ${this.namespace}`);
    await before?.(this);
    await this.kubectl(`apply -f ${manifestOf(file)}`);
    await shows(this);
    await this.barge(`delete -f ${manifestOf(file)} --ignore-not-found --wait=false`);
    await after?.(this);
  }
}

/** Carries all examples out, so many at a time, and gives for each the promise of its end. */
export const carryOutAll = (examples: readonly Example[], { atOnce, place }: { readonly atOnce: number; readonly place: (example: Example) => Place }): ReadonlyMap<string, Promise<void>> => {
  const waiting = [...examples];
  const ends = new Map(examples.map(({ file }) => [file, Promise.withResolvers<void>()]));
  const work = async (): Promise<void> => {
    for (let example = waiting.shift(); example !== undefined; example = waiting.shift()) {
      const { promise, resolve, reject } = ends.get(example.file)!;
      // Whoever asks for it gets the error; nobody may have asked yet.
      promise.catch(() => undefined);
      await place(example).carryOut(example).then(resolve, reject);
    }
  };
  for (let worker = 0; worker < atOnce; worker++) void work();
  return new Map([...ends].map(([file, { promise }]) => [file, promise]));
};

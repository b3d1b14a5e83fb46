/**
 * kubectl's verbs as a table: command lines, what they say, and what the cluster holds after them. The cluster is asked
 * over plain HTTPS, so that no client's opinion stands between a verb and its effect.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestFn } from 'ava';
import { load } from 'js-yaml';
import { kubectls, must, run, within, E2eCluster } from './e2e.ts';
import { rawApi } from './raw-api.ts';

/** Marks a field that must not be there. */
export const absent = Symbol('absent');

export interface Step {
  /** The words after `kubectl`; single quotes hold words together. `{ns}` and `{minor}` are those of the run, `{data}` is the cluster's data folder. */
  readonly run: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What standard output is, or matches. */
  readonly says?: RegExp | string;
  /** What standard error matches, though the command succeeds. */
  readonly warns?: RegExp;
  /** What standard error matches; the command must fail then. */
  readonly fails?: RegExp;
  /** The exit code of a command that fails; 1 where it is not given. */
  readonly code?: number;
  /** Objects that are there afterwards, by `plural/name` or `plural/name/subresource`, with the parts that they must have. */
  readonly has?: Readonly<Record<string, object>>;
  /** Objects that are not there afterwards. */
  readonly lacks?: readonly string[];
  /** Files of the folder afterwards, by name, with what they hold. */
  readonly writes?: Readonly<Record<string, string>>;
  /** Another command, started once this one has had the time to begin what it does until then; it must succeed. */
  readonly meanwhile?: string;
  /** The command and its effect are tried again for so long: for what a controller has to do. Else both must hold at once. */
  readonly withinSeconds?: number;
  /** The minor versions of kubectl that know the command in this form; all where not given. */
  readonly since?: number;
  readonly until?: number;
}

export interface Case {
  /** The verb as kubectl's help calls it, and after a colon what of it: `rollout undo: to a revision`. */
  readonly verb: string;
  /** Files of the folder in which the commands run. */
  readonly files?: Readonly<Record<string, string>>;
  readonly since?: number;
  /** Versions one after the other, for what they share, such as the node. */
  readonly serially?: true;
  readonly steps: readonly Step[];
}

const clusterScoped = new Set([
  'namespaces', 'nodes', 'persistentvolumes', 'clusterroles', 'clusterrolebindings', 'priorityclasses', 'storageclasses', 'certificatesigningrequests', 'ingressclasses',
  'customresourcedefinitions', 'runtimeclasses',
]);

const groups: Readonly<Record<string, string>> = {
  deployments: 'apps/v1', replicasets: 'apps/v1', statefulsets: 'apps/v1', daemonsets: 'apps/v1', controllerrevisions: 'apps/v1', jobs: 'batch/v1', cronjobs: 'batch/v1',
  roles: 'rbac.authorization.k8s.io/v1', rolebindings: 'rbac.authorization.k8s.io/v1', clusterroles: 'rbac.authorization.k8s.io/v1', clusterrolebindings: 'rbac.authorization.k8s.io/v1',
  ingresses: 'networking.k8s.io/v1', networkpolicies: 'networking.k8s.io/v1', ingressclasses: 'networking.k8s.io/v1', poddisruptionbudgets: 'policy/v1', priorityclasses: 'scheduling.k8s.io/v1',
  horizontalpodautoscalers: 'autoscaling/v2', certificatesigningrequests: 'certificates.k8s.io/v1', leases: 'coordination.k8s.io/v1', customresourcedefinitions: 'apiextensions.k8s.io/v1',
};

/** The URL path of `plural/name` in a namespace. */
const pathOf = (key: string, namespace: string): string => {
  const [plural = '', ...rest] = key.split('/');
  const group = groups[plural];
  const scope = clusterScoped.has(plural) ? '' : `/namespaces/${namespace}`;
  return `${group === undefined ? '/api/v1' : `/apis/${group}`}${scope}/${plural}/${rest.join('/')}`;
};

/** Splits a command line at spaces, but not within single quotes. */
export const words = (line: string): readonly string[] =>
  [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));

/** Where a value differs from what is expected of it, or undefined. Objects may have more fields; lists may not have more items. */
export const difference = (value: unknown, expected: unknown, path = ''): string | undefined => {
  if (expected === absent) return value === undefined ? undefined : `${path} is there: ${JSON.stringify(value)}`;
  if (expected instanceof RegExp) return typeof value === 'string' && expected.test(value) ? undefined : `${path}: ${JSON.stringify(value)} does not match ${String(expected)}`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length) return `${path}: ${JSON.stringify(value)} is not a list of ${expected.length}`;
    return expected.map((one, at) => difference(value[at], one, `${path}[${at}]`)).find((one) => one !== undefined);
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof value !== 'object' || value === null) return `${path}: ${JSON.stringify(value)} is not an object`;
    return Object.entries(expected).map(([key, one]) => difference((value as Record<string, unknown>)[key], one, `${path}.${key}`)).find((one) => one !== undefined);
  }
  return value === expected ? undefined : `${path}: ${JSON.stringify(value)} is not ${JSON.stringify(expected)}`;
};

/** A namespace of a cluster, a folder, and one kubectl that works in both. */
class Bench {
  readonly #cluster: E2eCluster;
  readonly #api: Awaited<ReturnType<typeof rawApi>>;
  readonly #program: string;
  readonly #minor: number;
  readonly #namespace: string;
  readonly #folder: string;

  constructor(cluster: E2eCluster, api: Awaited<ReturnType<typeof rawApi>>, kubectl: { readonly minor: number; readonly program: string }, namespace: string) {
    this.#cluster = cluster;
    this.#api = api;
    this.#program = kubectl.program;
    this.#minor = kubectl.minor;
    this.#namespace = namespace;
    this.#folder = join(cluster.dataDir, 'contract', namespace);
  }

  #fill(text: string): string {
    return text.replaceAll('{ns}', this.#namespace).replaceAll('{minor}', String(this.#minor)).replaceAll('{data}', this.#cluster.dataDir);
  }

  /** The same in the strings of what is expected of an object. */
  #fillAll(value: unknown): unknown {
    if (typeof value === 'string') return this.#fill(value);
    if (Array.isArray(value)) return value.map((one) => this.#fillAll(one));
    if (typeof value !== 'object' || value === null || value instanceof RegExp) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [this.#fill(key), this.#fillAll(one)]));
  }

  async prepare(files: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(this.#folder, name, '..'), { recursive: true });
      await writeFile(join(this.#folder, name), this.#fill(text), { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    }
    const config = load(await readFile(this.#cluster.kubeconfig, 'utf8')) as { readonly contexts: readonly { readonly context: { namespace?: string } }[] };
    config.contexts[0]!.context.namespace = this.#namespace;
    await writeFile(join(this.#folder, 'kubeconfig'), JSON.stringify(config));
    const made = await this.#api('/api/v1/namespaces', { type: 'application/json', body: JSON.stringify({ metadata: { name: this.#namespace } }) });
    assert.equal(made.code, 201, made.body);
    await within(10, async () => assert.equal((await this.#api(pathOf('serviceaccounts/default', this.#namespace))).code, 200), 20);
  }

  async step(step: Step): Promise<void> {
    if (this.#minor < (step.since ?? 0) || this.#minor > (step.until ?? Infinity)) return;
    const once = async (): Promise<void> => {
      await this.#command(step);
      await this.#effects(step);
    };
    await (step.withinSeconds === undefined ? once() : within(step.withinSeconds, once, 100));
  }

  async #command(step: Step): Promise<void> {
    const line = this.#fill(step.run);
    const later = step.meanwhile === undefined ? undefined : delay(2_000).then(() => this.#command({ run: step.meanwhile! }));
    const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, this.#fill(value).replaceAll('{folder}', this.#folder)]));
    const { code, stdout, stderr } = await run(this.#program, words(line), {
      cwd: this.#folder, timeoutMs: 60_000, ...(step.input === undefined ? {} : { input: this.#fill(step.input) }),
      // The discovery that kubectl keeps on disk belongs to its version.
      env: { HOME: join(this.#cluster.dataDir, `home-${this.#minor}`), KUBECONFIG: join(this.#folder, 'kubeconfig'), ...env },
    });
    await later;
    const told = `kubectl ${line}\nexit ${code}\n${stdout}${stderr}`;
    assert.equal(code, step.code ?? (step.fails === undefined ? 0 : 1), told);
    for (const [expected, text] of [[step.says, stdout], [step.warns ?? step.fails, stderr]] as const) {
      if (typeof expected === 'string') assert.equal(text, this.#fill(expected), told);
      else if (expected !== undefined) assert.ok(new RegExp(this.#fill(expected.source), expected.flags).test(text), `${String(expected)} does not match\n${told}`);
    }
  }

  async #effects({ run: line, has = {}, lacks = [], writes = {} }: Step): Promise<void> {
    for (const [name, text] of Object.entries(writes)) assert.equal(await readFile(join(this.#folder, name), 'utf8'), text, `${name} after ${line}`);
    for (const [key, parts] of Object.entries(has)) {
      const { code, body } = await this.#api(pathOf(this.#fill(key), this.#namespace));
      assert.equal(code, 200, `${key} after ${line}: ${body}`);
      const wrong = difference(JSON.parse(body), this.#fillAll(parts));
      assert.equal(wrong, undefined, `${key} after ${line}: ${wrong}`);
    }
    for (const key of lacks) {
      const { code, body } = await this.#api(pathOf(this.#fill(key), this.#namespace));
      assert.equal(code, 404, `${key} after ${line}: ${body}`);
    }
  }
}

/** The commands that a kubectl's help lists, but for those of plugins. */
export const verbsOf = async (program: string): Promise<readonly string[]> => {
  const help = await must(program, ['--help']);
  return [...help.matchAll(/^ {2}([a-z-]+) +[A-Z]/gm)].map((match) => match[1]!).toSorted();
};

/** Makes a test of each case; it runs with every kubectl that is named, each in a namespace of its own, and says all that fails. */
export const contract = (test: TestFn, cluster: () => E2eCluster, cases: readonly Case[]): void => {
  let all: ReturnType<typeof kubectls> | undefined;
  for (const [at, { verb, files = {}, since = 0, serially, steps }] of cases.entries()) {
    test(verb, async (t) => {
      const api = await rawApi(cluster().kubeconfig);
      const failures: string[] = [];
      const one = async (minor: number, program: string): Promise<void> => {
        const bench = new Bench(cluster(), api, { minor, program }, `${verb.replaceAll(/[^a-z]+/g, '-').slice(0, 24).replace(/-$/, '')}-${at}-${minor}`);
        try {
          await bench.prepare(files);
          for (const step of steps) await bench.step(step);
        } catch (error) {
          failures.push(`kubectl 1.${minor}: ${error instanceof Error ? error.message : String(error)}`);
        }
      };
      const programs = [...(await (all ??= kubectls()))].filter(([minor]) => minor >= since);
      t.true(programs.length > 0, 'no kubectl: name one in BARGE_TEST_KUBECTLS');
      if (serially === true) for (const [minor, program] of programs) await one(minor, program);
      else await Promise.all(programs.map(([minor, program]) => one(minor, program)));
      if (failures.length > 0) t.fail(failures.join('\n\n'));
    });
  }
};

/** What is counted of each request, under the names that Kubernetes' API server uses. */
import type { Counter, Family, Gauge, Histogram, Metrics } from '../../base/metrics/metrics.ts';
import type { ResourcePath, Verb } from '../../schemas/api.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import type { Route } from './resource-path.ts';

/** Kubernetes' own bounds, in seconds. */
const durationBounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

const verbWords: Readonly<Record<Verb, string>> = {
  get: 'GET', list: 'LIST', watch: 'WATCH', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETECOLLECTION',
};
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Subresources that open a stream instead of answering. */
const connections = new Set(['exec', 'attach', 'portforward', 'proxy']);
/** Paths that are no resources and are counted by name; all others together. */
const fixedPaths = ['/healthz', '/livez', '/readyz', '/version', '/metrics', '/openapi/v2', '/openapi/v3', '/openid/v1/jwks', '/.well-known/openid-configuration', '/apis', '/api'];

/** What is known of a request when it ends. */
export interface Counted {
  readonly method: string;
  readonly pathname: string;
  readonly path: ResourcePath | undefined;
  /** Undefined for what is no resource that there is. */
  readonly route: Route | undefined;
  readonly query: URLSearchParams | undefined;
  readonly contentType: string | undefined;
}

const scopeOf = ({ namespace, name }: ResourcePath, verb: Verb): 'resource' | 'namespace' | 'cluster' =>
  (name !== undefined || verb === 'create' ? 'resource' : namespace === undefined ? 'cluster' : 'namespace');

/** One sort of request: what its labels say but for the code of the answer. */
class Series {
  readonly #longRunning: Family<Gauge>;
  readonly #count: Family<Counter>;
  readonly #duration: Family<Histogram>;
  readonly #labels: readonly string[];
  readonly #dryRun: string;
  readonly #byCode = new Map<number, readonly [Counter, Histogram]>();

  constructor(families: Families, labels: readonly string[], dryRun: string) {
    this.#count = families.count;
    this.#duration = families.duration;
    this.#labels = labels;
    this.#dryRun = dryRun;
    this.#longRunning = families.longRunning;
  }

  /** How many of them are open, for those that stay. */
  get open(): Gauge {
    return this.#longRunning.of(...this.#labels);
  }

  ended(code: number, seconds: number, timed: 'timed' | 'counted'): void {
    let found = this.#byCode.get(code);
    if (found === undefined) {
      found = [this.#count.of(...this.#labels, this.#dryRun, String(code)), this.#duration.of(...this.#labels, this.#dryRun, `${Math.floor(code / 100)}xx`)];
      this.#byCode.set(code, found);
    }
    found[0].add();
    if (timed === 'timed') found[1].observe(seconds);
  }
}

interface Families {
  readonly count: Family<Counter>;
  readonly duration: Family<Histogram>;
  readonly longRunning: Family<Gauge>;
}

const labels = ['component', 'verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const;

/** Finds the series of a request by a few look-ups, without making a string. */
export class RequestMetrics {
  readonly #families: Families;
  readonly #watchEvents: Family<Counter>;
  readonly #plain = new WeakMap<AnyKind, Map<Verb, Map<string, Series>>>();
  readonly #others = new Map<string, Series>();

  constructor(metrics: Metrics) {
    this.#families = {
      count: metrics.counter({ name: 'apiserver_request_total', help: 'Requests that were answered.', labels: [...labels, 'dry_run', 'code'] }),
      duration: metrics.histogram({
        name: 'apiserver_request_duration_seconds', help: 'Time from the arrival of a request to the end of its answer, by the first digit of its code; without watches and streams.',
        labels: [...labels, 'dry_run', 'code'], bounds: durationBounds,
      }),
      longRunning: metrics.gauge({ name: 'apiserver_longrunning_requests', help: 'Watches and streams that are open.', labels }),
    };
    this.#watchEvents = metrics.counter({ name: 'apiserver_watch_events_total', help: 'Events that were sent to watchers.', labels: ['group', 'version', 'kind'] });
  }

  /** Where the events of a watch of this kind are counted. */
  watchEvents({ group, version, kind }: AnyKind): Counter {
    return this.#watchEvents.of(group, version, kind);
  }

  seriesOf(counted: Counted): Series {
    const { path, route } = counted;
    if (path === undefined || route === undefined) return this.#otherSeries(counted);
    const scope = scopeOf(path, route.verb);
    const dryRun = counted.query?.get('dryRun') === 'All' ? 'All' : '';
    if (path.subresource !== undefined || dryRun !== '' || route.verb === 'patch') return this.#rareSeries(counted, path, route, scope, dryRun);
    let verbs = this.#plain.get(route.kind);
    if (verbs === undefined) this.#plain.set(route.kind, verbs = new Map());
    let scopes = verbs.get(route.verb);
    if (scopes === undefined) verbs.set(route.verb, scopes = new Map());
    let series = scopes.get(scope);
    if (series === undefined) scopes.set(scope, series = this.#make(route.kind, verbWords[route.verb], '', scope, ''));
    return series;
  }

  /** Forgets what was open, to be set anew by whoever knows. */
  clearLongRunning(): void {
    for (const [, gauge] of this.#families.longRunning) gauge.set(0);
  }

  #rareSeries({ contentType }: Counted, { subresource = '' }: ResourcePath, { kind, verb }: Route, scope: string, dryRun: string): Series {
    const applies = verb === 'patch' && contentType?.startsWith('application/apply-patch') === true;
    const word = connections.has(subresource) ? 'CONNECT' : applies ? 'APPLY' : verbWords[verb];
    const key = `${kind.group}/${kind.version}/${kind.plural}/${subresource}/${word}/${scope}/${dryRun}`;
    let series = this.#others.get(key);
    if (series === undefined) this.#others.set(key, series = this.#make(kind, word, subresource, scope, dryRun));
    return series;
  }

  #otherSeries({ method, pathname, path }: Counted): Series {
    const verb = methods.has(method) ? method : 'OTHER';
    const at = path === undefined ? fixedPaths.find((one) => pathname === one || pathname.startsWith(`${one}/`)) ?? 'other' : '';
    const key = `${verb} ${at}`;
    let series = this.#others.get(key);
    if (series === undefined) this.#others.set(key, series = new Series(this.#families, ['apiserver', verb, '', '', path === undefined ? '' : 'other', at, ''], ''));
    return series;
  }

  #make({ group, version, plural }: AnyKind, verb: string, subresource: string, scope: string, dryRun: string): Series {
    return new Series(this.#families, ['apiserver', verb, group, version, plural, subresource, scope], dryRun);
  }
}

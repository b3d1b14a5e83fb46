/**
 * metrics.k8s.io: what nodes and pods use. The objects are made when they are read, out of what agents measured, under the
 * names and with the labels of the nodes and pods themselves.
 */
import { rfc3339 } from '../../base/clock.ts';
import { ApiError, notFound } from '../../schemas/errors.ts';
import { parseFieldSelector } from '../../schemas/field-selector.ts';
import { deepFreeze } from '../../schemas/frozen.ts';
import { apiVersionOf, type ApiObject } from '../../schemas/kind.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { parseLabelSelector } from '../../schemas/label-selector.ts';
import { formatQuantity, quantityOfBytes } from '../../schemas/quantity.ts';
import type { ApiAnswer } from '../../schemas/api.ts';
import type { MeasuredUsage, NodeSummary } from '../metrics/node-summary.ts';
import { agentOf, type NodeTarget } from '../subresources/connect.ts';
import type { Call, Surroundings } from '../verbs/call.ts';
import type { Reader } from './virtual.ts';

const usage = ({ nanoCores, memoryBytes }: MeasuredUsage): object => ({ cpu: formatQuantity({ nano: BigInt(nanoCores), form: 'DecimalSI' }), memory: quantityOfBytes(memoryBytes) });

const measuredAt = (usages: readonly MeasuredUsage[]): object => ({
  timestamp: rfc3339(Math.min(...usages.map(({ atMs }) => atMs))), window: `${Math.max(...usages.map(({ windowMs }) => windowMs)) / 1_000}s`,
});

/** The agents of nodes that have said where they are. */
const agentsOf = (api: Surroundings, names: Iterable<string>): ReadonlyMap<string, NodeTarget> => {
  const found = new Map<string, NodeTarget>();
  for (const name of names) {
    try {
      found.set(name, { ...agentOf(api, name), path: '' });
    } catch {
      // A node that is being made, or one that lies about its place, has no figures.
    }
  }
  return found;
};

const summariesOf = (api: Surroundings, names: Iterable<string>): Promise<ReadonlyMap<string, NodeSummary>> => {
  if (api.summaries === undefined) throw new ApiError('ServiceUnavailable', 'this server does not ask agents for what their nodes use');
  return api.summaries.of(agentsOf(api, names));
};

const head = ({ kind }: Call, { metadata: { name, namespace, labels } }: ApiObject, now: number) => ({
  kind: kind.kind, apiVersion: apiVersionOf(kind),
  metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }), creationTimestamp: rfc3339(now) },
});

const nodeFigures = async (api: Surroundings, call: Call, nodes: readonly Node[]): Promise<readonly ApiObject[]> => {
  const summaries = await summariesOf(api, nodes.map(({ metadata }) => metadata.name ?? ''));
  return nodes.flatMap((node) => {
    const figures = summaries.get(node.metadata.name ?? '')?.node;
    return figures === undefined ? [] : [{ ...head(call, node, api.clock.now()), ...measuredAt([figures]), usage: usage(figures) }];
  });
};

/** An agent speaks for the pods that are bound to its node, and for no others. */
const podFigures = async (api: Surroundings, call: Call, pods: readonly Pod[]): Promise<readonly ApiObject[]> => {
  const running = pods.filter(({ status, spec }) => status?.phase === 'Running' && (spec.nodeName ?? '') !== '');
  const summaries = await summariesOf(api, new Set(running.map(({ spec }) => spec.nodeName ?? '')));
  return running.flatMap((pod) => {
    const figures = summaries.get(pod.spec.nodeName ?? '')?.pods.get(pod.metadata.uid ?? '');
    if (figures === undefined) return [];
    return [{ ...head(call, pod, api.clock.now()), ...measuredAt(figures.containers), containers: figures.containers.map((one) => ({ name: one.name, usage: usage(one) })) }];
  });
};

const read = async (api: Surroundings, call: Call, figures: (objects: readonly ApiObject[]) => Promise<readonly ApiObject[]>): Promise<ApiAnswer> => {
  const { kind, namespace, name, options } = call;
  const at = `/${kind.plural}/${kind.scope === 'Cluster' ? '' : namespace}`;
  if (name !== '') {
    const object = api.cache.get(`${at}/${name}`);
    const [found] = object === undefined ? [] : await figures([object]);
    if (found === undefined) throw notFound(kind, name);
    return { code: 200, body: deepFreeze(found), warnings: [] };
  }
  const labels = parseLabelSelector(options.labelSelector ?? '');
  const fields = parseFieldSelector(kind, options.fieldSelector ?? '');
  const all = api.cache.list(kind.scope === 'Cluster' || namespace === '' ? `/${kind.plural}/` : `${at}/`);
  const items = await figures(all.filter((object) => labels.matches(object.metadata.labels) && fields.matches(object)));
  return { code: 200, body: { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: { resourceVersion: '' }, items: deepFreeze(items) }, warnings: [] };
};

export const nodeUsage: Reader = (api, call) => read(api, call, (nodes) => nodeFigures(api, call, nodes as readonly Node[]));

export const podUsage: Reader = (api, call) => read(api, call, (pods) => podFigures(api, call, pods as readonly Pod[]));

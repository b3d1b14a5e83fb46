/** What an agent tells of its node: health, numbers, pods and settings, each at the path at which Kubernetes' agents do. */
import type { ServerResponse } from 'node:http';
import { exposition, expositionTypes } from '../../base/metrics/exposition.ts';
import { Metrics } from '../../base/metrics/metrics.ts';
import { addProcessMetrics } from '../../base/metrics/process-metrics.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { resourceMetrics, statsSummary } from '../usage/usage-report.ts';
import type { NodeUsage } from '../usage/usage.ts';

export interface NodeReportOptions {
  readonly nodeName: string;
  readonly startedAtMs: number;
  readonly memoryBytes: number;
  /** The pods of this node. */
  readonly pods: () => readonly Pod[];
  readonly usage: () => Promise<NodeUsage>;
  /** What the agent was started with, for `/configz`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

interface Report { readonly type: string; readonly body: string }

const json = (value: unknown): Report => ({ type: 'application/json', body: `${JSON.stringify(value)}\n` });

export class NodeReports {
  readonly #options: NodeReportOptions;
  readonly #metrics = new Metrics();
  readonly #reports: Readonly<Record<string, () => Report | Promise<Report>>>;

  constructor(options: NodeReportOptions) {
    this.#options = options;
    addProcessMetrics(this.#metrics);
    const { nodeName, pods, usage, settings } = options;
    this.#metrics.gauge({ name: 'kubelet_node_name', help: 'The name of the node; always 1.', labels: ['node'] }).of(nodeName).set(1);
    const running = this.#metrics.gauge({ name: 'kubelet_running_pods', help: 'Pods with a container that runs.' }).of();
    const containers = this.#metrics.gauge({ name: 'kubelet_running_containers', help: 'Containers by their state.', labels: ['container_state'] }).of('running');
    this.#reports = {
      '/healthz': () => ({ type: 'text/plain; charset=utf-8', body: 'ok' }),
      '/metrics': async () => {
        const now = (await usage()).containers;
        running.set(new Set(now.map(({ pod }) => pod.uid)).size);
        containers.set(now.length);
        return { type: expositionTypes.prometheus, body: exposition(this.#metrics) };
      },
      '/metrics/resource': async () => ({ type: expositionTypes.prometheus, body: resourceMetrics(await usage()) }),
      '/stats/summary': async () => json(statsSummary(await usage(), this.#options)),
      '/pods': () => json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods() }),
      '/configz': () => json({ kubeletconfig: { kind: 'KubeletConfiguration', apiVersion: 'kubelet.config.k8s.io/v1beta1', ...settings } }),
    };
  }

  /** Answers a path that is one of a report's; false for every other one. */
  async answer(pathname: string, response: ServerResponse): Promise<boolean> {
    const path = pathname.length > 1 && pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
    const report = Object.hasOwn(this.#reports, path) ? await this.#reports[path]!() : undefined;
    if (report === undefined) return false;
    response.writeHead(200, { 'Content-Type': report.type, 'Content-Length': Buffer.byteLength(report.body) });
    response.end(report.body);
    return true;
  }
}

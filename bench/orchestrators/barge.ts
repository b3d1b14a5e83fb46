/** barge with its defaults: a Deployment and a Service with a cluster address. */
import { createClient, type Client } from '../../client/client.ts';
import { DaemonSet } from '../../schemas/kinds/apps/daemon-set.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import type { NodeLab } from '../../test/helpers/node-lab.ts';
import { connectByKubeconfig } from '../connect.ts';
import { callingScript, images, machines, port, type Copy, type Orchestrator, type Order } from './orchestrator.ts';

const web = { namespace: 'default', name: 'web' } as const;
const ofApp = (app: string) => ({ app });

class Barge implements Orchestrator {
  readonly #lab: NodeLab;
  #client!: Client;

  constructor(lab: NodeLab) {
    this.#lab = lab;
  }

  async begin(): Promise<void> {
    const [, ...others] = machines;
    await this.#lab.up();
    await Promise.all(others.map((name) => this.#lab.join(name)));
    this.#client = createClient(await connectByKubeconfig(this.#lab.kubeconfig));
  }

  async create(count: number): Promise<void> {
    await this.#client.of(Service).create({ metadata: { ...web }, spec: { selector: ofApp('web'), ports: [{ port }] } });
    await this.#client.of(Deployment).create({
      metadata: { ...web },
      spec: {
        replicas: count, selector: { matchLabels: ofApp('web') },
        template: { metadata: { labels: ofApp('web') }, spec: { terminationGracePeriodSeconds: 10, containers: [{ name: 'web', image: images[0] }] } },
      },
    });
  }

  async scale(count: number): Promise<void> {
    await this.#client.of(Deployment).modify(web, ({ spec }) => { spec.replicas = count; });
  }

  async update(image: string, first: Order): Promise<void> {
    await this.#client.of(Deployment).modify(web, ({ spec }) => {
      spec.strategy = { type: 'RollingUpdate', rollingUpdate: first === 'start' ? { maxSurge: 2, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 2 } };
      spec.template!.spec!.containers[0]!.image = image;
    });
  }

  async running(): Promise<readonly Copy[]> {
    const { items } = await this.#client.of(Pod).list({ namespace: web.namespace, labelSelector: 'app=web' });
    return items.flatMap(({ metadata, spec, status }) => {
      const container = status?.containerStatuses?.[0];
      return metadata.deletionTimestamp !== undefined || container?.state?.running === undefined ? []
        : [{ container: container.containerID!.replace('docker://', ''), machine: spec.nodeName!, image: spec.containers[0]!.image! }];
    });
  }

  async remove(): Promise<void> {
    await this.#client.of(Deployment).delete(web, { propagationPolicy: 'Background' });
    await this.#client.of(Service).delete(web);
  }

  async call(): Promise<void> {
    await this.#client.of(DaemonSet).create({
      metadata: { namespace: 'default', name: 'caller' },
      spec: {
        selector: { matchLabels: ofApp('caller') },
        template: { metadata: { labels: ofApp('caller') }, spec: { containers: [{ name: 'caller', image: images[0], command: ['sh', '-c', callingScript('web.default.svc.cluster.local')] }] } },
      },
    });
  }

  async end(): Promise<void> {
    // The lab resets its machines.
  }
}

export const barge = (lab: NodeLab): Orchestrator => new Barge(lab);

/** The engine's own Swarm mode: a service on an overlay network, or on each engine's bridge. */
import type Docker from 'dockerode';
import { connectDocker } from '../../kubelet-lite/runtime/docker-client.ts';
import type { NodeLab } from '../../test/helpers/node-lab.ts';
import { callingScript, images, machines, type Copy, type Orchestrator, type Order } from './orchestrator.ts';

interface Task {
  readonly NodeID: string;
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly ContainerID?: string } };
  readonly Spec: { readonly ContainerSpec?: { readonly Image: string } };
}

export interface SwarmOptions {
  readonly network: 'overlay' | 'bridge';
  /** Before a copy that ended is replaced; Swarm's own default where absent. */
  readonly restartDelaySeconds?: number;
}

/** Swarm counts in nanoseconds. */
const second = 1e9;
const overlay = 'pods';

class SwarmMode implements Orchestrator {
  readonly #lab: NodeLab;
  readonly #options: SwarmOptions;
  readonly #engines: ReadonlyMap<string, Docker>;
  readonly #machineOf = new Map<string, string>();

  constructor(lab: NodeLab, options: SwarmOptions) {
    this.#lab = lab;
    this.#options = options;
    this.#engines = new Map(machines.map((name) => [name, connectDocker(lab.engineAt(name))]));
  }

  async begin(): Promise<void> {
    const [first, ...others] = machines;
    const at = `${this.#lab.net.ip(first)}:2377`;
    await this.#manager.swarmInit({ ListenAddr: at, AdvertiseAddr: at });
    const { JoinTokens } = await this.#manager.swarmInspect() as { readonly JoinTokens: { readonly Worker: string } };
    for (const name of others) {
      const own = `${this.#lab.net.ip(name)}:2377`;
      await this.#engines.get(name)!.swarmJoin({ ListenAddr: own, AdvertiseAddr: own, RemoteAddrs: [at], JoinToken: JoinTokens.Worker });
    }
    for (const [name, engine] of this.#engines) this.#machineOf.set((await engine.info() as { readonly Swarm: { readonly NodeID: string } }).Swarm.NodeID, name);
    await this.#manager.createNetwork({ Name: overlay, Driver: 'overlay', Attachable: true });
  }

  async create(count: number): Promise<void> {
    const { network, restartDelaySeconds } = this.#options;
    await this.#manager.createService({
      Name: 'web',
      TaskTemplate: {
        ContainerSpec: { Image: images[0] },
        ...network === 'overlay' ? { Networks: [{ Target: overlay }] } : {},
        ...restartDelaySeconds === undefined ? {} : { RestartPolicy: { Condition: 'any', Delay: restartDelaySeconds * second } },
      },
      Mode: { Replicated: { Replicas: count } },
      // Addresses of tasks under the service's name: one address in front of them needs IPVS, which not every kernel has.
      EndpointSpec: { Mode: 'dnsrr' },
    });
  }

  async scale(count: number): Promise<void> {
    await this.#change((spec) => { spec.Mode!.Replicated!.Replicas = count; });
  }

  async update(image: string, first: Order): Promise<void> {
    await this.#change((spec) => {
      (spec.TaskTemplate as Docker.ContainerTaskSpec).ContainerSpec!.Image = image;
      spec.UpdateConfig = { Parallelism: 2, Order: `${first}-first` };
    });
  }

  async running(): Promise<readonly Copy[]> {
    const tasks = await this.#manager.listTasks({ filters: { 'desired-state': ['running'] } }) as readonly Task[];
    // A container beside the service that joins its network has a task too, without a container of its own.
    return tasks.flatMap(({ NodeID, Status, Spec }) => (Status.State === 'running' && Spec.ContainerSpec !== undefined
      ? [{ container: Status.ContainerStatus!.ContainerID!, machine: this.#machineOf.get(NodeID)!, image: Spec.ContainerSpec.Image }] : []));
  }

  async remove(): Promise<void> {
    await this.#manager.getService('web').remove();
  }

  async call(): Promise<void> {
    for (const engine of this.#engines.values()) {
      await (await engine.createContainer({ name: 'caller', Image: images[0], Cmd: ['sh', '-c', callingScript('web')], HostConfig: { NetworkMode: overlay } })).start();
    }
  }

  async end(): Promise<void> {
    for (const engine of [...this.#engines.values()].toReversed()) {
      await engine.getContainer('caller').remove({ force: true }).catch(() => undefined);
      await engine.swarmLeave({ force: true });
    }
  }

  get #manager(): Docker {
    return this.#engines.get(machines[0])!;
  }

  async #change(change: (spec: Docker.ServiceSpec) => void): Promise<void> {
    const { Spec, Version } = await this.#manager.getService('web').inspect() as { readonly Spec: Docker.ServiceSpec; readonly Version: { readonly Index: number } };
    change(Spec);
    await this.#manager.getService('web').update({ ...Spec, version: Version.Index });
  }
}

export const swarmMode = (options: SwarmOptions) => (lab: NodeLab): Orchestrator => new SwarmMode(lab, options);

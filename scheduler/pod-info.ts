import { keyOf, keyText } from '../client/key.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { assumedOf, requestsOf, type Amounts } from './amounts.ts';
import { swarmAnnotations } from '../schemas/swarm/placement.ts';
import { podClaims, type PodClaim } from '../schemas/volumes/pod-claims.ts';
import { hostPortsOf, type HostPort } from '../schemas/host-ports.ts';
import { serviceOf } from './swarm/service.ts';

/** Annotations with this prefix say how the scheduler is to place a pod. */
export const annotationPrefix = 'scheduler.barge.dev/';

const noKeys: readonly string[] = Object.freeze([]);

/** A pod with what the scheduler works out of it once. */
export class PodInfo {
  #pod: Pod;
  readonly key: string;
  readonly uid: string;
  readonly requests: Amounts;
  /** What scorers count beside the requests for containers that ask for no CPU or memory. */
  readonly assumed: { readonly cpuMilli: number; readonly memoryBytes: number };
  readonly ports: readonly HostPort[];
  readonly containers: number;
  readonly priority: number;
  /** What its volumes stand on, and the claims' keys in the same order. */
  readonly claims: readonly PodClaim[];
  readonly claimKeys: readonly string[];
  #shape: string | undefined;

  /** Throws RangeError when a request is no quantity. */
  constructor(pod: Pod) {
    this.#pod = pod;
    this.key = keyText(keyOf(pod));
    this.uid = pod.metadata.uid ?? this.key;
    this.requests = requestsOf(pod);
    this.assumed = assumedOf(pod, this.requests);
    this.ports = hostPortsOf(pod);
    this.containers = pod.spec?.containers.length ?? 0;
    this.priority = pod.spec?.priority ?? 0;
    this.claims = podClaims(pod);
    this.claimKeys = this.claims.length === 0 ? noKeys : this.claims.map(({ claimName }) => `${pod.metadata.namespace}/${claimName}`);
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** A newer state of the pod in which only its status is another. */
  renew(pod: Pod): void {
    this.#pod = pod;
  }

  /** Everything of the pod on which filters and scorers depend. Pods of one template have one shape. */
  get shape(): string {
    if (this.#shape !== undefined) return this.#shape;
    const { namespace, labels, annotations = {} } = this.pod.metadata;
    const spec = this.pod.spec;
    const swarm = swarmAnnotations(annotations);
    const { cpuMilli, memoryBytes, storageBytes, others } = this.requests;
    return this.#shape = JSON.stringify([
      spec?.schedulerName, cpuMilli, memoryBytes, storageBytes, [...others], this.ports, this.containers, namespace, labels,
      spec?.nodeName, spec?.nodeSelector, spec?.affinity, spec?.tolerations, spec?.topologySpreadConstraints,
      spec?.containers.map(({ image }) => image), spec?.initContainers?.map(({ image }) => image), this.priority, spec?.preemptionPolicy,
      // A claim that is made for a pod is that pod's alone.
      this.claims.map(({ claimName, isEphemeral }) => [claimName, isEphemeral ? this.uid : 0]),
      swarm === undefined ? 0 : [swarm, serviceOf(this)],
      Object.keys(annotations).filter((name) => name.startsWith(annotationPrefix)).map((name) => [name, annotations[name]]),
    ]);
  }
}

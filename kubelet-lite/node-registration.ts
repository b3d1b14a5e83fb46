/** Keeps the node's object and its lease: made at the start, renewed four times in its life, corrected when something changed. */
import { mkdir, readFile } from 'node:fs/promises';
import { rfc3339Micro, sleep, type Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { bargeVersion, gitVersion } from '../base/version.ts';
import { backoffMs } from '../client/backoff.ts';
import type { Client } from '../client/client.ts';
import { warnOfFailure } from '../client/outage.ts';
import { isReason } from '../schemas/errors.ts';
import { Lease } from '../schemas/kinds/coordination/lease.ts';
import { Node } from '../schemas/kinds/core/node.ts';
import { localPathDir } from '../schemas/volumes/volume-words.ts';
import { diskSpaceOf } from './disk-space.ts';
import { engineAnnotations, nodeLabels, nodeStatus, sayTheSame, type MachineFacts, type NodeStatusInput, type Reservations } from './node-status.ts';
import type { PressureCondition } from './pressure/thresholds.ts';
import type { ImageState, RuntimeInfo } from './runtime/runtime.ts';

/** A status that did not change is sent every 5 minutes, as in Kubernetes. */
const statusEveryMs = 300_000;
/** The server did not take the node: nodes that come all at once do not come back all at once. */
const retry = { firstMs: 1_000, longestMs: 10_000, jitter: 0.5 } as const;
/** How long a lease is good: half of Kubernetes' time, so that a lost node is noticed sooner. */
export const defaultLeaseSeconds = 20;
const leaseNamespace = 'kube-node-lease';

export interface RegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly port: number;
  readonly runtime: RuntimeInfo;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: () => Promise<readonly ImageState[]>;
  readonly dataDir: string;
  /** Where the node keeps the volumes that are folders of its disk, as an absolute path. */
  readonly volumesDir: string;
  readonly reservations: Reservations;
  /** What the machine is short of, as far as it is known. */
  readonly pressure: () => ReadonlySet<PressureCondition>;
  /** How long the node's lease is good; it is renewed four times in that. */
  readonly leaseSeconds: number;
  /** The agent's copy of its node's object. */
  readonly node: () => Node | undefined;
}

const idFile = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim();

/** What the machine says now. */
export const machineFacts = async (dataDir: string): Promise<MachineFacts> => {
  await mkdir(dataDir, { recursive: true });
  const [disk, machineId, bootId] = await Promise.all([diskSpaceOf(dataDir), idFile('/etc/machine-id'), idFile('/proc/sys/kernel/random/boot_id')]);
  return { diskTotalBytes: disk.capacityBytes, machineId, bootId };
};

export class NodeRegistration {
  readonly #options: RegistrationOptions;
  #notReady: string | undefined = 'the node agent is starting';
  #sentAtMs = 0;
  #lease: Lease | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Makes the node's object, or takes over the one that is there; tries until the server answers. */
  async register(signal: AbortSignal): Promise<void> {
    const { client, clock, log, random, nodeName, runtime, labels, volumesDir } = this.#options;
    const annotations = { ...engineAnnotations(runtime), [localPathDir]: volumesDir };
    const own = { ...nodeLabels(nodeName, runtime.architecture), ...labels };
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const status = nodeStatus(await this.#input(), {});
        try {
          await client.of(Node).create({ metadata: { name: nodeName, labels: own, annotations }, spec: {}, status });
        } catch (error) {
          if (!isReason(error, 'AlreadyExists')) throw error;
          await client.of(Node).modify({ name: nodeName }, (draft) => {
            draft.metadata.labels = { ...draft.metadata.labels, ...own };
            draft.metadata.annotations = { ...draft.metadata.annotations, ...annotations };
          });
        }
        return;
      } catch (error) {
        warnOfFailure(log, 'the node could not be registered, trying again', { error });
        await sleep(clock, backoffMs(failures, { ...retry, random }), signal);
      }
    }
  }

  /** Says whether the node can take pods (undefined: it can), and writes it now. */
  async setReady(notReady: string | undefined): Promise<void> {
    this.#notReady = notReady;
    await this.#send(undefined);
  }

  /** Writes now what the node is short of. */
  async tellPressure(): Promise<void> {
    await this.#send(undefined);
  }

  /** Heartbeats until the signal aborts. The lease waits for nothing else: who is late with it counts as lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, leaseSeconds, node } = this.#options;
    const again = async (beat: () => Promise<void>): Promise<void> => {
      while (!signal.aborted) {
        try {
          await beat();
        } catch (error) {
          if (!signal.aborted) warnOfFailure(log, 'a heartbeat was not taken', { error });
        }
        await sleep(clock, leaseSeconds * 250, signal);
      }
    };
    await Promise.all([again(() => this.#renew()), again(() => this.#send(node()))]);
  }

  async #input(): Promise<NodeStatusInput> {
    const { clock, nodeName, nodeIp, port, runtime, dataDir, images, pressure, reservations } = this.#options;
    // That the engine is away is told where its news are missed; the status keeps what it said last.
    const [machine, known] = await Promise.all([machineFacts(dataDir), images().catch(() => undefined)]);
    return { nodeName, nodeIp, port, runtime, machine, pressure: pressure(), images: known, reservations, notReady: this.#notReady, version: gitVersion(bargeVersion), nowMs: clock.now() };
  }

  /** Writes the status where it changed; what the server has is read, unless a copy of it is given. */
  async #send(hint: Node | undefined): Promise<void> {
    const { client, clock, nodeName } = this.#options;
    const input = await this.#input();
    const stale = clock.now() - this.#sentAtMs >= statusEveryMs;
    await client.of(Node).modifyStatus({ name: nodeName }, (draft) => {
      // The engine may have been lost or found since.
      const status = nodeStatus({ ...input, notReady: this.#notReady, pressure: this.#options.pressure() }, draft.status ?? {});
      if (stale || !sayTheSame(status, draft.status ?? {})) draft.status = status as typeof draft.status;
    }, { hint });
    if (stale) this.#sentAtMs = clock.now();
  }

  /** One request: nobody else writes the lease, so it is changed from what the last renewal left. */
  async #renew(): Promise<void> {
    const { client, clock, nodeName, leaseSeconds: leaseDurationSeconds } = this.#options;
    const renewTime = rfc3339Micro(clock.now());
    const key = { namespace: leaseNamespace, name: nodeName };
    try {
      this.#lease = await client.of(Lease).modify(key, (draft) => {
        draft.spec = { ...draft.spec, holderIdentity: nodeName, leaseDurationSeconds, renewTime };
      }, { hint: this.#lease });
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
      this.#lease = await client.of(Lease).create({ metadata: key, spec: { holderIdentity: nodeName, leaseDurationSeconds, renewTime } });
    }
  }
}

/**
 * Sandboxes that wait for pods. Most of a pod's start is the network namespace of its sandbox, which is the same for nearly
 * all pods; so a few are made ahead, while nothing starts, and a pod takes one by giving it the pod's own sandbox name.
 * The engine does that whole or not at all, and refuses a second one of the name: whenever the agent dies, a sandbox is
 * either a pod's or still waits, and the next agent sees which. A pod that wants more of its sandbox than a network
 * (`canServe`) gets one of its own. When the pod has gone its sandbox is spent: no other pod gets it, and it is taken away
 * when nothing starts, for its end costs the engine as much as that of a container.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { sleep, type Clock } from '../../base/clock.ts';
import { runCommand, type RunCommand } from '../../base/commands.ts';
import { silentLog, type Log } from '../../base/log.ts';
import { Limiter } from '../limiter.ts';
import { overlaps } from '../network/subnets.ts';
import { writeGate } from './docker-gate.ts';
import { isMissing, runtimeError, statusOf } from './docker-errors.ts';
import { isRunning, labels, podOf, sandboxName } from './docker-labels.ts';
import { sandboxRequest } from './docker-specs.ts';
import { setHostname } from './host-names.ts';
import { RuntimeError, type SandboxSpec } from './runtime.ts';
import { planWarm, warmLimits } from './warm-plan.ts';

export interface WarmSandbox {
  readonly id: string;
  readonly createdAtMs: number;
  readonly ip: string;
  /** The host name of all that starts in it, until it is given another. */
  readonly givenHostname: string;
}

/**
 * The name of one that waits. It is spoken of by this name alone, never by its id: so whatever is asked for too late finds
 * none, and does nothing to the pod that has it by then.
 */
const nameOf = (givenHostname: string): string => `barge_${givenHostname}`;
const givenIn = (name: string): string => name.replace(/^\/?barge_/, '');
const given = (): string => `warm-${randomBytes(12).toString('hex')}`;
const isGiven = (name: string): boolean => name.startsWith('warm-');
const spentName = (): string => `barge_spent-${randomBytes(12).toString('hex')}`;

export interface WarmSurroundings {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly owner: string;
  readonly network: string;
  /** The engine runs on this machine. */
  readonly isLocal: boolean;
  /** Folder for the gate; without one no sandbox is made ahead. */
  readonly dir?: string | undefined;
  readonly run?: RunCommand | undefined;
  readonly log?: Log | undefined;
  /** Makes the sandbox image where it is missing. */
  readonly image: () => Promise<void>;
}

/** What the agent says of its node. */
export interface WarmNeeds {
  /** Sandboxes that are to wait; 0 for none. */
  readonly count: number;
  /** Most sandboxes of the node, those of pods among them. */
  readonly most: number;
  readonly pods: () => number;
}

/** The end of the agent waits so long for a sandbox that is being made. */
const endingMs = 2_000;

/** Programs that set a host name, at a time. */
const namesAtATime = 4;

/** True when the pod asks nothing of its sandbox but a network of its own. */
export const canServe = (spec: SandboxSpec): boolean => !spec.hostNetwork && !spec.hostPid && !spec.hostIpc && !spec.sharePid
  && Object.keys(spec.sysctls).length === 0 && spec.portMappings.length === 0 && Object.keys(spec.labels).length === 0;

export class WarmSandboxes {
  readonly #s: WarmSurroundings;
  readonly #run: RunCommand;
  readonly #log: Log;
  readonly #template: Docker.ContainerCreateOptions;
  /** What all are made from, in short: those of another make are not taken. */
  readonly #make: string;
  #ready: WarmSandbox[] = [];
  /** Names of those whose pods have gone. */
  #spent: string[] = [];
  /** Somebody makes and removes them. */
  #kept = false;
  /** A restarted agent names all that runs. */
  readonly #names = new Limiter(namesAtATime);
  #gate: Promise<string> | undefined;
  #starts = 0;
  #quietSinceMs: number;
  #heldUntilMs = 0;
  #verified = false;
  /** Found out when the first is made, or before. */
  #whyNot: string | undefined;
  /** What waits is not known for sure. */
  #doubt = false;
  #wake = Promise.withResolvers<void>();

  constructor(surroundings: WarmSurroundings) {
    this.#s = surroundings;
    this.#run = surroundings.run ?? runCommand;
    this.#log = surroundings.log ?? silentLog;
    this.#quietSinceMs = surroundings.clock.now();
    const { name: _, Hostname: __, Labels: ___, ...template } = sandboxRequest({
      podUid: '', podName: '', podNamespace: '', attempt: 0, hostname: '', hostNetwork: false, hostPid: false, hostIpc: false, sharePid: false, sysctls: {}, portMappings: [], labels: {},
    }, surroundings);
    this.#template = template;
    this.#make = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 16);
  }

  /**
   * Keeps so many sandboxes ready until the signal aborts; they stay, for the next agent. Ends at once, with the reason in
   * the log, where this node cannot.
   */
  async keep(needs: WarmNeeds, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    let giveUp = (): void => undefined;
    const wake = (): void => {
      this.#wake.resolve();
      // A reset that follows at once should find what the engine is making now; the next agent would, too.
      giveUp = this.#s.clock.after(endingMs, ended.resolve);
    };
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        const keeping = this.#keep(needs, signal);
        keeping.catch(() => undefined);
        try {
          return await Promise.race([keeping, ended.promise]);
        } catch (error) {
          if (signal.aborted) return;
          this.#log.warn('sandboxes cannot be made ahead now, trying again later', { error });
          await sleep(this.#s.clock, warmLimits.retryMs, signal);
        }
      }
    } finally {
      giveUp();
      signal.removeEventListener('abort', wake);
    }
  }

  async #keep(needs: WarmNeeds, signal: AbortSignal): Promise<void> {
    this.#whyNot = needs.count === 0 ? 'none are wanted' : await this.#findWhyNot();
    if (this.#whyNot === undefined) await this.#adopt();
    this.#kept = true;
    try {
      while (!signal.aborted && this.#whyNot === undefined) await this.#once(needs, signal);
    } finally {
      this.#kept = false;
    }
    if (this.#whyNot === undefined) return;
    if (needs.count > 0) this.#log.info('no sandboxes are made ahead', { why: this.#whyNot });
    await this.removeAll();
  }

  /** Makes one the sandbox of a pod; undefined where none waits, or the pod needs one of its own, or has one already. */
  async take(spec: SandboxSpec): Promise<WarmSandbox | undefined> {
    if (!canServe(spec)) return undefined;
    for (let one = this.#ready.shift(); one !== undefined; one = this.#ready.shift()) {
      try {
        await this.#s.docker.getContainer(nameOf(one.givenHostname)).rename({ name: sandboxName(spec, spec.attempt) });
        return one;
      } catch (error) {
        if (statusOf(error) === 409) {
          this.#ready.unshift(one);
          return undefined;
        }
        if (isMissing(error)) continue;
        // No answer: it may be the pod's now, or not.
        this.#doubt = true;
        throw error;
      }
    }
    return undefined;
  }

  /** Takes over a sandbox of this making from a pod that has gone; false where it is the caller's to remove. */
  async retire(id: string): Promise<boolean> {
    if (!this.#kept) return false;
    const name = spentName();
    // Whatever came of a request without an answer: removing it by its id is right.
    const isSpent = await this.#s.docker.getContainer(id).rename({ name }).then(() => true, () => false);
    if (isSpent) this.#spent.push(name);
    this.#wake.resolve();
    return isSpent;
  }

  /** Sandboxes that a pod could have now. */
  get waiting(): number {
    return this.#ready.length;
  }

  /** One of them ended, or was removed. */
  lost(id: string): void {
    this.#ready = this.#ready.filter((one) => one.id !== id);
    this.#wake.resolve();
  }

  /** Nothing is made ahead while something that a pod waits for is under way. */
  async during<T>(start: () => Promise<T>): Promise<T> {
    this.#starts++;
    try {
      return await start();
    } finally {
      this.#starts--;
      this.#quietSinceMs = this.#s.clock.now();
      this.#wake.resolve();
    }
  }

  /** The program through which containers of these sandboxes start; made when it is first asked for. */
  gate(): Promise<string> {
    const { dir, docker } = this.#s;
    if (dir === undefined) return Promise.reject(new RuntimeError('CreateContainerError', 'this client has no folder for the program that gives containers their host name'));
    this.#gate ??= (async () => {
      const { Arch } = await docker.version();
      if (Arch !== 'amd64' && Arch !== 'arm64') throw new RuntimeError('CreateContainerError', `there is no start program for ${Arch}: amd64 and arm64 are known`);
      return writeGate(dir, Arch);
    })();
    this.#gate.catch(() => { this.#gate = undefined; });
    return this.#gate;
  }

  /** Gives a running container the host name that it waits for; again changes nothing. One that has ended needs none. */
  name(id: string): Promise<void> {
    return this.#names.run(() => this.#name(id));
  }

  async #name(id: string): Promise<void> {
    const container = this.#s.docker.getContainer(id);
    const { State: { Pid: pid }, Config: { Labels: own } } = await container.inspect();
    if (pid === 0) return;
    try {
      await setHostname(this.#run, { pid, from: own[labels.givenHostname] ?? '', to: own[labels.hostname] ?? '' });
    } catch (error) {
      if ((await container.inspect()).State.Pid === pid) throw error;
    }
  }

  /** Removes all that wait, and all that are spent. */
  async removeAll(): Promise<number> {
    const rows = await this.#rows();
    this.#ready = [];
    for (const row of rows) await this.#remove(row.Names[0] ?? '');
    return rows.length;
  }

  /** Removes those whose address is not of this network: they would stand in the way of its change. */
  async removeOutside(podCidr: string): Promise<void> {
    for (const row of await this.#rows()) {
      const ip = addressOf(row);
      if (ip !== undefined && !overlaps(podCidr, `${ip}/32`)) await this.#remove(row.Names[0] ?? '');
    }
  }

  async #once({ count, most, pods }: WarmNeeds, signal: AbortSignal): Promise<void> {
    const { clock } = this.#s;
    this.#wake = Promise.withResolvers();
    if (signal.aborted) return;
    if (this.#doubt) await this.#adopt();
    const plan = planWarm({
      nowMs: clock.now(), count, most, pods: pods(), warm: this.#ready, spent: this.#spent.length, starts: this.#starts, quietSinceMs: this.#quietSinceMs, heldUntilMs: this.#heldUntilMs,
    });
    for (const { id, givenHostname } of this.#ready.filter((one) => plan.remove.includes(one.id))) {
      this.#ready = this.#ready.filter((one) => one.id !== id);
      await this.#remove(nameOf(givenHostname));
    }
    if (plan.make) {
      try {
        this.#ready.push(await this.#makeOne(signal));
      } catch (error) {
        if (signal.aborted || this.#whyNot !== undefined) return;
        this.#log.warn('a sandbox could not be made ahead, trying again later', { error });
        this.#heldUntilMs = clock.now() + warmLimits.retryMs;
      }
      return;
    }
    if (plan.clear) await this.#remove(this.#spent.shift() ?? '');
    if (plan.clear || plan.remove.length > 0) return;
    const enough = new AbortController();
    void this.#wake.promise.then(() => enough.abort());
    if (plan.wakeAtMs === undefined) await this.#wake.promise;
    else await sleep(clock, Math.max(0, plan.wakeAtMs - clock.now()), enough.signal);
  }

  async #makeOne(signal: AbortSignal): Promise<WarmSandbox> {
    const { docker, owner, image } = this.#s;
    await image();
    // The name is also what keeps a host name from being set anywhere else.
    const givenHostname = given();
    const container = await docker.createContainer({
      ...this.#template, name: nameOf(givenHostname), Hostname: givenHostname, Labels: { [labels.owner]: owner, [labels.type]: 'sandbox', [labels.warm]: this.#make },
    });
    try {
      signal.throwIfAborted();
      await container.start();
      const inspected = await container.inspect();
      const ip = Object.values(inspected.NetworkSettings.Networks).map((network) => network.IPAddress).find((address) => address !== '');
      if (ip === undefined) throw new Error('it has no address');
      if (!this.#verified) await this.#verify(inspected.State.Pid, givenHostname);
      return { id: container.id, createdAtMs: Date.parse(inspected.Created), ip, givenHostname };
    } catch (error) {
      await this.#remove(nameOf(givenHostname));
      throw error;
    }
  }

  /** Names can be set from here: the engine's process numbers are this machine's. */
  async #verify(pid: number, givenHostname: string): Promise<void> {
    try {
      await setHostname(this.#run, { pid, from: givenHostname, to: givenHostname });
      this.#verified = true;
    } catch (error) {
      this.#whyNot = `the host names of containers cannot be set from here: ${error instanceof Error ? error.message : String(error)}`;
      throw error;
    }
  }

  /** Takes over what another agent's life left; what it left half made, or spent, goes. */
  async #adopt(): Promise<void> {
    this.#ready = [];
    this.#spent = [];
    this.#doubt = false;
    for (const row of await this.#rows()) {
      const ip = addressOf(row);
      const givenHostname = givenIn(row.Names[0] ?? '');
      if (isRunning(row.State) && row.Labels[labels.warm] === this.#make && ip !== undefined && isGiven(givenHostname)) {
        this.#ready.push({ id: row.Id, createdAtMs: row.Created * 1000, ip, givenHostname });
      } else await this.#remove(row.Names[0] ?? '');
    }
  }

  /** All that wait or are spent, whoever made them for this owner. */
  async #rows(): Promise<readonly Docker.ContainerInfo[]> {
    try {
      const rows = await this.#s.docker.listContainers({ all: true, filters: { label: [`${labels.owner}=${this.#s.owner}`, labels.warm] } });
      return rows.filter((row) => podOf({ name: row.Names[0] ?? '', labels: row.Labels }) === undefined);
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  async #remove(name: string): Promise<void> {
    try {
      await this.#s.docker.getContainer(name.replace(/^\//, '')).remove({ force: true, v: true });
    } catch (error) {
      if (!isMissing(error) && statusOf(error) !== 409) throw runtimeError('EngineUnavailable', error);
    }
  }

  /** Why containers here could not be given their host names. */
  async #findWhyNot(): Promise<string | undefined> {
    const { docker, isLocal, dir } = this.#s;
    if (dir === undefined) return 'there is no folder for the start program';
    if (process.getuid?.() !== 0) return 'only root can give containers their host names';
    if (!isLocal) return 'the engine is on another machine';
    const { SecurityOptions: options = [] } = await docker.info() as { readonly SecurityOptions?: readonly string[] };
    const hinders = options.find((option) => /name=(rootless|userns|selinux)/.test(option));
    if (hinders !== undefined) return `the engine runs with ${hinders}`;
    const result = await this.gate().then((gate) => this.#run(gate, [hostname(), '/dev/null', '', '/bin/true', '/usr/bin/true', '', 'true']));
    return result.code === 0 ? undefined : `${dir} is on a file system whose programs cannot be run`;
  }
}

const addressOf = (row: Docker.ContainerInfo): string | undefined =>
  Object.values(row.NetworkSettings.Networks).map((network) => network.IPAddress).find((address) => address !== '');

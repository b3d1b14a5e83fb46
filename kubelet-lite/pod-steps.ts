/** Carries out the steps of a plan for one pod. Every step may fail; what that means is for the worker to say. */
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { graceSecondsOf } from '../schemas/grace.ts';
import type { Container } from '../schemas/types/container.ts';
import { unsupportedInContainer } from './admission/unsupported.ts';
import { report, type AgentContext } from './agent-context.ts';
import { ConfigError, unsupported } from './config-error.ts';
import { containerSpec, sandboxSpec } from './container-spec.ts';
import { devicesOf } from './devices.ts';
import { environment } from './env.ts';
import { policyOf } from './images.ts';
import type { Step, StopReason } from './plan.ts';
import { PodHome } from './pod-home.ts';
import { pullAuths } from './pull-secrets.ts';
import { allContainers, ephemeralContainers, runsOf } from './pod-view.ts';
import type { ContainerState, SandboxState } from './runtime/runtime.ts';
import { seccompProfile } from './seccomp-profiles.ts';
import { security } from './security.ts';
import { StopHooks } from './stop-hooks.ts';
import { terminatePod } from './termination.ts';
import { referencesOf } from './volumes/payload.ts';

type StartStep = Extract<Step, { readonly do: 'start' }>;
type ResizeStep = Extract<Step, { readonly do: 'resize' }>;
type StopStep = Extract<Step, { readonly do: 'stop' }>;
interface TerminateStep {
  /** As they are known when it is asked. */
  readonly sandboxes: () => readonly SandboxState[];
  /** Resolves when no start is under way any more. */
  readonly starting: Promise<unknown>;
  readonly graceSeconds: number;
}

const stopWords: Readonly<Record<StopReason, string>> = {
  liveness: 'failed liveness probe',
  startup: 'failed startup probe',
  changed: 'definition changed',
  resized: 'asks to be restarted for other resources',
};

export class PodSteps {
  readonly home: PodHome;
  readonly hooks: StopHooks;
  readonly #context: AgentContext;
  readonly #uid: string;
  /** Containers whose sources are held: more may come. */
  #held = 0;

  constructor(context: AgentContext, podUid: string) {
    this.#context = context;
    this.#uid = podUid;
    this.home = new PodHome(context, podUid);
    this.hooks = new StopHooks(context);
  }

  /** Makes copies of what the pod reads, kept up to date until `release`. */
  async holdSources(pod: Pod, changed: () => void, signal: AbortSignal): Promise<void> {
    const containers = allContainers(pod).length;
    if (this.#held === containers) return;
    await this.#context.sources.hold(this.#uid, pod.metadata.namespace ?? '', referencesOf(pod), changed, signal);
    this.#held = containers;
  }

  release(): void {
    this.#held = 0;
    this.#context.sources.release(this.#uid);
  }

  async createSandbox(pod: Pod, attempt: number): Promise<SandboxState> {
    return this.#context.starts.run(() => this.#context.runtime.createSandbox(sandboxSpec(pod, attempt, this.#context.clusterDomain)));
  }

  /** Image, configuration, start. Resolves with the run; postStart has not been carried out yet. */
  async start(pod: Pod, { container, attempt, sandbox }: StartStep, signal: AbortSignal): Promise<ContainerState> {
    const { runtime, images, starts, sources, abilities, seccompDir } = this.#context;
    const never = unsupportedInContainer(container, abilities);
    if (never.length > 0) throw unsupported(never.join(', '));
    const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => report(this.#context, pod, container, type, reason, message);
    const namespace = pod.metadata.namespace ?? '';
    const image = container.image ?? '';
    const secrets = sources.of(namespace);
    const named = [...new Set((pod.spec?.imagePullSecrets ?? []).flatMap(({ name = '' }) => (name === '' ? [] : [name])))];
    const missing = named.filter((name) => secrets.secret(name) === undefined);
    if (missing.length > 0) report(this.#context, pod, undefined, 'Warning', 'FailedToRetrieveImagePullSecret', `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`);
    const auths = pullAuths(image, named.flatMap((name) => secrets.secret(name) ?? []));
    await images.ensure({ image, policy: policyOf(image, container.imagePullPolicy), auths, report: tell }, signal);
    const podIp = sandbox.ip;
    if (podIp !== undefined && pod.spec?.hostNetwork !== true) await this.#context.policies.held(pod, podIp, signal);
    const { env, skipped } = environment({
      pod, container, sources: secrets, facts: this.home.facts(podIp),
      services: this.#context.services(pod.spec?.enableServiceLinks === false ? undefined : namespace),
    });
    if (skipped.length > 0) tell('Warning', 'InvalidEnvironmentVariableNames', `Keys ${skipped.join(', ')} were skipped since they are no names of environment variables`);
    const spec = await containerSpec({
      pod, container, attempt, env, clusterDomain: this.#context.clusterDomain, pidOf: await this.#lookedInto(pod, container),
      security: await security(pod, container, { imageUser: () => runtime.imageUser(image), seccompProfile: (path) => seccompProfile(seccompDir, path) }),
      devices: await devicesOf(pod, container),
      files: { ...await this.home.files(pod, podIp), ...await this.home.messageFile(container, attempt) },
      volumePath: (volume, mount) => this.home.volumes.pathOf(volume, mount),
    });
    const run = await starts.run(async () => {
      signal.throwIfAborted();
      return runtime.startContainer(sandbox.id, spec);
    });
    tell('Normal', 'Created', `Created container: ${container.name}`);
    tell('Normal', 'Started', `Started container ${container.name}`);
    return run;
  }

  /** The postStart hook; one that fails ends the run. */
  async afterStart(pod: Pod, container: Container, run: ContainerState, signal: AbortSignal): Promise<void> {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return;
    const host = pod.spec?.hostNetwork === true ? this.#context.nodeIp : (await this.#addressOf(run) ?? this.#context.nodeIp);
    const outcome = await this.#context.actions.carryOut(hook, { container, containerId: run.id, host }, undefined, signal);
    if (outcome === undefined || signal.aborted) return;
    report(this.#context, pod, container, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${outcome}`);
    await this.#context.runtime.stopContainer(run.id, graceSecondsOf(pod.spec));
  }

  /** Ends one run. When the pod begins to leave meanwhile, its end takes the run over after the hook; `hurry` cuts the hook. */
  async stop(pod: Pod, { container, id, ...stop }: StopStep, { leaving, hurry }: { readonly leaving: AbortSignal; readonly hurry: AbortSignal }): Promise<void> {
    report(this.#context, pod, container, 'Normal', 'Killing', `Container ${container.name} ${stopWords[stop.reason]}${stop.again ? ', will be restarted' : ''}`);
    const hook = container.lifecycle?.preStop;
    const startedMs = this.#context.clock.now();
    if (hook !== undefined && stop.graceSeconds > 0) {
      const host = pod.spec?.hostNetwork === true ? this.#context.nodeIp : (pod.status?.podIP ?? this.#context.nodeIp);
      const outcome = await this.hooks.carryOut(hook, { container, containerId: id, host }, stop.graceSeconds * 1000, hurry);
      if (outcome !== undefined && !hurry.aborted) report(this.#context, pod, container, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${outcome}`);
    }
    if (leaving.aborted) return;
    const leftSeconds = stop.graceSeconds - Math.ceil((this.#context.clock.now() - startedMs) / 1000);
    await this.#context.runtime.stopContainer(id, stop.graceSeconds === 0 ? 0 : Math.max(2, leftSeconds));
  }

  /** Rejects, and changes nothing, where the new limit would have the kernel end the container at once. */
  async resize({ container, id, limits, before }: ResizeStep): Promise<void> {
    const { runtime } = this.#context;
    if (limits.memoryBytes !== 0 && (before.memoryBytes === 0 || limits.memoryBytes < before.memoryBytes)) {
      const { workingSetBytes } = await runtime.stats(id);
      if (workingSetBytes >= limits.memoryBytes) {
        throw new ConfigError(`container ${container.name} uses ${workingSetBytes} bytes of memory, and its new limit is ${limits.memoryBytes}: the limit is lowered when it uses less`);
      }
    }
    await runtime.updateContainer(id, limits);
  }

  /** Ends all that runs; `hurry` cuts it short. */
  async terminate(pod: Pod, { sandboxes, starting, graceSeconds }: TerminateStep, hurry: AbortSignal): Promise<void> {
    const { nodeIp } = this.#context;
    const hostNetwork = pod.spec?.hostNetwork === true;
    const ip = sandboxes().at(-1)?.ip;
    await terminatePod({
      pod, runs: () => sandboxes().flatMap(({ containers }) => containers), starting, hooks: this.hooks, graceSeconds, podIp: hostNetwork ? undefined : ip, host: hostNetwork ? nodeIp : (ip ?? nodeIp),
      report: (container, type, reason, message) => report(this.#context, pod, container, type, reason, message),
    }, this.#context, hurry);
  }

  /** Takes the pod off this node, and then out of the API. */
  async finish(pod: Pod, sandboxes: readonly SandboxState[]): Promise<void> {
    await this.clean(sandboxes);
    await this.#context.record.remove(pod);
  }

  /** Containers, network, volumes, files: nothing of the pod stays on the node. */
  async clean(sandboxes: readonly SandboxState[]): Promise<void> {
    this.release();
    for (const { id } of sandboxes) await this.#context.runtime.removeSandbox(id);
    await this.home.volumes.remove();
    this.#context.claimed.release(this.#uid);
  }

  /** The run whose processes an ephemeral container is to see. */
  async #lookedInto(pod: Pod, { name }: Container): Promise<string | undefined> {
    const target = ephemeralContainers(pod).find((one) => one.name === name)?.targetContainerName ?? '';
    if (target === '') return undefined;
    const sandboxes = await this.#context.runtime.inspect(this.#uid);
    const run = runsOf(sandboxes.at(-1), target).findLast(({ status }) => status === 'running');
    if (run === undefined) throw new ConfigError(`unable to find target container ${JSON.stringify(target)}: it is not running`);
    return run.id;
  }

  async #addressOf(run: ContainerState): Promise<string | undefined> {
    const sandboxes = await this.#context.runtime.inspect(this.#uid);
    return sandboxes.find((sandbox) => sandbox.containers.some(({ id }) => id === run.id))?.ip;
  }
}

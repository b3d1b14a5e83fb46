import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { diskSpaceOf, type DiskSpace } from '../disk-space.ts';
import { engineWords, isMissing, runtimeError, statusOf } from './docker-errors.ts';
import type { ImageProgram } from './docker-gate.ts';
import { pauseImageName, pauseProgram, tarOf } from './pause-image.ts';
import { RuntimeError, type ImageHealth, type ImageState, type PullOptions } from './runtime.ts';

/** `name` without tag or digest means `:latest`, for the pull as for the lookup. */
export const withTag = (image: string): string => {
  if (image.includes('@')) return image;
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.includes(':') ? image : `${image}:latest`;
};

/** What the engine said in a pull's progress stream when it failed. */
interface Progress { readonly error?: string; readonly errorDetail?: { readonly message?: string } }

const finished = async (stream: NodeJS.ReadableStream): Promise<void> => {
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) failIn(line);
  }
  failIn(rest);
};

const failIn = (line: string): void => {
  if (line.trim() === '') return;
  const { error, errorDetail } = JSON.parse(line) as Progress;
  if (error !== undefined) throw new RuntimeError('ErrImagePull', errorDetail?.message ?? error);
};

/** The members of an image's configuration that its HEALTHCHECK makes; times in nanoseconds, 0 and absent for the engine's defaults. */
export interface HealthConfig {
  readonly Healthcheck?: { readonly Test?: readonly string[] | null; readonly Interval?: number; readonly Timeout?: number; readonly Retries?: number } | null;
  readonly Shell?: readonly string[] | null;
}

/** The engine's own, where an image does not say. */
const healthDefaults = { seconds: 30, retries: 3 } as const;

/** The check of an image; undefined for none. */
export const healthOf = ({ Healthcheck: check, Shell: shell }: HealthConfig): ImageHealth | undefined => {
  const [form, ...words] = check?.Test ?? [];
  const command = form === 'CMD' ? words : form === 'CMD-SHELL' ? [...(shell ?? ['/bin/sh', '-c']), ...words] : [];
  if (words.length === 0 || command.length === 0) return undefined;
  const seconds = (nanoseconds: number | undefined): number => (nanoseconds === undefined || nanoseconds <= 0 ? healthDefaults.seconds : Math.max(1, Math.ceil(nanoseconds / 1e9)));
  return { command, intervalSeconds: seconds(check?.Interval), timeoutSeconds: seconds(check?.Timeout), retries: check?.Retries || healthDefaults.retries };
};

interface KnownImage extends ImageState { readonly user: string; readonly program: ImageProgram; readonly health: ImageHealth | undefined }

interface ListedImage { readonly Id: string; readonly RepoTags?: readonly string[] | null | undefined; readonly RepoDigests?: readonly string[] | null | undefined; readonly Size: number }

const stateOf = ({ Id: id, RepoTags: tags, RepoDigests: digests, Size: sizeBytes }: ListedImage): ImageState =>
  // An engine tells null where an image has none.
  ({ id, names: [...(digests ?? []), ...(tags ?? [])].filter((name) => !name.includes('<none>')), sizeBytes });

/**
 * The engine's images. Ids are remembered until the engine reports a change of any image, so that a pod's start costs no
 * question for an image that is there.
 */
export class DockerImages {
  readonly #docker: Docker;
  readonly #isLocal: boolean;
  readonly #ids = new Map<string, KnownImage>();
  #pause: Promise<void> | undefined;
  #folder: string | undefined;
  #list: Promise<readonly ImageState[]> | undefined;

  constructor(docker: Docker, { isLocal }: { readonly isLocal: boolean }) {
    this.#docker = docker;
    this.#isLocal = isLocal;
  }

  /** An image was pulled, tagged, removed: what was remembered may be wrong. */
  forget(): void {
    this.#ids.clear();
    this.#list = undefined;
    this.#pause = undefined;
  }

  /** All images that have a name, the largest first; asked of the engine again only when an image changed. */
  list(): Promise<readonly ImageState[]> {
    if (this.#list === undefined) {
      const list = this.#listImages();
      this.#list = list;
      list.catch(() => {
        if (this.#list === list) this.#list = undefined;
      });
    }
    return this.#list;
  }

  async #listImages(): Promise<readonly ImageState[]> {
    try {
      const images = await this.#docker.listImages();
      return images.map(stateOf)
        .filter(({ names }) => names.length > 0)
        .toSorted((a, b) => b.sizeBytes - a.sizeBytes);
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  async find(image: string): Promise<string | undefined> {
    return (await this.#inspect(image))?.id;
  }

  async user(image: string): Promise<string> {
    return (await this.#inspect(image))?.user ?? '';
  }

  /** What the engine would run of an image that is here. */
  async program(image: string): Promise<ImageProgram> {
    return (await this.#inspect(image))?.program ?? { entrypoint: [], command: [], env: [] };
  }

  async health(image: string): Promise<ImageHealth | undefined> {
    return (await this.#inspect(image))?.health;
  }

  async #inspect(image: string): Promise<KnownImage | undefined> {
    const known = this.#ids.get(image);
    if (known !== undefined) return known;
    try {
      const inspected = await this.#docker.getImage(image).inspect();
      const config = inspected.Config;
      const { Entrypoint: entrypoint, Cmd: command, Env: env } = config;
      const found = { ...stateOf(inspected), user: config.User ?? '', program: { entrypoint: [entrypoint ?? []].flat(), command: command ?? [], env: env ?? [] }, health: healthOf(config as HealthConfig) };
      this.#ids.set(image, found);
      return found;
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (statusOf(error) === 400) throw new RuntimeError('InvalidImageName', engineWords(error), { cause: error });
      throw runtimeError('CreateContainerError', error);
    }
  }

  async pull(image: string, { auth, answered }: PullOptions, signal: AbortSignal): Promise<ImageState> {
    const authconfig = auth === undefined ? {} : { authconfig: { username: auth.username, password: auth.password, serveraddress: auth.serverAddress ?? '' } };
    try {
      // The engine answers when it has the registry's word on the image, or the error.
      const progress = await this.#docker.pull(withTag(image), { ...authconfig, abortSignal: signal });
      answered?.();
      await finished(progress);
    } catch (error) {
      if (statusOf(error) === 400) throw new RuntimeError('InvalidImageName', engineWords(error), { cause: error });
      throw runtimeError('ErrImagePull', error);
    }
    this.#ids.delete(image);
    const found = await this.#inspect(image);
    if (found === undefined) throw new RuntimeError('ErrImagePull', `image ${image} was pulled and is gone again`);
    const { id, names, sizeBytes } = found;
    return { id, names, sizeBytes };
  }

  async inUse(): Promise<ReadonlySet<string>> {
    try {
      return new Set((await this.#docker.listContainers({ all: true })).map(({ ImageID: id }) => id));
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  /** Name by name: the engine refuses an id that has several, and the image goes with the last. */
  async remove(id: string): Promise<void> {
    // Of an image with several names the engine would take all but the last.
    if ((await this.inUse()).has(id)) throw new RuntimeError('RemoveImageError', `a container is using image ${id}`);
    try {
      const { names } = stateOf(await this.#docker.getImage(id).inspect());
      for (const name of names.length === 0 ? [id] : names) {
        await this.#docker.getImage(name).remove().catch((error: unknown) => {
          // Its digests go with the last tag of a repository.
          if (!isMissing(error)) throw error;
        });
      }
    } catch (error) {
      if (!isMissing(error)) throw runtimeError('RemoveImageError', error);
    } finally {
      this.forget();
    }
  }

  async disk(): Promise<DiskSpace | undefined> {
    if (!this.#isLocal) return undefined;
    try {
      this.#folder ??= (await this.#docker.info() as { readonly DockerRootDir: string }).DockerRootDir;
      // An engine in a machine of its own has its folder there.
      return await diskSpaceOf(this.#folder).catch(() => undefined);
    } catch (error) {
      throw runtimeError('EngineUnavailable', error);
    }
  }

  /** Makes the sandbox image when the engine does not have it. Calls at the same time share one import. */
  pause(): Promise<void> {
    this.#pause ??= this.#importPause().catch((error: unknown) => {
      this.#pause = undefined;
      throw runtimeError('CreatePodSandboxError', error);
    });
    return this.#pause;
  }

  async #importPause(): Promise<void> {
    if (await this.find(pauseImageName) !== undefined) return;
    const { Arch } = await this.#docker.version();
    if (Arch !== 'amd64' && Arch !== 'arm64') throw new RuntimeError('CreatePodSandboxError', `there is no sandbox program for ${Arch}: amd64 and arm64 are known`);
    const [repo, tag] = pauseImageName.split(':') as [string, string];
    const archive = Readable.from([tarOf('pause', pauseProgram(Arch))]);
    // dockerode's types want a path here; it takes any stream, as its documentation says.
    const answer = await this.#docker.importImage(archive as unknown as string, { repo, tag, changes: 'ENTRYPOINT ["/pause"]' });
    await finished(answer as unknown as NodeJS.ReadableStream);
  }
}

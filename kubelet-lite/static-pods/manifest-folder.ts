/** The folder with a node's static pods, one a file: what is in it now, looked at whenever it changes and every 20 seconds. */
import { watch, type FSWatcher } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { keyOf, keyText } from '../../client/key.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { PodFileError, readStaticPod, type ReadManifest } from './read-pod.ts';

/** The kubelet's time between two looks; and how long a file is left to be written to its end after the first news of it. */
const times = { everyMs: 20_000, settleMs: 100 } as const;

/** No pod that the API would take is larger. */
const maxFileBytes = 3 * 2 ** 20;

/** Temporary files of editors begin with a dot, or end otherwise. */
const isManifest = (name: string): boolean => !name.startsWith('.') && /\.(ya?ml|json)$/.test(name);

export interface ManifestFolderOptions {
  /** A folder, or one file. */
  readonly path: string;
  readonly nodeName: string;
  readonly readManifest: ReadManifest;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once for each new reason why a file is no pod. */
  readonly refused: (message: string) => void;
}

interface Known { readonly text: string; readonly pod: Pod }

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

export class ManifestFolder {
  readonly #options: ManifestFolderOptions;
  /** By file, as it was when it last was a pod. */
  readonly #known = new Map<string, Known>();
  readonly #refusals = new Map<string, string>();
  #wake = Promise.withResolvers<void>();
  #isMissing = false;

  constructor(options: ManifestFolderOptions) {
    this.#options = options;
  }

  /** Why files are no pods, now. */
  refusals(): readonly string[] {
    return [...this.#refusals.values()];
  }

  /** The pods that there are. A file that was a pod and cannot be read now still stands for that: a slip ends no pod. */
  async look(): Promise<readonly Pod[]> {
    let files: readonly string[];
    try {
      files = await this.#files();
      this.#accept('');
    } catch (error) {
      this.#refuse('', `${this.#options.path}: static pods cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return [...this.#known.values()].map(({ pod }) => pod);
    }
    for (const file of [...this.#known.keys(), ...this.#refusals.keys()]) {
      if (file === '' || files.includes(file)) continue;
      this.#known.delete(file);
      this.#refusals.delete(file);
    }
    const byName = new Map<string, { readonly file: string; readonly pod: Pod }>();
    for (const file of files) {
      let why = await this.#read(file);
      const pod = this.#known.get(file)?.pod;
      if (pod !== undefined) {
        const name = keyText(keyOf(pod));
        const other = byName.get(name);
        if (other === undefined) byName.set(name, { file, pod });
        else why ??= `${file}: metadata.name: ${other.file} has the pod ${name} already`;
      }
      if (why === undefined) this.#accept(file);
      else this.#refuse(file, why);
    }
    return [...byName.values()].map(({ pod }) => pod);
  }

  /** Tells the pods now, after each change and every 20 seconds, until the signal aborts. */
  async run(told: (pods: readonly Pod[]) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    const { path, clock, log } = this.#options;
    let watcher: FSWatcher | undefined;
    const unwatch = (): void => {
      watcher?.close();
      watcher = undefined;
    };
    try {
      while (!signal.aborted) {
        try {
          watcher ??= watch(path, { persistent: false }, () => this.#wake.resolve()).on('error', unwatch);
        } catch (error) {
          if (!isMissing(error)) log.debug('the folder of static pods cannot be watched, and is looked at every 20 s', { path, error });
        }
        this.#wake = Promise.withResolvers();
        try {
          await told(await this.look());
        } catch (error) {
          log.warn('static pods could not be brought up to date, trying again in 20 s', { error });
        }
        // One that comes back is another folder.
        if (this.#isMissing) unwatch();
        const changed = new AbortController();
        void this.#wake.promise.then(() => changed.abort());
        await sleep(clock, times.everyMs, AbortSignal.any([signal, changed.signal]));
        if (changed.signal.aborted) await sleep(clock, times.settleMs, signal);
      }
    } finally {
      unwatch();
    }
  }

  async #files(): Promise<readonly string[]> {
    const { path } = this.#options;
    this.#isMissing = false;
    try {
      if (!(await stat(path)).isDirectory()) return [path];
      const found = (await readdir(path)).filter(isManifest).sort().map((name) => join(path, name));
      const kinds = await Promise.all(found.map((file) => stat(file).catch(() => undefined)));
      return found.filter((_, index) => kinds[index]?.isDirectory() !== true);
    } catch (error) {
      // As for the kubelet: a folder that is not there has no pods.
      if (!isMissing(error)) throw error;
      this.#isMissing = true;
      return [];
    }
  }

  /** Brings what is known of a file up to date; gives the reason why it is no pod. */
  async #read(file: string): Promise<string | undefined> {
    const { nodeName, readManifest, clock, log } = this.#options;
    const known = this.#known.get(file);
    try {
      const { size } = await stat(file);
      if (size > maxFileBytes) throw new PodFileError(`${file}: is larger than ${maxFileBytes} bytes`);
      const text = await readFile(file, 'utf8');
      if (known?.text !== text) {
        const { pod, warnings } = readStaticPod({ file, text }, { nodeName, readManifest, nowMs: clock.now() });
        for (const warning of warnings) log.warn(warning);
        // What only looks different is the same pod.
        this.#known.set(file, { text, pod: known?.pod.metadata.uid === pod.metadata.uid ? known!.pod : pod });
      }
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return why.startsWith(file) ? why : `${file}: ${why}`;
    }
  }

  #accept(file: string): void {
    this.#refusals.delete(file);
  }

  #refuse(file: string, message: string): void {
    if (this.#refusals.get(file) === message) return;
    this.#refusals.set(file, message);
    this.#options.log.warn(message, this.#known.has(file) ? { now: 'the pod that it was goes on' } : {});
    this.#options.refused(message);
  }
}

import { chmod, lstat, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { removeTree } from './remove-tree.ts';

const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/**
 * The folders of this node's local volumes, all directly under one folder that belongs to the agent. What a volume's
 * object says of a path is believed only so far as it names one of these: nothing else is ever made or removed.
 */
export class LocalDirs {
  /** The folder of them all, as an absolute path. */
  readonly dir: string;

  constructor(dir: string) {
    this.dir = resolve(dir);
  }

  /** The name of the folder at a path; undefined where it cannot be one of these. */
  nameAt(path: string): string | undefined {
    const prefix = `${this.dir}/`;
    const name = path.slice(prefix.length);
    return path.startsWith(prefix) && safeName.test(name) ? name : undefined;
  }

  /** Makes the folder, which everybody may write into, or finds it as it was left; gives its path. */
  async make(name: string): Promise<string> {
    const path = this.#path(name);
    const there = await lstat(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined;
    });
    if (there !== undefined) {
      if (!there.isDirectory()) throw new ConfigError(`${path} is not a directory`);
      return path;
    }
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    // It appears with its mode or not at all: one that is there is never changed again, for it is its users' to change.
    const fresh = await mkdtemp(join(this.dir, '.new-'));
    await chmod(fresh, 0o777);
    await rename(fresh, path);
    return path;
  }

  /** Takes the folder away with all that is in it. One that is not there is as good. */
  async remove(name: string): Promise<void> {
    const path = this.#path(name);
    const there = await lstat(this.dir).catch(() => undefined);
    if (there !== undefined) await removeTree(path);
  }

  #path(name: string): string {
    if (!safeName.test(name)) throw new ConfigError(`${JSON.stringify(name)} is no name of a volume's folder`);
    return join(this.dir, name);
  }
}

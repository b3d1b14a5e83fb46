/**
 * What a machine keeps of having become a further server, in `server/` of its data folder. The moment at which it is one is that
 * at which `joining.json` appears, which has all of it; from there on the pieces are put where a server looks for them, as often as
 * it takes, and `joining.json` goes. A machine that is killed anywhere is what it was before, or becomes a server at its next start.
 */
import { access, chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePair, writePrivate } from '../../../base/pki-files.ts';
import { CommandError } from '../../command.ts';
import type { Given, SettingsFile } from '../../config.ts';
import { materialOf, type ServerMaterial } from './server-material.ts';

interface Joining {
  readonly material: ServerMaterial;
  /** This machine's own settings. */
  readonly own: Given;
}

export class ServerFiles {
  readonly #dataDir: string;
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#folder = join(dataDir, 'server');
  }

  /** Makes this machine a server, for good. */
  async commit(joining: Joining): Promise<void> {
    for (const folder of [this.#dataDir, this.#folder]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
    }
    await writePrivate(this.#file('joining.json'), `${JSON.stringify(joining, undefined, 2)}\n`);
  }

  /**
   * The settings that this machine keeps, in the form of a file of settings, once what was begun is done; undefined where it has not
   * become a server in this way.
   */
  async settings(): Promise<SettingsFile | undefined> {
    const begun = await this.#joining();
    if (begun !== undefined) await this.#unpack(begun);
    const name = this.#file('settings.json');
    const text = await this.#read('settings.json');
    return text === undefined ? undefined : { name, text };
  }

  async #joining(): Promise<Joining | undefined> {
    const text = await this.#read('joining.json');
    if (text === undefined) return undefined;
    try {
      const { material, own } = JSON.parse(text) as Joining;
      return { material: materialOf(material), own };
    } catch (error) {
      throw new CommandError(`${this.#file('joining.json')} cannot be used: ${(error as Error).message}; 'barge reset' removes what this machine kept, and it can join again`, { cause: error });
    }
  }

  async #unpack({ material: { authority, accountKey, settings, files }, own }: Joining): Promise<void> {
    const pki = join(this.#dataDir, 'pki');
    // Certificates of before, were there any, are of the same authority, or are made anew.
    await writePair(pki, 'ca', authority);
    await writePrivate(join(pki, 'service-account.key'), accountKey);
    const named: Record<string, string> = {};
    for (const [setting, text] of Object.entries(files)) {
      named[setting] = this.#file(setting);
      await writePrivate(named[setting], text);
    }
    await writePrivate(this.#file('settings.json'), `${JSON.stringify({ ...settings, ...named, ...own }, undefined, 2)}\n`);
    // It is a worker no more.
    await rm(join(this.#dataDir, 'node'), { recursive: true, force: true });
    await rm(this.#file('joining.json'), { force: true });
  }

  async #read(name: string): Promise<string | undefined> {
    const file = this.#file(name);
    return await access(file).then(() => true, () => false) ? readFile(file, 'utf8') : undefined;
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

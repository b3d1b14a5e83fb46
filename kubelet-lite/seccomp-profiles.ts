import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';

/** A profile that the node's owner has put into the folder, as the engine is given it. Rejects with ConfigError that says what is wrong with it. */
export const seccompProfile = async (dir: string, path: string): Promise<string> => {
  // The API takes no such path; a profile from elsewhere would be one that nobody meant for pods.
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) throw new ConfigError(`seccomp profile ${JSON.stringify(path)} must be a relative path without ".."`);
  const file = join(dir, path);
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`seccomp profile ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    throw new ConfigError(`seccomp profile ${file} is no JSON`);
  }
};

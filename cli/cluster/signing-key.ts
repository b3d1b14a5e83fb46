import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivate } from '../../base/pki-files.ts';

/** The private key (PEM, P-256) that signs service account tokens, made at the first start. Whoever has it can be any account. */
export const ensureSigningKey = async (folder: string): Promise<string> => {
  const file = join(folder, 'service-account.key');
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writePrivate(file, key);
  return key;
};

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificatePair } from './pki.ts';

/** A pair kept as `<name>.crt` and `<name>.key` in a folder, or undefined when either file is missing. */
export const readPair = async (folder: string, name: string): Promise<CertificatePair | undefined> => {
  try {
    const [cert, key] = await Promise.all([readFile(join(folder, `${name}.crt`), 'utf8'), readFile(join(folder, `${name}.key`), 'utf8')]);
    return { cert, key };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Writes a file that only its owner may read, whole or not at all, and waits until it is on disk. */
export const writePrivate = async (file: string, contents: string): Promise<void> => {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.chmod(0o600); // also where the file was left behind with other rights
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
};

/** Keeps a pair in a folder (made with mode 0700 where it is missing); the key first, so that a certificate never lacks one. */
export const writePair = async (folder: string, name: string, pair: CertificatePair): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writePrivate(join(folder, `${name}.key`), pair.key);
  await writePrivate(join(folder, `${name}.crt`), pair.cert);
};

const block = (text: string, kind: string): string | undefined => new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----\\n?`).exec(text)?.[0];

/** A pair kept in one file, so that key and certificate are always of each other; undefined where there is none, or not a whole one. */
export const readPairFile = async (file: string): Promise<CertificatePair | undefined> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [cert, key] = [block(text, 'CERTIFICATE'), block(text, 'PRIVATE KEY')];
  return cert === undefined || key === undefined ? undefined : { cert, key };
};

/** Replaces the file with this pair, whole or not at all. */
export const writePairFile = (file: string, { cert, key }: CertificatePair): Promise<void> => writePrivate(file, `${key.trimEnd()}\n${cert.trimEnd()}\n`);

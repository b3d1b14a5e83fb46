/** barge as users install it: a package that is made of this tree, with the dependencies of this checkout. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { must, root } from '../test/helpers/e2e.ts';

/** Unpacks it into a folder; resolves with its program. */
export const packedBarge = async (folder: string): Promise<string> => {
  const packed = await must('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, timeoutMs: 600_000 });
  await must('tar', ['-xzf', join(folder, packed.trim().split('\n').at(-1)!), '-C', folder]);
  await symlink(join(root, 'node_modules'), join(folder, 'package/node_modules'));
  return join(folder, 'package/bin/barge');
};

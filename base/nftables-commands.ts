/** The `nft` program as those use it who keep a table of their own in the kernel. */
import { CommandFailed, type RunCommand } from './commands.ts';

/** Carries a script out as one transaction: all of it or nothing. Rejects with CommandFailed, with the program's words. */
export const runNft = async (run: RunCommand, script: string): Promise<void> => {
  const result = await run('nft', ['-f', '-'], script);
  if (result.code !== 0) throw new CommandFailed('nft', result);
};

/** True while the table (of IPv4) with this chain stands: somebody may have flushed the rules. */
export const hasNftChain = async (run: RunCommand, table: string, chain: string): Promise<boolean> => (await run('nft', ['list', 'chain', 'ip', table, chain])).code === 0;

/** Script that takes a table (of IPv4) away. `add` first, so that the deletion of what is not there is no error. */
export const nftTableRemoval = (table: string): string => `add table ip ${table}\ndelete table ip ${table}\n`;

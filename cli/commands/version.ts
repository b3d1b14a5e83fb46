import { clusterFlags } from '../cluster-flags.ts';
import { bargeVersion } from '../../base/version.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { formatObject } from '../output.ts';
import { withSession } from '../session.ts';

interface ServerVersion {
  readonly gitVersion?: string;
}

export const command = defineCommand({
  name: 'version', group: 'Other', summary: 'Show the versions of barge and of the server.', usage: 'version [--client] [flags]',
  flags: { ...clusterFlags, client: flag.on('Only barge itself; no server is asked.'), output: flag.oneOf(['json', 'yaml'], 'Output format.', { short: 'o' }) },
  run: async (context) => {
    const { flags, stdout } = context;
    const client = { gitVersion: `v${bargeVersion}`, nodeVersion: process.versions.node };
    const print = (server: ServerVersion | undefined): void => {
      if (flags.output !== undefined) stdout.write(formatObject({ type: flags.output }, { clientVersion: client, ...(server === undefined ? {} : { serverVersion: server }) }));
      else stdout.write(`Client Version: ${client.gitVersion}\n${server === undefined ? '' : `Server Version: ${server.gitVersion ?? 'unknown'}\n`}`);
    };
    if (flags.client) {
      print(undefined);
      return 0;
    }
    return withSession(flags, context, async (session) => {
      try {
        print(await session.api.getJson('/version', 'application/json', context.signal) as ServerVersion);
        return 0;
      } catch (error) {
        print(undefined);
        throw error;
      }
    });
  },
});

import { apiVersionOf } from '../../schemas/kind.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand } from '../command.ts';
import { withSession } from '../session.ts';

export const command = defineCommand({
  name: 'api-versions', group: 'Other', summary: 'List the groups and versions that the server has.', usage: 'api-versions', flags: clusterFlags,
  run: (context) => withSession(context.flags, context, async (session) => {
    const versions = new Set((await session.discovery()).resources.map(apiVersionOf));
    context.stdout.write([...versions].sort().map((version) => `${version}\n`).join(''));
    return 0;
  }),
});

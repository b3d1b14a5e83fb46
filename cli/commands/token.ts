import { createClient } from '../../client/client.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { humanDuration } from '../../schemas/table-cells.ts';
import { BootstrapSecrets, type BootstrapToken, type Role } from '../cluster/join/bootstrap-secrets.ts';
import { readAuthorities, readClusterInfo } from '../cluster/join/cluster-info.ts';
import { authorityHash, printJoinToken } from '../cluster/join/join-token.ts';
import { hasManyServers, onlyServer } from '../cluster/same-cluster.ts';
import { clusterFlags, type ClusterFlagValues } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag, UsageError } from '../flags.ts';
import { ColumnLayout } from '../print-table.ts';
import { withSession } from '../session.ts';

interface Tokens {
  readonly secrets: BootstrapSecrets;
  /** With the authority that signs now: the one that a kubeconfig knows may be going. */
  printed(token: BootstrapToken): Promise<string>;
  /** URL of the API server for other machines. */
  server(): Promise<string>;
  /** Throws where machines cannot join in this role. */
  require(role: Role): Promise<void>;
}

const withTokens = (context: CommandContext, flags: ClusterFlagValues, work: (tokens: Tokens) => Promise<number | void>): Promise<number | void> => withSession(flags, context, async (session) => {
  const { options } = session.api.connection;
  const transport = createHttpTransport(options);
  const client = createClient(transport);
  try {
    return await work({
      secrets: new BootstrapSecrets(client),
      printed: async ({ id, secret }) => {
        if (options.ca === undefined) throw new CommandError("the kubeconfig has no certificate-authority for this cluster, whose hash is part of a token; use the one of 'barge up'");
        return printJoinToken({ authority: authorityHash(await readAuthorities(client) ?? options.ca), id, secret });
      },
      server: async () => {
        const { server } = await readClusterInfo(client);
        if (server === undefined) context.stderr.write("Warning: the API server listens on loopback, where no other machine reaches it; 'barge up --listen 0.0.0.0:6443' opens it\n");
        return server ?? options.server;
      },
      require: async (role) => {
        if (role === 'server' && !await hasManyServers(client)) throw new CommandError(`--role: ${onlyServer}`);
      },
    });
  } finally {
    transport.close();
  }
});

const print = async ({ stdout }: CommandContext, { printed, server }: Tokens, token: BootstrapToken, quiet: boolean): Promise<void> => {
  const word = await printed(token);
  stdout.write(quiet ? `${word}\n` : `barge join ${await server()} --token ${word}\n`);
};

const roleOf = (role: string): Role => {
  if (role !== 'worker' && role !== 'server') throw new UsageError(`--role: ${JSON.stringify(role)} is neither worker nor server`);
  return role;
};

const roleFlag = flag.textOr('worker', 'What the machine will be: worker or server. Who has a token for servers can be the whole cluster.', { value: 'ROLE' });
const quietFlag = flag.on('Print the token alone.', { short: 'q' });
/** A token for servers gives the cluster's keys away, so that it lasts no longer than it takes to use it. */
const usualTtlMs: Readonly<Record<Role, number>> = { worker: 86_400_000, server: 3_600_000 };
const longestTtlMs = 10 * 365 * 86_400_000;

const noArguments = ({ args }: CommandContext): void => {
  if (args.length > 0) throw new UsageError(`unexpected argument "${args[0]}"`);
};

const create = defineCommand({
  name: 'create', group: 'Cluster', summary: 'Make a token that ends by itself, and print the line to run on the other machine', usage: 'token create [flags]',
  flags: {
    ...clusterFlags, role: roleFlag, quiet: quietFlag, ttl: flag.durationMs('How long it is good for; 0 until it is deleted.', { shownDefault: '24h, of servers 1h' }),
    description: flag.textOr('', 'What it is for, to know it again.', { value: 'TEXT' }),
  },
  run: (context) => {
    noArguments(context);
    const role = roleOf(context.flags.role);
    const { ttl = usualTtlMs[role], description, quiet } = context.flags;
    if (ttl < 0 || ttl > longestTtlMs || (ttl > 0 && ttl < 1_000)) throw new UsageError('--ttl: must be 0 for no end, or 1s to 10 years');
    return withTokens(context, context.flags, async (tokens) => {
      await tokens.require(role);
      await print(context, tokens, await tokens.secrets.create({ role, description, endMs: ttl === 0 ? undefined : context.clock.now() + ttl }), quiet);
    });
  },
});

const list = defineCommand({
  name: 'list', group: 'Cluster', summary: 'Show the tokens by which machines can join', usage: 'token list [--show-tokens] [flags]',
  flags: { ...clusterFlags, 'show-tokens': flag.on('Show the tokens themselves too.') },
  run: (context) => withTokens(context, context.flags, async ({ secrets, printed }) => {
    noArguments(context);
    const tokens = await secrets.list();
    const nowMs = context.clock.now();
    const shown = context.flags['show-tokens'];
    const rest = (endMs: number | undefined): string => (endMs === undefined ? 'never' : endMs <= nowMs ? 'ended' : humanDuration(endMs - nowMs));
    const rows = await Promise.all(tokens.map(async (token) => [
      token.id, token.groups.map((group) => group.split(':').at(-1)).join(',') || '<none>', rest(token.endMs), token.standing ? 'standing' : 'extra', token.description || '<none>',
      ...(shown ? [await printed(token)] : []),
    ]));
    context.stdout.write(tokens.length === 0 ? 'no tokens\n' : new ColumnLayout().lines([['ID', 'ROLE', 'ENDS', 'KIND', 'DESCRIPTION', ...(shown ? ['TOKEN'] : [])], ...rows]));
  }),
});

const rotate = defineCommand({
  name: 'rotate', group: 'Cluster', summary: 'Make a new standing token and end the one from before', usage: 'token rotate [flags]',
  description: 'Machines that have joined stay; a machine that has the old token cannot join any more.',
  flags: { ...clusterFlags, role: roleFlag, quiet: quietFlag },
  run: (context) => {
    noArguments(context);
    if (roleOf(context.flags.role) === 'server') throw new CommandError("--role: there is no standing token for servers; 'barge token create --role server' makes one that ends, 'barge token delete' ends it sooner");
    return withTokens(context, context.flags, async (tokens) => print(context, tokens, await tokens.secrets.rotate(), context.flags.quiet));
  },
});

const remove = defineCommand({
  name: 'delete', group: 'Cluster', summary: 'End tokens at once', usage: 'token delete ID... [flags]',
  flags: clusterFlags,
  run: (context) => withTokens(context, context.flags, async ({ secrets }) => {
    // A whole token names itself as well.
    const ids = context.args.map((word) => /^BARGE-\d+-[a-z0-9]+-([a-z0-9]+)-/.exec(word)?.[1] ?? word.split('.')[0]!);
    if (ids.length === 0) throw new UsageError('say which: barge token delete ID...');
    let missing = 0;
    for (const id of ids) {
      if (/^[a-z0-9]{6}$/.test(id) && await secrets.delete(id)) context.stdout.write(`token ${id} ended\n`);
      else {
        missing++;
        context.stderr.write(`error: there is no token ${JSON.stringify(id)}; 'barge token list' shows them\n`);
      }
    }
    return missing === 0 ? 0 : 1;
  }),
});

export const command = defineCommand({
  name: 'token', group: 'Cluster', summary: 'Tokens by which machines join the cluster', usage: 'token (create | list | rotate | delete) [flags]',
  description: 'A token holds the hash of the cluster\'s authority, by which a machine knows the server, and a secret, by which the server lets it ask for a certificate of a new node.',
  examples: [
    { note: 'The line to run on another machine, good for an hour', line: 'token create --ttl=1h' },
    { note: 'The line to run on a machine that is to be a further server', line: 'token create --role=server' },
    { note: 'End the standing token, and print the new one', line: 'token rotate' },
  ],
  flags: {},
  subcommands: { create, list, rotate, delete: remove },
  run: async () => {
    throw new UsageError('say what to do: create, list, rotate or delete');
  },
});

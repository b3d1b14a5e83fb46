import { X509Certificate } from 'node:crypto';
import { certificatesIn, signerAmong } from '../../base/authorities.ts';
import { sleep } from '../../base/clock.ts';
import { maySignAuthorities } from '../../base/cross-signing.ts';
import { createClient, type Client } from '../../client/client.ts';
import type { ServerOptions } from '../../client/http-connection.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { authorityAnnotation } from '../../schemas/cluster-info.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { requestRotation } from '../cluster/authority/rotation-request.ts';
import { readAuthorities } from '../cluster/join/cluster-info.ts';
import { authorityHash } from '../cluster/join/join-token.ts';
import { authoritiesOfServer, listServerLeases, serverOf } from '../cluster/server-leases.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { flag, UsageError } from '../flags.ts';
import { ColumnLayout } from '../print-table.ts';
import { withSession } from '../session.ts';

/** The authorities of a cluster: the one that signs, and the one that is going, if one is. */
interface Authorities {
  readonly signer: X509Certificate;
  readonly outgoing: X509Certificate | undefined;
}

interface Cluster {
  readonly client: Client;
  readonly options: ServerOptions;
  authorities(): Promise<Authorities>;
  /** Names of the servers and of the nodes that do not say that all their certificates are from this authority. */
  without(authority: X509Certificate): Promise<Laggards>;
}

interface Laggards {
  readonly servers: readonly string[];
  readonly nodes: readonly string[];
}

const namesOf = (of: string, names: readonly string[]): readonly string[] => (names.length === 0 ? [] : [`${of} ${names.join(', ')}`]);

/** `the servers a, b and the nodes n1`; undefined for nobody. */
const wordsFor = ({ servers, nodes }: Laggards): string | undefined => [...namesOf('the servers', servers), ...namesOf('the nodes', nodes)].join(' and ') || undefined;

const pollMs = 500;
const serverPatienceMs = 60_000;

const withCluster = (context: CommandContext<typeof clusterFlags>, work: (cluster: Cluster) => Promise<void>): Promise<void> => {
  if (context.args.length > 0) throw new UsageError(`unexpected argument "${context.args[0]}"`);
  return withSession(context.flags, context, async ({ api }) => {
    const { options } = api.connection;
    const transport = createHttpTransport(options);
    const client = createClient(transport);
    try {
      await work({
        client, options,
        authorities: async () => {
          const pem = await readAuthorities(client);
          if (pem === undefined) throw new CommandError('the server is of a barge that cannot replace its authority');
          const [signer, outgoing] = certificatesIn(pem);
          return { signer: signer!, outgoing };
        },
        without: async (authority) => {
          const hash = authorityHash(authority);
          const [{ items: nodes }, servers] = await Promise.all([client.of(Node).list(), listServerLeases(client)]);
          return {
            servers: servers.filter((lease) => authoritiesOfServer(lease)[0] !== hash).map(serverOf).sort(),
            nodes: nodes.filter(({ metadata }) => metadata.annotations?.[authorityAnnotation] !== hash).map(({ metadata: { name = '' } }) => name).sort(),
          };
        },
      });
    } finally {
      transport.close();
    }
  });
};

/** Looks again and again until there is something other than undefined, and gives it; undefined when the time is over. Throws when interrupted. */
const within = async <T>({ clock, signal }: Pick<CommandContext, 'clock' | 'signal'>, limitMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> => {
  const endMs = clock.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || clock.now() >= endMs) return found;
    await sleep(clock, pollMs, signal);
    signal.throwIfAborted();
  }
};

const silentServer = (): CommandError => new CommandError("the server has not taken the request up within a minute; it is kept, and done as soon as 'barge up' runs there");

const status = defineCommand({
  name: 'status', group: 'Cluster', summary: 'Show the authorities of the cluster, and which servers and nodes have certificates of which', usage: 'ca status [flags]',
  flags: clusterFlags,
  run: (context) => withCluster(context, async ({ client, authorities }) => {
    const { signer, outgoing } = await authorities();
    const row = (one: X509Certificate, state: string): readonly string[] => [authorityHash(one), state, new Date(one.validTo).toISOString()];
    const [{ items }, servers] = await Promise.all([client.of(Node).list(), listServerLeases(client)]);
    const of = (hash: string | undefined): string => (hash === authorityHash(signer) ? 'the one that signs' : outgoing !== undefined && hash === authorityHash(outgoing) ? 'the one that goes' : 'not known');
    context.stdout.write([
      ...new ColumnLayout().lines([['AUTHORITY', 'STATE', 'ENDS'], row(signer, 'signs'), ...(outgoing === undefined ? [] : [row(outgoing, "goes with 'barge ca finish'")])]), '\n',
      ...(servers.length === 0 ? [] : [...new ColumnLayout().lines([['SERVER', 'CERTIFICATES OF'], ...servers.map((lease) => [serverOf(lease), of(authoritiesOfServer(lease)[0])])]), '\n']),
      ...(items.length === 0 ? [] : new ColumnLayout().lines([['NODE', 'CERTIFICATES OF'], ...items.map(({ metadata: { name = '', annotations } }) => [name, of(annotations?.[authorityAnnotation])])])),
    ].join(''));
  }),
});

const lastWords = [
  "All servers and nodes have certificates of the new authority; the old one is still trusted. Before 'barge ca finish' ends that:",
  "  - give users and parts that have kubeconfigs of their own new ones ('barge issue'): those of the old authority are refused then;",
  '  - start pods anew that speak to the API server and read its authority at their start only, as most do;',
  "  - make join tokens anew that were handed out before ('barge token create').",
].join('\n');

const rotate = defineCommand({
  name: 'rotate', group: 'Cluster', summary: 'Make another authority, and give all nodes certificates of it while everything runs', usage: 'ca rotate [--detach] [--timeout=5m] [flags]',
  description: [
    'The old authority signs the new one, so that who knows either of them goes on. Both are trusted until \'barge ca finish\'.',
    'Waits until every server and node has its new certificates. When it is interrupted the rotation goes on; run again, it waits again.',
  ].join('\n'),
  flags: {
    ...clusterFlags, detach: flag.on('Do not wait for the nodes.'), timeout: flag.durationMs('Wait for the nodes this long at most.', { shownDefault: '5m' }),
    force: flag.on('Also where the old authority may not sign another: programs in Go that know it alone are refused until they have the new one.'),
  },
  run: (context) => withCluster(context, async ({ client, authorities, without }) => {
    const { stdout, flags } = context;
    let { signer, outgoing } = await authorities();
    if (outgoing === undefined) {
      if (!flags.force && !await maySignAuthorities(signer.toString())) {
        throw new CommandError("the authority was made by an earlier barge and may not sign the one after it: kubectl and pods that know it alone would refuse the server until they have the new one. With --force it is rotated all the same; hand out new kubeconfigs ('barge issue') and start such pods anew right after it");
      }
      const replace = authorityHash(signer);
      await requestRotation(client, { replace });
      const begun = await within(context, serverPatienceMs, async () => {
        const now = await authorities();
        return authorityHash(now.signer) === replace ? undefined : now;
      });
      if (begun === undefined) throw silentServer();
      ({ signer, outgoing } = begun);
    }
    stdout.write(`the authority is now ${authorityHash(signer)}${outgoing === undefined ? '' : `; ${authorityHash(outgoing)} is still trusted`}\n`);
    if (flags.detach) return;
    let missing: string | undefined;
    const done = await within(context, flags.timeout ?? 300_000, async () => {
      missing = wordsFor(await without(signer));
      return missing === undefined ? true : undefined;
    });
    if (done === undefined) throw new CommandError(`${missing} have no certificates of the new authority yet; they get them as soon as they run ('barge ca status' shows it)`);
    stdout.write(`${lastWords}\n`);
  }),
});

/** Why a command that speaks with these settings would cut itself off; undefined where it would not. */
const whyCutOff = ({ ca, cert }: ServerOptions, signer: X509Certificate): string | undefined => {
  const again = "use the one that 'barge up' has written anew, or --force";
  if (ca !== undefined && !certificatesIn(ca.toString()).some((one) => authorityHash(one) === authorityHash(signer))) return `this kubeconfig knows the old authority alone, and would not reach the server any more: ${again}`;
  if (cert !== undefined && signerAmong([signer], new X509Certificate(cert)) === undefined) return `the certificate of this kubeconfig is of the old authority, and would be refused: ${again}`;
  return undefined;
};

const finish = defineCommand({
  name: 'finish', group: 'Cluster', summary: 'Stop trusting the authority from before the rotation', usage: 'ca finish [--force] [flags]',
  description: 'What it has signed is refused from then on, and connections that were opened with that are cut. Refused as long as a server or a node has old certificates.',
  flags: { ...clusterFlags, force: flag.on('Also where nodes, or this kubeconfig, have certificates of the old authority: such nodes have to join anew.') },
  run: (context) => withCluster(context, async ({ client, options, authorities, without }) => {
    const { signer, outgoing } = await authorities();
    if (outgoing === undefined) throw new CommandError("no authority is being replaced: 'barge ca rotate' begins it");
    if (!context.flags.force) {
      const { servers, nodes } = await without(signer);
      if (servers.length > 0) throw new CommandError(`the servers ${servers.join(', ')} have certificates of the old authority; wait until they have new ones ('barge ca rotate' does)`);
      if (nodes.length > 0) throw new CommandError(`the nodes ${nodes.join(', ')} have certificates of the old authority, and would have to join anew; start them and wait ('barge ca rotate' does), remove them ('barge node rm'), or use --force`);
      const why = whyCutOff(options, signer);
      if (why !== undefined) throw new CommandError(why);
    }
    await requestRotation(client, { drop: authorityHash(outgoing) });
    if (context.flags.force && whyCutOff(options, signer) !== undefined) {
      context.stdout.write(`${authorityHash(outgoing)} will not be trusted any more, nor this kubeconfig\n`);
      return;
    }
    const done = await within(context, serverPatienceMs, async () => {
      if ((await authorities()).outgoing !== undefined) return undefined;
      return (await listServerLeases(client)).every((lease) => authoritiesOfServer(lease).join() === authorityHash(signer)) ? true : undefined;
    });
    if (done === undefined) throw silentServer();
    context.stdout.write(`${authorityHash(outgoing)} is not trusted any more\n`);
  }),
});

export const command = defineCommand({
  name: 'ca', group: 'Cluster', summary: 'Replace the authority that signs the certificates of the cluster', usage: 'ca (status | rotate | finish) [flags]',
  description: 'In two steps: rotate makes another authority beside the old one and renews the certificates of all nodes; finish ends the old one.',
  examples: [
    { note: 'Make another authority and wait for the nodes', line: 'ca rotate' },
    { note: 'End the old one', line: 'ca finish' },
  ],
  flags: {},
  subcommands: { status, rotate, finish },
  run: async () => {
    throw new UsageError('say what to do: status, rotate or finish');
  },
});

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { apiServerUser } from '../../apiserver/api-server-user.ts';
import type { Clock } from '../../base/clock.ts';
import type { Component, Surroundings } from '../../base/component.ts';
import { createLog } from '../../base/log.ts';
import { createClient } from '../../client/client.ts';
import { writeKubeconfig } from '../../client/kubeconfig.ts';
import { createSignerComponent } from '../../controllers/certificate-signer/controller.ts';
import type { OwnNames } from '../../controllers/certificate-signer/plan.ts';
import { createControllersComponent } from '../../controllers/component.ts';
import { promotionAnnotation } from '../../schemas/cluster-info.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import type { UserInfo } from '../../schemas/api.ts';
import { createSchedulerComponent } from '../../scheduler/component.ts';
import { CommandError } from '../command.ts';
import type { ClusterConfig } from '../config.ts';
import { aborted, runComponents } from '../run-components.ts';
import { machineAddresses, machineAddressesFrom } from './addresses.ts';
import { createRotation } from './authority/rotation.ts';
import { clusterDomain } from './cluster-domain.ts';
import { elected } from './elected.ts';
import { BootstrapSecrets } from './join/bootstrap-secrets.ts';
import { publishAuthorities, publishClusterInfo } from './join/cluster-info.ts';
import { authorityHash, printJoinToken } from './join/join-token.ts';
import { joinedAuthority } from './join/membership.ts';
import { openControlPlane, type ControlPlane } from './control-plane.ts';
import { nodeUser, partUsers, signerUser } from './part-users.ts';
import { createDemotion } from './servers/demotion.ts';
import { removePid, writePid } from './pid-file.ts';
import { renewals } from './renewals.ts';
import { schedulerProfiles } from './scheduler-profiles.ts';
import { keepStoreNote } from './store-note.ts';

export interface RunOptions {
  readonly config: ClusterConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly writeLog: (line: string) => void;
  /** Called once, when the API answers and the node (if this process has one) is Ready. */
  readonly onReady: (ready: { readonly url: string; readonly nodeName: string | undefined; readonly join: JoinOffer | undefined }) => void;
}

/** What another machine needs to join. */
export interface JoinOffer {
  readonly url: string;
  readonly token: string;
}

/** Says what the cluster is like where agents and machines that join read it. */
const publish = ({ clusterCidr, serviceCidr, overlay, nodes, externalIps }: ClusterConfig, { core, credentials, outsideUrl }: ControlPlane): Promise<void> =>
  publishClusterInfo(createClient(core.as(apiServerUser)), { server: outsideUrl, clusterCidr, serviceCidr, clusterDomain, overlay, nodeLeaseSeconds: nodes.leaseSeconds, externalIps }, credentials.trust.current);

/** Says anew which authorities there are. */
const republish = async (config: ClusterConfig, controlPlane: ControlPlane): Promise<void> => {
  const { core, credentials } = controlPlane;
  if (!await publishAuthorities(createClient(core.as(apiServerUser)), credentials.trust.current)) await publish(config, controlPlane);
};

/** The standing token, for machines that join; undefined where none can reach the server. */
const offerJoin = async ({ core, credentials, outsideUrl }: ControlPlane): Promise<JoinOffer | undefined> => {
  if (outsideUrl === undefined) return undefined;
  const { id, secret } = await new BootstrapSecrets(createClient(core.as(apiServerUser))).standing();
  return { url: outsideUrl, token: printJoinToken({ authority: authorityHash(credentials.trust.current), id, secret }) };
};

/** A machine that has become a server needs the mark no more by which it became one. */
const removeMark = async ({ nodeName }: ClusterConfig, { core }: ControlPlane): Promise<void> => {
  const nodes = createClient(core.as(apiServerUser)).of(Node);
  if ((await nodes.find({ name: nodeName }))?.metadata.annotations?.[promotionAnnotation] === undefined) return;
  await nodes.modify({ name: nodeName }, (draft) => {
    delete draft.metadata.annotations?.[promotionAnnotation];
  });
};

const componentUser = (name: string, groups: readonly string[] = []): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] });

const writeAdminKubeconfig = (config: ClusterConfig, { credentials, url }: ControlPlane): Promise<void> => {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return writeKubeconfig(config.kubeconfig, {
    currentContext: 'barge',
    clusters: new Map([['barge', { server: url, 'certificate-authority-data': base64(credentials.trust.current) }]]),
    contexts: new Map([['barge', { cluster: 'barge', user: 'admin' }]]),
    users: new Map([['admin', { 'client-certificate-data': base64(credentials.admin.pair.cert), 'client-key-data': base64(credentials.admin.pair.key) }]]),
  });
};

/** Resolves when the node's condition Ready is True. */
const nodeReady = async (controlPlane: ControlPlane, name: string, signal: AbortSignal): Promise<void> => {
  const nodes = createClient(controlPlane.core.as(componentUser('system:barge:up', ['system:masters']))).of(Node);
  for await (const events of nodes.watch({ fieldSelector: `metadata.name=${name}`, resourceVersion: '0' }, signal)) {
    for (const event of events) {
      if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
      if (event.object.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')) return;
    }
  }
};

/** The names of all servers of the cluster: a node gets a certificate for none of them. */
const withAddresses = (own: OwnNames, addresses: readonly string[]): OwnNames => ({ ...own, ipAddresses: [...new Set([...own.ipAddresses, ...addresses])] });

/** Agents of servers say so of their nodes. */
const serverLabel = 'node-role.kubernetes.io/control-plane';

/**
 * Runs a server of a cluster, with this machine as a node unless the settings say otherwise, until the signal aborts. Resolves with `demoted` when
 * the machine has become a worker instead; its pods go on. Rejects when it cannot start or cannot go on.
 */
export const runCluster = async ({ config, clock, random, signal, writeLog, onReady }: RunOptions): Promise<'stopped' | 'demoted'> => {
  const log = createLog({ level: config.logLevel, format: config.logFormat, write: writeLog, now: () => clock.now() });
  if (await joinedAuthority(config.dataDir) !== undefined) throw new CommandError(`${config.dataDir} is the data folder of a machine that has joined a cluster: 'barge join' runs its node; a cluster needs a folder of its own: --data-dir`);
  const profiles = config.scheduler ? await schedulerProfiles(config) : undefined;
  const nodeIps = config.nodeIp === undefined ? machineAddresses() : machineAddressesFrom(config.nodeIp);
  if (nodeIps === undefined) throw new CommandError(`--node-ip: this machine has no address ${config.nodeIp}; it has ${machineAddresses().join(', ')}`);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const controlPlane = await openControlPlane({ config, clock, log, random, nodeIps });
  await writePid(config.dataDir);
  await keepStoreNote(config);
  try {
    await writeAdminKubeconfig(config, controlPlane);
    await publish(config, controlPlane);
    await removeMark(config, controlPlane);
    const join = await offerJoin(controlPlane);
    const surroundings = (component: string, user: UserInfo) => ({ transport: controlPlane.core.as(user), clock, random, log: log.with({ component }), metrics: controlPlane.metrics });
    const { credentials } = controlPlane;
    const identity = `${config.nodeName}_${randomUUID()}`;
    /** Where servers share a store, a part runs in one of them. */
    const oneOfAll = (name: string, user: string, make: (around: Surroundings) => Component): Component => {
      const around = surroundings(name, componentUser(user));
      return config.etcd === undefined ? make(around) : elected({ name, surroundings: around, identity }, () => make(around));
    };
    const demoted = new AbortController();
    const components = [
      // Both work with the authority's key, which is here, wherever the other controllers are.
      createSignerComponent(surroundings('certificate-signer', componentUser(signerUser)), { sign: credentials.sign, longestMs: config.certificateLifetimeMs, own: () => withAddresses(credentials.serverNames(), controlPlane.serverAddresses()) }),
      renewals({ credentials, clock, random, log: log.with({ component: 'renewal' }), keepAdmin: () => writeAdminKubeconfig(config, controlPlane) }),
      createRotation(surroundings('authority', apiServerUser), { credentials, publish: () => republish(config, controlPlane), shared: controlPlane.shared }),
      ...(config.controllers ? [oneOfAll('controllers', partUsers.controllers, (around) => createControllersComponent(around, {
        clusterCidr: config.clusterCidr, loadBalancerPool: config.loadBalancerPool, rootCa: credentials.trust.current, nodeMonitorGraceMs: config.nodes.monitorGraceMs, evictionRates: config.nodes.evictionRates,
      }))] : []),
      ...(config.scheduler ? [oneOfAll('scheduler', partUsers.scheduler, (around) => createSchedulerComponent(around, { profiles }))] : []),
      ...(config.agent && config.etcd !== undefined ? [createDemotion(surroundings('demotion', apiServerUser), { config, nodeIp: nodeIps[0]!, serverLabel, controlPlane, onDemoted: () => demoted.abort() })] : []),
      ...(config.agent ? await (await import('./node.ts')).createNode({
        config, clusterDomain, credentials, nodeIp: nodeIps[0]!, clock, letPodsIn: (address) => controlPlane.letPodsIn(address),
        nodeLabels: { [serverLabel]: '' },
        agent: surroundings('agent', componentUser(`${nodeUser.prefix}${config.nodeName}`, [nodeUser.group])),
        proxy: surroundings('proxy', componentUser(partUsers.proxy)),
      }) : []),
    ];
    const stop = new AbortController();
    const until = AbortSignal.any([signal, controlPlane.failed, stop.signal, demoted.signal]);
    const running = runComponents(components, until, log);
    const ready = (config.agent ? nodeReady(controlPlane, config.nodeName, until) : Promise.resolve()).then(() => {
      if (!until.aborted) onReady({ url: controlPlane.url, nodeName: config.agent ? config.nodeName : undefined, join });
    });
    try {
      await Promise.race([Promise.all([running, ready]), aborted(until)]);
      await running;
    } finally {
      stop.abort();
    }
    if (controlPlane.failed.aborted) throw new Error('the store cannot be written any more', { cause: controlPlane.failed.reason });
    return demoted.signal.aborted ? 'demoted' : 'stopped';
  } finally {
    await controlPlane.close();
    await removePid(config.dataDir);
  }
};

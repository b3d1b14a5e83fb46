/** What makes a machine a server of a cluster that there is: its keys, and the settings that all its servers have. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { MaterialSource } from '../../../apiserver/http/server-material.ts';
import { bargeVersion } from '../../../base/version.ts';
import type { CertificatePair } from '../../../base/pki.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../base/clock.ts';
import { promotionAnnotation, readPromotionMark } from '../../../schemas/cluster-info.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { Lease } from '../../../schemas/kinds/coordination/lease.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { settings, type ClusterConfig, type Given } from '../../config.ts';
import { onlyServer } from '../same-cluster.ts';
import { serverLeaseOf } from '../server-leases.ts';

export interface ServerMaterial {
  /** Of the barge that gives it; all servers of a cluster have one. */
  readonly version: string;
  readonly authority: CertificatePair;
  /** PEM of the private key that signs tokens of service accounts. */
  readonly accountKey: string;
  /** Settings by their names, without those whose value is a file. */
  readonly settings: Given;
  /** What is in the files that settings name, by the name of the setting. */
  readonly files: Readonly<Record<string, string>>;
}

export interface MaterialOptions {
  readonly config: Pick<ClusterConfig, 'given' | 'etcd'>;
  /** The authority in force. What else there is to know of it while another is being replaced, a server reads in the store before it serves. */
  authority(): { readonly signer: CertificatePair };
  readonly accountKey: string;
  /** Acts as the API server. */
  readonly client: Client;
  readonly clock: Pick<Clock, 'now'>;
}

/** Why a node is not to become a server now, whose mark the authorizer has seen; undefined when it is. */
const whyNotNow = (node: Node | undefined, nowMs: number): string | undefined => {
  const text = node?.metadata.annotations?.[promotionAnnotation];
  const mark = readPromotionMark(text);
  if (mark === undefined) return `the annotation ${promotionAnnotation} of the node is ${JSON.stringify(text ?? '')}, and must be HOST:PORT until TIME, as 'barge node promote' writes it`;
  return mark.untilMs > nowMs ? undefined : `the mark by which the node was to become a server (${text}) has run out`;
};

/** Where a server gets what it gives to further ones. It is read anew in each use. */
export const createMaterialSource = ({ config, authority, accountKey, client, clock }: MaterialOptions): MaterialSource => async ({ nodeName, isNode }) => {
  if (config.etcd === undefined) throw new ApiError('Conflict', onlyServer);
  if (isNode) {
    const why = whyNotNow(await client.of(Node).find({ name: nodeName }), clock.now());
    if (why !== undefined) throw new ApiError('Forbidden', why);
  } else {
    const [node, lease] = await Promise.all([client.of(Node).find({ name: nodeName }), client.of(Lease).find(serverLeaseOf(nodeName))]);
    if (node !== undefined || lease !== undefined) throw new ApiError('AlreadyExists', `there is a ${node === undefined ? 'server' : 'node'} ${nodeName} already: choose another name with --node-name${node === undefined ? '' : `, or take that one out first ('barge node rm ${nodeName}')`}`);
  }
  const said = settings.flatMap(({ name, shared }) => (shared === undefined || config.given[name] === undefined ? [] : [{ name, shared, value: config.given[name] }]));
  const files = await Promise.all(said.filter(({ shared }) => shared === 'file').map(async ({ name, value }) => [name, await readFile(String(value), 'utf8')] as const));
  return {
    version: bargeVersion, authority: authority().signer, accountKey,
    settings: Object.fromEntries(said.filter(({ shared }) => shared === 'value').map(({ name, value }) => [name, value])), files: Object.fromEntries(files),
  } satisfies ServerMaterial;
};

const isRecordOf = <T>(value: unknown, is: (one: unknown) => one is T): value is Readonly<Record<string, T>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(is);
const isText = (value: unknown): value is string => typeof value === 'string';
const isSetting = (value: unknown): value is string | boolean => typeof value === 'string' || typeof value === 'boolean';

/** What a server, or a file, gave. Throws an Error that names what is wrong with it. */
export const materialOf = (value: unknown): ServerMaterial => {
  const { version, authority, accountKey, settings: shared, files } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (!isText(version)) throw new Error('what the server gave lacks version');
  if (version !== bargeVersion) throw new Error(`the cluster's server is barge ${version} and this one is ${bargeVersion}: all servers of a cluster have the same version`);
  const { cert, key } = (authority ?? {}) as Readonly<Record<string, unknown>>;
  if (!isText(cert) || !isText(key) || !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error('what the server gave is wrong: authority must be a certificate with its key');
  if (!isText(accountKey) || createPrivateKey(accountKey).asymmetricKeyType !== 'ec') throw new Error('what the server gave is wrong: accountKey must be a private key');
  const names = new Map(settings.map(({ name, shared: how }) => [name, how]));
  if (!isRecordOf(shared, isSetting) || !Object.keys(shared).every((name) => names.get(name) === 'value')) throw new Error('what the server gave is wrong: settings must be those that servers share');
  if (!isRecordOf(files, isText) || !Object.keys(files).every((name) => names.get(name) === 'file')) throw new Error('what the server gave is wrong: files must be those that servers share');
  return { version, authority: { cert, key }, accountKey, settings: shared, files };
};

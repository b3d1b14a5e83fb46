/** Join tokens as the cluster keeps them: Secrets of the form that Kubernetes and kubeadm know. */
import { serversGroup, workersGroup } from '../../../apiserver/authorization/default-roles.ts';
import { rfc3339 } from '../../../base/clock.ts';
import type { Client } from '../../../client/client.ts';
import { isReason } from '../../../schemas/errors.ts';
import { Secret } from '../../../schemas/kinds/core/secret.ts';
import { newBootstrapToken } from './join-token.ts';

const namespace = 'kube-system';
const type = 'bootstrap.kubernetes.io/token';
/** Marks the one token of a role that lasts until it is rotated. */
const standingLabel = 'barge.dev/standing-token';

export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly description: string;
  readonly groups: readonly string[];
  /** Unix milliseconds; undefined for one that does not end by itself. */
  readonly endMs: number | undefined;
  readonly standing: boolean;
}

const text = ({ data }: Secret, key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString('utf8');

const tokenOf = (secret: Secret): BootstrapToken => {
  const endMs = Date.parse(text(secret, 'expiration'));
  return {
    id: text(secret, 'token-id'), secret: text(secret, 'token-secret'), description: text(secret, 'description'),
    groups: text(secret, 'auth-extra-groups').split(',').filter((group) => group !== ''),
    endMs: Number.isNaN(endMs) ? undefined : endMs, standing: secret.metadata.labels?.[standingLabel] !== undefined,
  };
};

/** What a machine will be. */
export type Role = 'worker' | 'server';

const groupOf: Readonly<Record<Role, string>> = { worker: workersGroup, server: serversGroup };

export interface NewToken {
  readonly role: Role;
  readonly description: string;
  readonly endMs: number | undefined;
  readonly standing?: boolean;
}

export class BootstrapSecrets {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Every join token, the standing one first, then by id. */
  async list(): Promise<readonly BootstrapToken[]> {
    const { items } = await this.#client.of(Secret).list({ namespace, fieldSelector: `type=${type}` });
    return items.map(tokenOf).sort((a, b) => Number(b.standing) - Number(a.standing) || a.id.localeCompare(b.id));
  }

  async create({ role, description, endMs, standing = false }: NewToken): Promise<BootstrapToken> {
    const { id, secret } = newBootstrapToken();
    return tokenOf(await this.#client.of(Secret).create({
      metadata: { name: `bootstrap-token-${id}`, namespace, ...(standing ? { labels: { [standingLabel]: role } } : {}) }, type,
      stringData: {
        'token-id': id, 'token-secret': secret, description, 'usage-bootstrap-authentication': 'true', 'auth-extra-groups': groupOf[role],
        ...(endMs === undefined ? {} : { expiration: rfc3339(endMs) }),
      },
    }));
  }

  /** Ends a token at once. False where there is none of this id. */
  async delete(id: string): Promise<boolean> {
    try {
      await this.#client.of(Secret).delete({ namespace, name: `bootstrap-token-${id}` });
      return true;
    } catch (error) {
      if (isReason(error, 'NotFound')) return false;
      throw error;
    }
  }

  /** The token of workers that lasts; made where there is none. */
  async standing(): Promise<BootstrapToken> {
    return (await this.list()).find(({ standing }) => standing) ?? this.create({ role: 'worker', description: 'for workers, until it is rotated', endMs: undefined, standing: true });
  }

  /** A new standing token; those from before are void when it resolves. */
  async rotate(): Promise<BootstrapToken> {
    const before = (await this.list()).filter(({ standing }) => standing);
    const next = await this.create({ role: 'worker', description: 'for workers, until it is rotated', endMs: undefined, standing: true });
    for (const { id } of before) await this.delete(id);
    return next;
  }
}

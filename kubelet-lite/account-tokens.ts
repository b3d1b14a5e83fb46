import type { Client } from '../client/client.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { ServiceAccount } from '../schemas/kinds/core/service-account.ts';
import type { ServiceAccountTokenProjection } from '../schemas/types/volume.ts';
import { ConfigError } from './config-error.ts';

/** Kubernetes' default life of a projected token. */
const defaultSeconds = 3600;

/** A token of the pod's service account, bound to the pod, from the API server. */
export const serviceAccountToken = async (client: Client, pod: Pod, { audience, expirationSeconds }: ServiceAccountTokenProjection): Promise<string> => {
  const { namespace, name = '', uid } = pod.metadata;
  const account = pod.spec?.serviceAccountName ?? 'default';
  const answer = await client.of(ServiceAccount).createSub({ namespace, name: account }, 'token', {
    apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {},
    spec: {
      audiences: audience === undefined || audience === '' ? [] : [audience], expirationSeconds: expirationSeconds ?? defaultSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  });
  const token = (answer.body as { readonly status?: { readonly token?: unknown } | string }).status;
  if (typeof token !== 'object' || typeof token.token !== 'string') throw new ConfigError(`the server gave no token for service account ${account}`);
  return token.token;
};

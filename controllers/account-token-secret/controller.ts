import type { Controller } from '../../client/controller.ts';
import { isReason } from '../../schemas/errors.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { ServiceAccount } from '../../schemas/kinds/core/service-account.ts';
import { unlessGone } from '../ensure.ts';
import { isClusterInfo, publishedAuthorities } from '../root-ca/published.ts';

const secretType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';
/** The longest life that a token can be asked for; it ends with the Secret, which can be deleted. */
const seconds = 2 ** 32;

const accountName = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? '';

/**
 * Fills the Secrets in which tokens of the old sort are kept: the token is bound to the Secret, so that deleting the Secret
 * withdraws it, and names the authorities of the cluster as they are. A Secret whose account is gone, or is another one of the same name, goes too.
 */
export const accountTokenSecretController = (rootCa: string): Controller<Secret> => ({
  name: 'tokens-controller',
  reconciles: Secret,
  watches: [{
    kind: ConfigMap,
    map: ({ metadata }: ConfigMap, context) => (isClusterInfo(metadata)
      ? context.informer(Secret).list().filter(({ type }) => type === secretType).map(({ metadata: { namespace, name = '' } }) => ({ namespace, name })) : []),
  }, {
    kind: ServiceAccount,
    map: ({ metadata }: ServiceAccount, context) => context.informer(Secret).list(metadata.namespace)
      .filter((secret) => secret.type === secretType && accountName(secret) === metadata.name).map((secret) => ({ namespace: metadata.namespace, name: secret.metadata.name ?? '' })),
  }],
  reconcile: async (secret, key, context) => {
    if (secret === undefined || secret.type !== secretType || secret.metadata.deletionTimestamp !== undefined || accountName(secret) === '') return;
    const at = { namespace: key.namespace, name: accountName(secret) };
    const account = context.informer(ServiceAccount).get(at);
    const boundTo = secret.metadata.annotations?.[uidAnnotation];
    if (account === undefined || (boundTo !== undefined && boundTo !== account.metadata.uid)) {
      // The informer of accounts may be behind the one of Secrets: only the server knows that an account is gone.
      const now = await context.client.of(ServiceAccount).get(at).catch((error: unknown) => {
        if (isReason(error, 'NotFound')) return undefined;
        throw error;
      });
      if (now === undefined || (boundTo !== undefined && boundTo !== now.metadata.uid)) {
        await unlessGone(context.client.of(Secret).delete(key, { preconditions: { uid: secret.metadata.uid } }));
        return;
      }
    }
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const authorities = base64(publishedAuthorities(context) ?? rootCa);
    if ((secret.data?.['token'] ?? '') !== '') {
      if (secret.data?.['ca.crt'] === authorities) return;
      await unlessGone(context.client.of(Secret).modify(key, (draft) => {
        draft.data = { ...draft.data, 'ca.crt': authorities };
      }, { hint: secret }));
      return;
    }
    const answer = await context.client.of(ServiceAccount).createSub(at, 'token', {
      apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {},
      spec: { audiences: [], expirationSeconds: seconds, boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: key.name, uid: secret.metadata.uid } },
    });
    const { token } = (answer.body as unknown as { readonly status: { readonly token: string } }).status;
    const uid = (await context.client.of(ServiceAccount).get(at)).metadata.uid ?? '';
    await unlessGone(context.client.of(Secret).modify(key, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, [uidAnnotation]: uid };
      draft.data = { ...draft.data, token: base64(token), 'ca.crt': authorities, namespace: base64(key.namespace ?? '') };
    }, { hint: secret }));
  },
});

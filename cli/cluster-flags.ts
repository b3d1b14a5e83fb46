import { flag, type Flags, type FlagValues } from './flags.ts';

/** Flags of every command that speaks to a cluster: which one, and as whom. */
export const clusterFlags = {
  kubeconfig: flag.text('Kubeconfig file to use.', { value: 'FILE' }),
  context: flag.text('Context of the kubeconfig to use.', { value: 'NAME' }),
  cluster: flag.text('Cluster of the kubeconfig to use.', { value: 'NAME' }),
  user: flag.text('User of the kubeconfig to use.', { value: 'NAME' }),
  as: flag.text('Act as this user, or this service account (system:serviceaccount:NAMESPACE:NAME); who asks must have the right to.', { value: 'USER' }),
  'as-group': flag.list('Act as a member of this group; may be given many times. Needs --as.', { value: 'GROUP' }),
  'as-uid': flag.text('Act as the user with this UID. Needs --as.', { value: 'UID' }),
  namespace: flag.text('Namespace of the request; the context says the default.', { short: 'n', value: 'NAME' }),
  server: flag.text('URL of the API server.', { short: 's', value: 'URL' }),
  token: flag.text('Bearer token for the API server.', { value: 'TOKEN' }),
  'certificate-authority': flag.text('File with the certificate of the server\'s authority.', { value: 'FILE' }),
  'client-certificate': flag.text('File with the client\'s certificate.', { value: 'FILE' }),
  'client-key': flag.text('File with the client\'s key.', { value: 'FILE' }),
  'insecure-skip-tls-verify': flag.on('Do not check the server\'s certificate.'),
  'tls-server-name': flag.text('Name to expect in the server\'s certificate.', { value: 'NAME' }),
  'request-timeout': flag.durationMs('Give up a single request after this time; 0 waits for ever.'),
} satisfies Flags;

export type ClusterFlagValues = FlagValues<typeof clusterFlags>;

/** The etcd that a control plane keeps its objects in, as its settings say; they are named as those of Kubernetes' API server. */
export interface EtcdConfig {
  /** URLs of members. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
  /** Files in PEM. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export const etcdSettings = [
  { name: 'etcd-servers', shared: 'value', value: 'URL,...', summary: 'members of an etcd that holds the objects, which several servers can share, such as https://10.0.0.1:2379 (default: a file in the data folder, for one server)' },
  { name: 'etcd-prefix', shared: 'value', value: 'PATH', summary: "with which this cluster's keys in etcd begin (default /barge)" },
  { name: 'etcd-cafile', shared: 'file', value: 'FILE', summary: "authority of etcd's certificates, PEM (default: those that Node.js knows)" },
  { name: 'etcd-certfile', shared: 'file', value: 'FILE', summary: 'certificate to show to etcd, PEM' },
  { name: 'etcd-keyfile', shared: 'file', value: 'FILE', summary: 'its key, PEM' },
] as const;

/** Undefined where no members are named. Throws an Error that begins with the flag that is wrong. */
export const etcdConfigOf = (text: (name: string) => string | undefined, pathOf: (path: string) => string): EtcdConfig | undefined => {
  const servers = text('etcd-servers');
  if (servers === undefined) {
    const lone = etcdSettings.find(({ name }) => text(name) !== undefined);
    if (lone !== undefined) throw new Error(`--${lone.name}: needs --etcd-servers, which says where etcd is`);
    return undefined;
  }
  const endpoints = servers.split(',').map((server) => endpointOf(server.trim()));
  const prefix = `/${(text('etcd-prefix') ?? '/barge').replace(/^\/+|\/+$/g, '')}`;
  if (prefix === '/') throw new Error('--etcd-prefix: must be a path that is not empty, such as /barge');
  const [caFile, certFile, keyFile] = (['etcd-cafile', 'etcd-certfile', 'etcd-keyfile'] as const).map((name) => {
    const path = text(name);
    return path === undefined ? undefined : pathOf(path);
  });
  if ((certFile === undefined) !== (keyFile === undefined)) throw new Error(`--etcd-${certFile === undefined ? 'keyfile' : 'certfile'}: needs --etcd-${certFile === undefined ? 'certfile' : 'keyfile'} beside it`);
  if (caFile !== undefined || certFile !== undefined) {
    const plain = endpoints.find((endpoint) => endpoint.startsWith('http:'));
    if (plain !== undefined) throw new Error(`--etcd-servers: ${plain} must begin with https:// where certificates are given`);
  }
  return { endpoints, prefix, caFile, certFile, keyFile };
};

const endpointOf = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new Error(`--etcd-servers: ${JSON.stringify(text)} must be a URL such as https://10.0.0.1:2379`);
  }
  return url.origin;
};

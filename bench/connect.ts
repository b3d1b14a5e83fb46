import { connectionOf, loadKubeconfig } from '../client/kubeconfig.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import type { Transport } from '../schemas/api.ts';
import type { Streams } from '../client/streams.ts';

/** The API of the cluster that a kubeconfig names, over HTTPS. */
export const connectByKubeconfig = async (file: string): Promise<Transport & Streams> =>
  createHttpTransport((await connectionOf(await loadKubeconfig({ named: file, env: {} }))).connection);

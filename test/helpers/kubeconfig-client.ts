import type { ExecutionContext } from 'ava';
import { createClient, type Client } from '../../client/client.ts';
import { createHttpTransport } from '../../client/http-transport.ts';
import { connectionOf, loadKubeconfig } from '../../client/kubeconfig.ts';

/** A client of this process, as the user of a kubeconfig. It goes with the test. */
export const kubeconfigClient = async (t: ExecutionContext, kubeconfig: string): Promise<Client> => {
  const transport = createHttpTransport((await connectionOf(await loadKubeconfig({ named: kubeconfig, env: {} }))).connection);
  t.teardown(() => transport.close());
  return createClient(transport);
};

/** A node without an agent that nobody takes for lost: it is Ready, and its lease is renewed as an agent would do it. */
import { load, requestBytes, type LoadTarget } from './raw-load.ts';

const renewEveryMs = 10_000;
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const merge = 'application/merge-patch+json';

/** Makes the node. The returned function lets it go. */
export const liveNode = async (target: LoadTarget, name: string): Promise<() => void> => {
  const renewTime = (): string => new Date().toISOString().replace('Z', '000Z');
  await load(target, 1, [
    requestBytes('POST', '/api/v1/nodes', JSON.stringify({ kind: 'Node', apiVersion: 'v1', metadata: { name } })),
    requestBytes('POST', leases, JSON.stringify({ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: renewTime() } })),
    requestBytes('PATCH', `/api/v1/nodes/${name}/status`, JSON.stringify({ status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Bench' }] } }), merge),
  ]);
  const renewal = setInterval(() => {
    load(target, 1, [requestBytes('PATCH', `${leases}/${name}`, JSON.stringify({ spec: { renewTime: renewTime() } }), merge)]).catch(() => clearInterval(renewal));
  }, renewEveryMs);
  return () => clearInterval(renewal);
};

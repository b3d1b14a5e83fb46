import type { Example } from '../../helpers/example.ts';

/** examples/barge: what barge's own annotations do. */
export const annotations: readonly Example[] = [
  {
    file: 'barge/rollback',
    shows: async (at) => {
      await at.rollsOut('deployment/bridge');
      await at.kubectl('set env deployment/bridge MISTAKE=yes');
      await at.sees(`get deployment bridge -o jsonpath='{.status.conditions[?(@.type=="UpdateFailed")].status}'`, /^True$/);
      await at.sees('get events --field-selector=reason=DeploymentRollback', /DeploymentRollback +deployment\/bridge/);
      await at.rollsOut('deployment/bridge');
      await at.sees("get deployment bridge -o jsonpath='{.spec.template.spec.containers[0].env}'", /^$/);
      await at.sees('get deployment bridge', /^bridge +2\/2 +2 +2 /m);
    },
  },
  {
    file: 'barge/rollout-on-config-change',
    shows: async (at) => {
      await at.rollsOut('deployment/weathercock');
      await at.sees('logs deployment/weathercock', /^wind: west\n$/);
      await at.kubectl(`patch configmap weather --type=merge --patch='{"data":{"wind":"east"}}'`);
      await at.sees('logs deployment/weathercock', /^wind: east\n$/);
      await at.rollsOut('deployment/weathercock');
      await at.sees('get replicasets', /^weathercock-\S+ +1 +1 +1 /m);
    },
  },
  {
    file: 'barge/depends-on',
    shows: async (at) => {
      await at.rollsOut('deployment/stage');
      await at.sees(`get deployment play -o jsonpath='{.status.conditions[?(@.type=="WaitingForDependencies")].message}'`, /job\/rehearsal/);
      await at.sees('get pods -l app=play -o name', /^$/);
      await at.kubectl(`patch job rehearsal --patch='{"spec":{"suspend":false}}'`);
      await at.sees('get deployment play', /^play +1\/1 +1 +1 /m);
    },
  },
];

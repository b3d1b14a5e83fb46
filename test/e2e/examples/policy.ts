import assert from 'node:assert/strict';
import { manifestOf, type Example } from '../../helpers/example.ts';

/** examples/policy: what a namespace may have, and who goes first. */
export const policy: readonly Example[] = [
  {
    file: 'policy/disruption-budget',
    nodes: 'several',
    shows: async (at) => {
      await at.rollsOut('deployment/pillars');
      await at.sees('get poddisruptionbudget pillars', /^pillars +1 +N\/A +0 /m);
      const [node] = [...(await at.placement()).values()];
      await at.refuses(`drain ${node!} --pod-selector=app=pillars --timeout=3s`, /Cannot evict pod as it would violate the pod's disruption budget/);
      await at.kubectl('scale deployment/pillars --replicas=2');
      await at.sees('get poddisruptionbudget pillars', /^pillars +1 +N\/A +1 /m);
      await at.kubectl(`drain ${node!} --pod-selector=app=pillars --timeout=120s`);
      await at.rollsOut('deployment/pillars');
      await at.sees('get pods -o wide', (text) => assert.doesNotMatch(text, new RegExp(` ${node!} `)));
      await at.kubectl(`uncordon ${node!}`);
    },
  },
  {
    file: 'policy/resource-quota',
    shows: async (at) => {
      await at.seesByKubectl('describe quota larder', /^count\/configmaps +3 +3$[^]*^pods +1 +2$[^]*^requests\.cpu +100m +200m$/m);
      await at.refuses('create configmap one-too-many', /configmaps "one-too-many" is forbidden: exceeded quota: larder, requested: count\/configmaps=1, used: count\/configmaps=3, limited: count\/configmaps=3/);
      await at.refuses('run hungry --image=barge/hello:1', /pods "hungry" is forbidden: failed quota: larder: must specify .*requests\.memory/);
    },
  },
  {
    file: 'policy/limit-range',
    shows: async (at) => {
      await at.sees("get pod modest -o jsonpath='{.spec.containers[0].resources}'", (text) => {
        assert.deepEqual(JSON.parse(text), { limits: { memory: '64Mi' }, requests: { cpu: '20m', memory: '16Mi' } });
      });
      await at.kubectl('create deployment loud --image=barge/hello:1');
      await at.kubectl('set resources deployment/loud --limits=memory=1Gi');
      await at.sees('get events --field-selector=reason=FailedCreate', /maximum memory usage per Container is 128Mi, but limit is 1Gi/);
    },
  },
  {
    file: 'policy/priority-class',
    nodes: 'several',
    before: (at) => at.kubectl(`label node ${at.nodes[0]!} seat=velvet`),
    shows: async (at) => {
      await at.rollsOut('deployment/crowd');
      await at.sees('get priorityclasses', /^important +100000 +false [^]*^polite +90000 +false [^]*^system-cluster-critical /m);
      await at.kubectl(`apply -f ${manifestOf('policy/preemption')}`);
      await at.waits('Ready', 'pod/mayor');
      await at.sees("get pod mayor -o jsonpath='{.spec.priority} {.spec.nodeName}'", new RegExp(`^100000 ${at.nodes[0]!}$`));
      await at.sees('get pods', /^crowd-\S+ +0\/1 +Pending [^]*^guest +0\/1 +Pending [^]*^mayor +1\/1 +Running /m);
      await at.sees('get events --field-selector=reason=Preempted', /Preempted +pod\/crowd-/);
      await at.kubectl(`delete -f ${manifestOf('policy/preemption')} --wait=false`);
    },
    after: (at) => at.kubectl('label nodes --all seat-'),
  },
  {
    file: 'policy/network-policy',
    shows: async (at) => {
      await at.waits('Ready', 'pod/vault pod/banker pod/stranger');
      const call = (from: string): string => `exec ${from} -- wget -q -O - http://vault:8080/cgi-bin/index.cgi`;
      await at.sees(call('banker'), /^Hello from vault\n$/);
      await at.refuses(call('stranger'), /can't connect to remote host.*: No route to host/);
      await at.kubectl('label pod stranger role=banker');
      await at.sees(call('stranger'), /^Hello from vault\n$/);
      await at.seesByKubectl('describe networkpolicy vault', /PodSelector: +app=vault[^]*To Port: door\/TCP[^]*PodSelector: role=banker/);
    },
  },
];

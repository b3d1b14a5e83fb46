import assert from 'node:assert/strict';
import type { Example } from '../../helpers/example.ts';

/** examples/pods: what a pod is made of. */
export const pods: readonly Example[] = [
  {
    file: 'pods/init-containers',
    shows: async (at) => {
      await at.sees('logs bakery --container=wait-for-flour', /^no flour yet\n/);
      await at.sees('get pod bakery', /^bakery +0\/1 +Init:0\/2 +0 /m);
      await at.kubectl('create service clusterip flour --tcp=80');
      await at.waits('Ready', 'pod/bakery');
      await at.sees('logs bakery --container=oven', /^baking dough of bakery\n$/);
    },
  },
  {
    file: 'pods/sidecar',
    shows: async (at) => {
      await at.sees('get pod ship', /^ship +0\/2 +Completed +0 /m);
      await at.sees('logs ship --container=radio', /^passed Oslo\npassed Riga\n/);
      await at.sees("get pod ship -o jsonpath='{.status.initContainerStatuses[0].state.terminated.exitCode}'", /^0$/);
    },
  },
  {
    file: 'pods/probes',
    shows: async (at) => {
      await at.waits('Ready', 'pod/sleepy');
      await at.sees('get pod sleepy', /^sleepy +1\/1 +Running +0 /m);
      await at.sees('get pod fainting', /^fainting +\d\/1 +\S+ +[1-9]/m);
      await at.seesByKubectl('describe pod fainting', /Liveness probe failed/);
      await at.waits('Ready', 'pod/shop');
      const ready = "get endpointslices -l kubernetes.io/service-name=shop -o jsonpath='{.items[*].endpoints[*].conditions.ready}'";
      await at.sees(ready, /^true$/);
      await at.kubectl('exec shop -- rm /www/open');
      await at.sees('get pod shop', /^shop +0\/1 +Running +0 /m);
      await at.sees(ready, /^false$/);
      await at.kubectl('exec shop -- touch /www/open');
      await at.sees(ready, /^true$/);
    },
  },
  {
    file: 'pods/lifecycle-hooks',
    shows: async (at) => {
      await at.waits('Ready', 'pod/theatre');
      assert.equal(await at.logDuring('theatre', () => at.kubectl('delete pod theatre')), 'the curtain rises\nthe curtain falls\n');
    },
  },
  {
    file: 'pods/configuration',
    shows: async (at) => {
      await at.waits('Ready', 'pod/kitchen');
      await at.sees('logs kitchen', /^soup of the day: potato\nwith 2 of lovage\ndessert: none\nthe file says potato, open from=11:00\nthe secret says lovage, mode 400\n$/);
      await at.kubectl(`patch configmap menu --type=merge --patch='{"data":{"soup":"leek"}}'`);
      await at.sees('exec kitchen -- cat /menu/soup', /^leek$/);
      await at.sees("exec kitchen -- sh -c 'echo $SOUP'", /^potato\n$/);
    },
  },
  {
    file: 'pods/downward-api',
    shows: async (at) => {
      await at.waits('Ready', 'pod/mirror');
      await at.sees('logs mirror', new RegExp(`^pod mirror in ${at.namespace} on ${at.nodes[0]!} at 10\\.\\S+ as default\ncpu limit 500, memory request 8 MiB\nframe of oak\n[^]*maker="a carpenter"\n`));
      await at.kubectl('label pod mirror mood=good');
      await at.sees('exec mirror -- cat /about/labels', /^frame="oak"\nmood="good"\n?$/);
    },
  },
  {
    file: 'pods/projected-volume',
    shows: async (at) => {
      await at.waits('Ready', 'pod/courier');
      await at.sees('exec courier -- cat /bag/stops /bag/private/stamp /bag/name', /^north gate, mill, harbourthree lionscourier$/);
      await at.sees('exec courier -- stat -L -c %a /bag/private/stamp', /^400$/m);
      await at.sees('exec courier -- cat /bag/pass/token', (token) => {
        const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { readonly aud: readonly string[]; readonly sub: string; readonly iat: number; readonly exp: number };
        assert.deepEqual([claims.aud, claims.sub, claims.exp - claims.iat], [['harbour-office'], `system:serviceaccount:${at.namespace}:courier`, 3600]);
      });
    },
  },
  {
    file: 'pods/security-context',
    shows: (at) => at.sees('logs visitor', (text) => {
      for (const line of ['user 1000, group 3000, groups 3000 2000', 'touch: /etc/graffiti: Read-only file system', 'the note is of group 2000', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1']) {
        assert.ok(text.includes(`${line}\n`), `${line}: ${text}`);
      }
    }),
  },
  {
    file: 'pods/resources',
    shows: async (at) => {
      await at.sees('get pods', /^giant +0\/1 +Pending +0 [^]*^glutton +0\/1 +OOMKilled +0 /m);
      await at.seesByKubectl('describe pod giant', /FailedScheduling[^]*0\/1 nodes are available: 1 Insufficient cpu/);
      assert.match(await at.barge('explain-scheduling giant'), /cpu/);
    },
  },
  { file: 'pods/shared-volume', shows: (at) => at.sees('logs duet --container=listener', /^by volume: la la la\nby network: Hello from duet\nby process: httpd is there\n$/) },
  {
    file: 'pods/last-words',
    shows: async (at) => {
      await at.sees('get pod poet', /^poet +0\/1 +Error +0 /m);
      await at.sees("get pod poet -o jsonpath='{.status.containerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.message}'", /^3 no ink left\n$/);
    },
  },
  { file: 'pods/names', shows: (at) => at.sees('logs postman', /^bicycle\n192\.0\.2\.7\s+old-mill\s+mill\.village\.example\nnameserver 192\.0\.2\.53\nsearch village\.example\noptions ndots:2\n$/) },
];

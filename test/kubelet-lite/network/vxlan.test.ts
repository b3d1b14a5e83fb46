import test from 'ava';
import type { RunCommand } from '../../../base/commands.ts';
import { silentLog } from '../../../base/log.ts';
import { KnownPeers } from '../../../kubelet-lite/network/known-peers.ts';
import { VxlanOverlay } from '../../../kubelet-lite/network/vxlan.ts';

test('the network counts as undisturbed while the routes are as the last apply left them, and no program is started to see that', async (t) => {
  let routes = 'eth0 a';
  let readable = true;
  const started: string[] = [];
  const run: RunCommand = async (command) => {
    started.push(command);
    return { code: command === 'nft' ? 1 : 0, stdout: '', stderr: '' };
  };
  const overlay = new KnownPeers(new VxlanOverlay({
    bridge: { prepare: async () => ({ gatewayIp: '10.244.0.1' }), remove: async () => undefined }, podInterface: 'barge0', run, log: silentLog, direct: true,
    routes: async () => {
      if (!readable) throw new Error('no such file');
      return routes;
    },
  }));
  await overlay.prepare({ nodeName: 'n1', nodeIp: '192.0.2.1', podCidr: '10.244.0.0/24', clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' });
  t.false(await overlay.isUndisturbed(), 'nothing was applied');
  await overlay.apply([]);
  started.length = 0;
  t.true(await overlay.isUndisturbed());
  routes = 'eth0 b';
  t.false(await overlay.isUndisturbed());
  t.deepEqual(started, []);
  await overlay.apply([]);
  t.true(await overlay.isUndisturbed());
  readable = false;
  t.false(await overlay.isUndisturbed(), 'nobody can say');
});

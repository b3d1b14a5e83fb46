import assert from 'node:assert/strict';
import { within } from '../../helpers/e2e.ts';
import type { Example } from '../../helpers/example.ts';
import { getOnce } from '../../helpers/load.ts';

/** How many different answers there are among so many lines. */
const differ = (answers: number, requests: number) => (text: string): void => {
  const all = text.trim().split('\n');
  assert.deepEqual([all.length, new Set(all).size], [requests, answers], text);
};

const addresses = (text: string): readonly string[] => (text.match(/10\.244\.\d+\.\d+/g) ?? []).filter((address) => !address.endsWith('.0.1')).sort();

/** examples/services: names and addresses of pods. */
export const services: readonly Example[] = [
  {
    file: 'services/cluster-ip',
    shows: async (at) => {
      await at.rollsOut('deployment/bakers');
      await at.waits('Ready', 'pod/caller');
      await at.sees("exec caller -- sh -c 'for i in 1 2 3 4; do wget -q -O - http://bakers/cgi-bin/index.cgi; done'", differ(2, 4));
      await at.sees('exec caller -- wget -q -O - http://bakers:81/cgi-bin/index.cgi', /^Hello from bakers-/);
      await at.sees('get endpointslices -l kubernetes.io/service-name=bakers', /^bakers-\S+ +IPv4 +8080,8080 +10\.244\.\d+\.\d+,10\.244\.\d+\.\d+ /m);
    },
  },
  {
    file: 'services/headless',
    shows: async (at) => {
      await at.waits('Ready', 'pod/anna pod/boris');
      const pods = addresses(await at.kubectl("get pods -o jsonpath='{.items[*].status.podIP}'"));
      assert.equal(pods.length, 2);
      await at.sees(`exec anna -- nslookup choir.${at.namespace}.svc.cluster.local`, (text) => assert.deepEqual(addresses(text), pods, text));
      await at.sees('exec anna -- wget -q -O - http://boris.choir:8080/cgi-bin/index.cgi', /^Hello from boris\n$/);
      await at.sees('get service choir', /^choir +ClusterIP +None +<none> +8080\/TCP /m);
    },
  },
  {
    file: 'services/node-port',
    shows: async (at) => {
      await at.waits('Ready', 'pod/gate');
      const port = await at.kubectl("get service gate -o jsonpath='{.spec.ports[0].nodePort}'");
      await within(60, async () => assert.equal(await getOnce(`http://127.0.0.1:${port}/cgi-bin/index.cgi`), 'Enter from gate'));
      await at.sees('get service gate', new RegExp(`^gate +NodePort +10\\.\\S+ +<none> +80:${port}/TCP `, 'm'));
    },
  },
  {
    file: 'services/external-name',
    namespace: 'default',
    shows: async (at) => {
      await at.waits('Ready', 'pod/granary');
      await at.sees('exec granary -- nslookup storehouse.default.svc.cluster.local', /canonical name = granary\.default\.svc\.cluster\.local/);
      await at.sees('get service storehouse', /^storehouse +ExternalName +<none> +granary\.default\.svc\.cluster\.local +<none> /m);
    },
  },
  {
    file: 'services/session-affinity',
    shows: async (at) => {
      await at.rollsOut('deployment/barber');
      await at.waits('Ready', 'pod/guest');
      await at.sees("exec guest -- sh -c 'for i in 1 2 3 4 5 6; do wget -q -O - http://barber/cgi-bin/index.cgi; done'", differ(1, 6));
    },
  },
  {
    file: 'services/without-selector',
    shows: async (at) => {
      await at.sees('get endpointslices -l kubernetes.io/service-name=lighthouse', /^lighthouse-1 +IPv4 +9376 +192\.0\.2\.10,192\.0\.2\.11 /m);
      await at.sees('get service lighthouse', /^lighthouse +ClusterIP +10\.\S+ +<none> +80\/TCP /m);
    },
  },
];

import type { Example } from '../../helpers/example.ts';

/** examples/stored: what is kept and shown, and what others may go by. */
export const stored: readonly Example[] = [
  {
    file: 'stored/ingress',
    shows: async (at) => {
      await at.sees('get ingress town', /^town +example-gate +town\.example +80, 443 /m);
      await at.seesByKubectl('describe ingress town', /town-certificate terminates town\.example[^]*\/market +market:http[^]*\/ +hall:80/);
      await at.sees('get ingressclass example-gate', /^example-gate +example\.com\/gate +<none> /m);
    },
  },
  { file: 'stored/storage-class', shows: (at) => at.sees('get storageclasses', /^example-by-hand +kubernetes\.io\/no-provisioner +Retain +WaitForFirstConsumer +false [^]*^local-path \(default\) /m) },
];

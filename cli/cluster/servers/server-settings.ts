import type { Given } from '../../config.ts';

/** Where a further server listens if nothing else is said: it is there for others. */
export const usualListen = '0.0.0.0:6443';

/** What a machine keeps of its own settings: those it was started with, and what they would be else. */
export const ownSettings = ({ 'data-dir': _folder, ...given }: Given, { listen, nodeName, nodeIp }: { readonly listen: string; readonly nodeName: string; readonly nodeIp: string }): Given =>
  ({ listen, 'node-ip': nodeIp, ...given, 'node-name': nodeName });

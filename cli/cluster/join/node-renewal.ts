import { sleep, type Clock } from '../../../base/clock.ts';
import type { Component } from '../../../base/component.ts';
import type { LivePair } from '../../../base/live-pair.ts';
import { keepRenewed, type RenewalOptions } from '../../../base/renewal.ts';
import type { Client } from '../../../client/client.ts';
import { isReason } from '../../../schemas/errors.ts';
import { Node } from '../../../schemas/kinds/core/node.ts';
import { nodeUser } from '../part-users.ts';
import type { MembershipFiles } from './membership.ts';
import { requestCertificate } from './request-certificate.ts';

export interface NodeRenewalOptions extends Pick<RenewalOptions, 'clock' | 'random' | 'log' | 'trust'> {
  /** Acts as the node. */
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** By which the node is known to the API server. */
  readonly identity: LivePair;
  /** Of the agent's own server. */
  readonly serving: LivePair;
  readonly files: Pick<MembershipFiles, 'keepClient' | 'keepServing'>;
}

const lookAgainMs = 1_000;

/** Resolves when the Node says the address: a serving certificate is given for no other. */
const nodeSays = async ({ client, nodeName, nodeIp }: NodeRenewalOptions, clock: Clock, signal: AbortSignal): Promise<void> => {
  for (;;) {
    signal.throwIfAborted();
    const node = await client.of(Node).find({ name: nodeName }).catch((error: unknown) => {
      if (isReason(error, 'ServiceUnavailable')) return undefined;
      throw error;
    });
    if (node?.status?.addresses?.some(({ address }) => address === nodeIp) === true) return;
    await sleep(clock, lookAgainMs, signal);
  }
};

/** Renews the two certificates of a node while it runs, as the node itself; asks at once for a serving certificate that is missing. */
export const createNodeRenewal = (options: NodeRenewalOptions): Component => {
  const { client, clock, random, log, trust, nodeName, nodeIp, identity, serving, files } = options;
  const subject = { commonName: `${nodeUser.prefix}${nodeName}`, organizations: [nodeUser.group] };
  const renewClient = async (signal: AbortSignal) => {
    const pair = await requestCertificate({ client, clock, signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages: ['digital signature', 'client auth'], wanted: subject }, signal);
    await files.keepClient(pair);
    return pair;
  };
  const renewServing = async (signal: AbortSignal) => {
    await nodeSays(options, clock, signal);
    const pair = await requestCertificate({
      client, clock, signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'], wanted: { ...subject, dnsNames: [nodeName], ipAddresses: [nodeIp] },
    }, signal);
    await files.keepServing(pair);
    return pair;
  };
  return {
    name: 'certificate-renewal', after: [],
    run: async (signal, ready) => {
      ready();
      const common = { clock, random, log, trust };
      await Promise.all([
        keepRenewed({ ...common, name: 'client', pair: identity, renew: renewClient }, signal),
        keepRenewed({ ...common, name: 'serving', pair: serving, renew: renewServing }, signal),
      ]);
    },
  };
};

import { readFileSync } from 'node:fs';

/** Name servers of this machine, for names that are not the cluster's. Those on loopback too: DNS runs on the host. */
export const upstreamServers = (read: () => string = () => readFileSync('/etc/resolv.conf', 'utf8')): readonly string[] => {
  let text: string;
  try {
    text = read();
  } catch {
    return [];
  }
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
};

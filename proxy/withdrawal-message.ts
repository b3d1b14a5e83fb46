/** What nodes ask each other when a pod ends, as datagrams. Pure. What comes in is not trusted. */

/** Has the pod's address gone from your service table, as it stands after this write? */
export interface WithdrawalQuestion {
  /** Chance that only the one who was asked can repeat: 16 hexadecimal digits. */
  readonly id: string;
  readonly podIp: string;
  readonly revision: number;
}

export interface WithdrawalAnswer {
  readonly id: string;
  readonly gone: boolean;
}

/** UDP, at the pods' gateway of each node; next to VXLAN's. */
export const withdrawalPort = 8_473;

/** Longer datagrams are none of ours. */
const longestBytes = 80;

export const questionText = ({ id, podIp, revision }: WithdrawalQuestion): string => `barge1 gone? ${id} ${podIp} ${revision}`;
export const answerText = ({ id, gone }: WithdrawalAnswer): string => `barge1 ${gone ? 'gone' : 'here'} ${id}`;

/** Undefined for anything else. */
export const readQuestion = (datagram: Buffer): WithdrawalQuestion | undefined => {
  const [, id, podIp, revision] = /^barge1 gone\? ([0-9a-f]{16}) (\d{1,3}(?:\.\d{1,3}){3}) (\d{1,15})$/.exec(short(datagram)) ?? [];
  return id === undefined || podIp === undefined ? undefined : { id, podIp, revision: Number(revision) };
};

export const readAnswer = (datagram: Buffer): WithdrawalAnswer | undefined => {
  const [, word, id] = /^barge1 (gone|here) ([0-9a-f]{16})$/.exec(short(datagram)) ?? [];
  return id === undefined ? undefined : { id, gone: word === 'gone' };
};

const short = (datagram: Buffer): string => (datagram.length > longestBytes ? '' : datagram.toString('latin1'));

/** Watchers that cost little: plain TLS sockets that look for the revision in each line and parse nothing else. */
import type { Socket } from 'node:net';
import { openSocket, requestBytes, type LoadTarget } from './raw-load.ts';

const revisionMark = Buffer.from('"resourceVersion":"');
const quote = '"'.charCodeAt(0);

export interface Watchers {
  /** Events that came to any of them. */
  readonly received: () => number;
  close(): void;
}

/** Opens watches of a path; resolves when each has its headers. `onEvent` hears the revision of every event, at its receipt. */
export const openWatchers = async (target: LoadTarget, count: number, path: string, onEvent: (revision: number) => void): Promise<Watchers> => {
  let received = 0;
  const sockets: Socket[] = [];
  const request = requestBytes('GET', path);
  const open = async (): Promise<void> => {
    const socket = await openSocket(target);
    sockets.push(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let begun = false;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server ended a watch')));
    socket.on('data', (part: Buffer) => {
      if (!begun) {
        begun = true;
        resolve();
      }
      // An event that is cut in two by the end of a part is short enough here to keep its head in one of them.
      for (let at = part.indexOf(revisionMark); at >= 0; at = part.indexOf(revisionMark, at)) {
        at += revisionMark.length;
        received++;
        onEvent(Number(part.toString('latin1', at, part.indexOf(quote, at))));
      }
    });
    socket.write(request);
    await promise;
  };
  for (let opened = 0; opened < count; opened += 50) await Promise.all(Array.from({ length: Math.min(50, count - opened) }, open));
  return {
    received: () => received,
    close: () => {
      for (const socket of sockets) socket.removeAllListeners('close').on('error', () => undefined).destroy();
    },
  };
};

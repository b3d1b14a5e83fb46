/**
 * The program that test/apiserver/storage/sqlite.test.ts kills. It writes to the store in its first argument as fast as
 * it can and prints `ack <key> <n> <revision>` for what was acknowledged, `refused <key> <n>` for what a check refused.
 */
import { silentLog } from '../../../base/log.ts';
import { SqliteStorage } from '../../../apiserver/storage/sqlite.ts';
import { CheckFailed } from '../../../apiserver/storage/storage.ts';

const [, , file = '', firstNumber = '1'] = process.argv;
const storage = await SqliteStorage.open({ file, log: silentLog, walBytes: 64 * 1024 });
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
say('open');

const writer = async (key: string): Promise<never> => {
  for (let n = Number(firstNumber); ; n++) {
    const value = JSON.stringify({ n, filler: 'x'.repeat(n % 700) });
    // Both keys of a pair are written together or not at all.
    const revision = await storage.commit({ checks: [], writes: [{ key, value }, { key: `${key}-twin`, value }] });
    say(`ack ${key} ${n} ${revision}`);
    try {
      await storage.commit({ checks: [{ key, revision: revision - 1 }], writes: [{ key: `${key}-never`, value }] });
      say(`wrong ${key} ${n}`);
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error;
    }
  }
};
await Promise.all(Array.from({ length: 8 }, (_, index) => writer(`k${index}`)));

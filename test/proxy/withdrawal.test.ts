import test from 'ava';
import { assert, property, string, uint8Array } from 'fast-check';
import { systemClock } from '../../base/clock.ts';
import { ClusterWithdrawal, withdrawalTimes, type AskWithdrawal } from '../../proxy/cluster-withdrawal.ts';
import { answerText, questionText, readAnswer, readQuestion } from '../../proxy/withdrawal-message.ts';
import { lingerMs, WithdrawalBoard } from '../../proxy/withdrawal-board.ts';
import { answerWithinMs, WithdrawalSocket } from '../../proxy/withdrawal-socket.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';

const ip = '10.244.0.7';
const never = new AbortController().signal;
const at = (revision: number) => ({ reached: revision, newest: revision });

/** Whether a promise has settled, after everything that is ready had its turn. */
const isDone = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => (done = true));
  await settle();
  return done;
};

test('a table says that an address is gone when it is made of the write, without the address, and some time has passed', async (t) => {
  const clock = new FakeClock();
  const board = new WithdrawalBoard(clock);
  t.false(board.isGone(ip, 0), 'nothing is known yet');
  board.applying(new Set([ip]));
  board.applied(new Set([ip]), at(5));
  t.false(board.isGone(ip, 5), 'it is there');
  t.false(board.isGone('10.244.0.8', 6), 'it may come with what is not seen yet');
  t.true(board.isGone('10.244.0.8', 5));
  board.applying(new Set());
  t.false(board.isGone(ip, 5), 'the old table still stands');
  board.applied(new Set(), at(6));
  t.false(board.isGone(ip, 6), 'a connection may be in its first request');
  await clock.advance(lingerMs);
  t.true(board.isGone(ip, 6));
  t.false(board.isGone(ip, 7));
  t.is(board.revision, 6);
});

interface Peers { readonly asked: string[]; readonly answers: Map<string, boolean | undefined> }

const cluster = (clock: FakeClock, peers: readonly string[]): Peers & { readonly list: string[]; readonly withdrawal: ClusterWithdrawal } => {
  const asked: string[] = [];
  const answers = new Map<string, boolean | undefined>();
  const list = [...peers];
  const ask: AskWithdrawal = async (peer, { podIp, revision }, signal) => {
    asked.push(`${peer} ${podIp} ${revision}`);
    if (answers.get(peer) === undefined) await new Promise<void>((resolve) => {
      const cancel = clock.after(answerWithinMs, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      }, { once: true });
    });
    return answers.get(peer);
  };
  const local = new WithdrawalBoard(clock);
  local.applied(new Set(), { reached: 12, newest: 9 });
  return { asked, answers, list, withdrawal: new ClusterWithdrawal({ local, peers: () => list, ask, clock }) };
};

test('a pod is withdrawn when all nodes have said so', async (t) => {
  const clock = new FakeClock();
  const { asked, answers, withdrawal } = cluster(clock, ['b', 'c']);
  answers.set('b', true);
  answers.set('c', false);
  const withdrawn = withdrawal.withdrawn(ip, never);
  t.false(await isDone(withdrawn));
  await clock.advance(withdrawalTimes.againMs * 10);
  t.false(await isDone(withdrawn));
  answers.set('c', true);
  await clock.advance(withdrawalTimes.againMs);
  t.true(await isDone(withdrawn));
  t.is(asked.filter((one) => one === `b ${ip} 9`).length, 1, 'who has said yes is not asked again');
  t.true(asked.every((one) => one.endsWith(' 9')), 'the newest write that others hear of, not what this node has read');
});

test('a node alone asks nobody', async (t) => {
  const { asked, withdrawal } = cluster(new FakeClock(), []);
  await withdrawal.withdrawn(ip, never);
  t.deepEqual(asked, []);
});

test('a node that is silent to the end of a wait holds up no second one, until it answers', async (t) => {
  const clock = new FakeClock();
  const { answers, list, withdrawal } = cluster(clock, ['b']);
  const wait = (longestMs: number): { readonly ms: () => Promise<number> } => {
    const stop = new AbortController();
    const from = clock.now();
    const cancel = clock.after(longestMs, () => stop.abort());
    let took = -1;
    void withdrawal.withdrawn(ip, stop.signal).then(() => {
      cancel();
      took = clock.now() - from;
    });
    return { ms: async () => {
      await settle();
      return took;
    } };
  };
  const first = wait(5_000);
  await clock.advance(5_000);
  t.is(await first.ms(), 5_000);
  const second = wait(5_000);
  await clock.advance(5_000);
  t.is(await second.ms(), answerWithinMs * withdrawalTimes.triesOfSilent);

  const third = wait(5_000);
  answers.set('b', false);
  await clock.advance(3_000);
  t.is(await third.ms(), -1, 'it is there again, and still sends to the pod');
  answers.set('b', true);
  await clock.advance(withdrawalTimes.againMs);
  t.is(await third.ms(), 3_000 + withdrawalTimes.againMs);

  answers.delete('b');
  const short = wait(100);
  await clock.advance(100);
  t.is(await short.ms(), 100);
  const fourth = wait(5_000);
  await clock.advance(5_000);
  t.is(await fourth.ms(), 5_000, 'a wait that was cut short made nobody silent');
  list.length = 0;
  t.is(await wait(5_000).ms(), 0, 'a node that has gone is not asked');
});

test('nodes ask and answer over sockets', async (t) => {
  const clock = new FakeClock();
  const board = new WithdrawalBoard(clock);
  board.applied(new Set([ip]), at(5));
  const [asking, answering] = [new WithdrawalSocket({ state: board, clock: systemClock }), new WithdrawalSocket({ state: board, clock: systemClock })];
  t.teardown(() => {
    asking.close();
    answering.close();
  });
  await asking.listen({ host: '127.0.0.1', port: 0 });
  const { port } = await answering.listen({ host: '127.0.0.1', port: 0 });
  const answer = (podIp: string, revision: number): Promise<boolean> => eventually(async () => {
    const gone = await asking.ask(`127.0.0.1:${port}`, { podIp, revision }, never);
    if (gone === undefined) throw new Error('no answer');
    return gone;
  });
  t.false(await answer(ip, 5));
  t.true(await answer('10.244.0.8', 5));
  t.false(await answer('10.244.0.8', 6));
  answering.close();
  t.is(await asking.ask(`127.0.0.1:${port}`, { podIp: ip, revision: 5 }, never), undefined);
  t.is(await asking.ask(`127.0.0.1:${port}`, { podIp: ip, revision: 5 }, AbortSignal.abort()), undefined);
});

test('messages are read as they were written, and nothing else is', (t) => {
  const question = { id: '0123456789abcdef', podIp: ip, revision: 42 };
  t.deepEqual(readQuestion(Buffer.from(questionText(question))), question);
  for (const gone of [true, false]) t.deepEqual(readAnswer(Buffer.from(answerText({ id: question.id, gone }))), { id: question.id, gone });
  t.is(readAnswer(Buffer.from(questionText(question))), undefined);
  t.is(readQuestion(Buffer.from(answerText({ id: question.id, gone: true }))), undefined);
  t.is(readQuestion(Buffer.from(`${questionText(question)} `)), undefined);
  assert(property(uint8Array({ maxLength: 2_000 }), (bytes) => readQuestion(Buffer.from(bytes)) === undefined && readAnswer(Buffer.from(bytes)) === undefined));
  assert(property(string(), (text) => readQuestion(Buffer.from(`barge1 gone? ${text}`)) === undefined));
});

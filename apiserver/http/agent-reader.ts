import type { Clock } from '../../base/clock.ts';
import type { AgentReader } from '../metrics/node-summaries.ts';
import { errorFromAgent, type NodeClient } from './node-client.ts';

/** Longest answer that is read; a container takes about 400 bytes in a summary. */
const maxBytes = 4 * 2 ** 20;
const answerMs = 4_000;

/** Reads what agents answer to a GET, within a size and a time. */
export const createAgentReader = (nodes: NodeClient, clock: Clock): AgentReader => (target) => new Promise((resolve, reject) => {
  const request = nodes.request(target, 'GET', { Accept: '*/*' });
  const cancel = clock.after(answerMs, () => request.destroy(new Error(`no answer from ${target.host}:${target.port} within ${answerMs / 1_000} s`)));
  request.once('close', cancel);
  request.once('error', reject);
  request.once('response', (answer) => {
    if (answer.statusCode !== 200) {
      errorFromAgent(answer).then(reject, reject);
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    answer.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) request.destroy(new Error(`the answer is longer than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    answer.once('error', reject);
    answer.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  request.end();
});

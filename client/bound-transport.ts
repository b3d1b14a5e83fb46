import type { ApiAnswer, ApiRequest, Transport } from '../schemas/api.ts';

/** A transport whose requests are given up when the signal aborts, unless a request brings a signal of its own. */
export const boundTransport = (transport: Transport, signal: AbortSignal): Transport => ({
  send: (request, own) => transport.send(request, own ?? signal),
  watch: (request, own) => transport.watch(request, own),
});

/** A transport that tells of every write that was done, before its answer reaches the caller. */
export const observedTransport = (transport: Transport, written: (request: ApiRequest, answer: ApiAnswer) => void): Transport => ({
  send: async (request, signal) => {
    const answer = await transport.send(request, signal);
    if (request.verb !== 'get' && request.verb !== 'list' && request.options?.dryRun !== true) written(request, answer);
    return answer;
  },
  watch: (request, signal) => transport.watch(request, signal),
});

import { historyLimit, transportSuite } from '../suites/transport.ts';
import { testApi } from '../helpers/api.ts';

transportSuite('in process', async () => {
  const { transport, clock, close } = await testApi({ historyLimit });
  return { transport, advance: (ms) => clock.advance(ms), close };
});

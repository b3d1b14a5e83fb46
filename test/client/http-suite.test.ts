import { historyLimit, transportSuite } from '../suites/transport.ts';
import { createHttpTransport, type HttpTransportOptions } from '../../client/http-transport.ts';
import { httpsApi } from '../helpers/https-api.ts';

const open = async (watchBy: NonNullable<HttpTransportOptions['watchBy']>) => {
  const api = await httpsApi({ historyLimit });
  const { ca, admin } = api.certificates;
  const transport = createHttpTransport({ server: `https://127.0.0.1:${api.port}`, ca: ca.cert, cert: admin.cert, key: admin.key, watchBy });
  return { transport, advance: (ms: number) => api.clock.advance(ms), close: async () => {
    transport.close();
    await api.close();
  } };
};

transportSuite('over HTTPS', () => open('http'));

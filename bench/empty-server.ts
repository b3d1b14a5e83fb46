/** An HTTPS server that does nothing: what Node itself takes for a request. Its argument is the folder of a cluster's certificates. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const [cert, key, ca] = ['apiserver.crt', 'apiserver.key', 'ca.crt'].map((name) => readFileSync(join(process.argv[2] ?? '', name)));
const body = Buffer.alloc(2_000, 'x');
const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], noDelay: true }, (request, response) => {
  request.on('data', () => undefined).on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

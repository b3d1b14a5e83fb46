/** Koa alone, without TLS: it reads a body and answers. The aims of bench/api-server.ts were set on a machine where this took 22,000 POSTs a second. */
import type { AddressInfo } from 'node:net';
import Koa from 'koa';

const body = Buffer.alloc(2_000, 'x');
const app = new Koa({ env: 'production' });
app.use(async (ctx) => {
  for await (const _ of ctx.req);
  ctx.type = 'application/json';
  ctx.body = body;
});
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

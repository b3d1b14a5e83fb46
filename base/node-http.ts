/**
 * node:http, got without an import: that would read every member of it, and one of them (WebSocket) loads undici, a whole second
 * HTTP client, which took 3 to 6 MB of each process and 15 ms of each command. Its types may be imported.
 */
export const http = process.getBuiltinModule('node:http');

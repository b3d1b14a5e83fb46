// End to end: a real Docker Engine, real kubectl, root. One file after the other, for they share an engine.
export default {
  extensions: ['ts'],
  files: ['test/e2e/**/*.test.ts'],
  concurrency: 1,
  timeout: '15m',
  serial: true,
};

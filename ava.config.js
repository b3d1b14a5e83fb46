// Unit tests, suites and scenarios: they run anywhere, in under a minute.
export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/e2e/**'],
  timeout: '60s',
};

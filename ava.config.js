// Unit tests, suites and scenarios: they run anywhere.
export default {
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/e2e/**'],
  timeout: '60s',
};

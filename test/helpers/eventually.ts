/** Tries the assertion until it passes, and throws its last error when the time (real milliseconds) is over. */
export const eventually = async <T>(assertion: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> => {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
};

/** What went wrong when an expression was evaluated: a missing key, a division by zero, a value of the wrong type. `&&`, `||` and the macros may swallow it. */
export class CelError extends Error {
  override readonly name = 'CelError';

  constructor(message: string) {
    // It is an outcome like others and may be met a thousand times in one evaluation: a stack would be dear and tell nothing.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}

/** An expression has used up what it may cost. No operator swallows it. */
export class CelBudgetExceeded extends Error {
  override readonly name = 'CelBudgetExceeded';

  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

/** One thing that is wrong with the text of an expression. */
export interface CelIssue {
  readonly message: string;
  /** Offset into the expression, in UTF-16 units. */
  readonly at: number;
}

/** The text is no expression, or one that cannot work: a syntax error, an unknown name, types that do not fit. */
export class CelCompileError extends Error {
  override readonly name = 'CelCompileError';
  readonly issues: readonly CelIssue[];

  constructor(expression: string, issues: readonly CelIssue[]) {
    super(issues.map((issue) => shown(expression, issue)).join('\n'));
    this.issues = issues;
  }
}

/** The issue with its line of the expression and a mark below the place, as Kubernetes shows it. */
const shown = (expression: string, { message, at }: CelIssue): string => {
  const before = expression.slice(0, at).split('\n');
  const column = before.at(-1)!.length;
  const text = expression.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${text}\n | ${'.'.repeat(column)}^`;
};

/** What ava says as TAP, test by test. */

export interface Verdict {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly title: string;
  /** What is told of a failure. */
  readonly detail: readonly string[];
}

/** A test that is still to be written is `not ok`. */
const verdictLine = /^(not )?ok \d+ - (.*?)( # SKIP)?$/i;

/** Gives each verdict once all that is told of it is there, so that runs side by side do not mix their lines. */
export class TapReader {
  readonly #tell: (verdict: Verdict) => void;
  #open: { readonly outcome: Verdict['outcome']; readonly title: string; readonly detail: string[] } | undefined;

  constructor(tell: (verdict: Verdict) => void) {
    this.#tell = tell;
  }

  read(line: string): void {
    const verdict = verdictLine.exec(line);
    if (verdict !== null) {
      this.end();
      const [, not, title = '', skipped] = verdict;
      this.#open = { outcome: not !== undefined ? 'failed' : skipped === undefined ? 'passed' : 'skipped', title, detail: [] };
    } else if (line.startsWith('Bail out')) {
      this.end();
      this.#open = { outcome: 'failed', title: line, detail: [] };
    } else if (this.#open?.outcome === 'failed') this.#open.detail.push(line);
  }

  /** There is no further line. */
  end(): void {
    const verdict = this.#open;
    this.#open = undefined;
    if (verdict !== undefined) this.#tell(verdict);
  }
}

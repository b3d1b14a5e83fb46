/** How commands tell what became of each object: kubectl's lines, or the objects themselves with -o. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ApiObject } from '../schemas/kind.ts';
import { CommandError, type World } from './command.ts';
import { customCells } from './custom-columns.ts';
import { shownName, type Resource } from './discovery.ts';
import { failureLine } from './errors.ts';
import { formatObject, parseOutput, printable, type OutputFormat } from './output.ts';
import { ColumnLayout } from './print-table.ts';

export interface ReportOptions {
  readonly output: string | undefined;
  readonly managedFields?: boolean;
  /** Behind each line: ` (dry run)`. */
  readonly suffix?: string;
}

/** Prints outcomes as they come and collects what -o prints at the end. */
export class Report {
  readonly #world: World;
  readonly #format: OutputFormat;
  readonly #options: ReportOptions;
  readonly #objects: ApiObject[] = [];
  #failures = 0;

  private constructor(world: World, format: OutputFormat, options: ReportOptions) {
    this.#world = world;
    this.#format = format;
    this.#options = options;
  }

  static async open(world: World, options: ReportOptions): Promise<Report> {
    const format = await parseOutput(options.output, (file) => readFile(resolve(world.cwd, file), 'utf8'));
    if (format.type === 'table' && format.wide) throw new CommandError('this command prints one line for each object: -o wide has nothing to show here');
    return new Report(world, format, options);
  }

  /** `deployment.apps/web scaled`. */
  done(resource: Resource, object: ApiObject, verb: string): void {
    const name = shownName(resource, object.metadata.name ?? '');
    if (this.#format.type === 'table') this.#world.stdout.write(`${name} ${verb}${this.#options.suffix ?? ''}\n`);
    else if (this.#format.type === 'name') this.#world.stdout.write(`${name}\n`);
    else this.#objects.push(object);
  }

  /** One object that could not be changed; the others go on. */
  failed(error: unknown): void {
    this.#failures++;
    this.#world.stderr.write(`${failureLine(error)}\n`);
  }

  /** Prints what -o asked for and gives the exit code. */
  end(): number {
    const format = this.#format;
    if (this.#objects.length > 0 && format.type === 'custom-columns') {
      this.#world.stdout.write(new ColumnLayout().lines([format.columns.map(({ header }) => header), ...this.#objects.map((object) => customCells(format.columns, object))]));
    } else if (this.#objects.length > 0 && format.type !== 'table' && format.type !== 'name' && format.type !== 'custom-columns') {
      this.#world.stdout.write(formatObject(format, printable(this.#objects, { single: this.#objects.length === 1, managedFields: this.#options.managedFields ?? false })));
    }
    return this.#failures === 0 ? 0 : 1;
  }
}

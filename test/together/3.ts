import { basename } from 'node:path';
import { groupOf } from '../run/groups.ts';
import { together } from '../run/together.ts';

await together(await groupOf(basename(import.meta.filename)));

import test from 'ava';
import * as fc from 'fast-check';
import { ListBytes, pieceBytes } from '../../../apiserver/http/list-bytes.ts';
import type { ApiList } from '../../../schemas/api.ts';

/** The pieces of a list, each copied before the next is made in its place. */
const piecesOf = (bytes: ListBytes): Buffer[] => Array.from(bytes.pieces(), (piece) => Buffer.from(piece));

const listOf = (texts: readonly string[]): ApiList => ({
  kind: 'ThingList', apiVersion: 'v1', metadata: { resourceVersion: '7' },
  items: texts.map((text, index) => ({ kind: 'Thing', apiVersion: 'v1', metadata: { name: `t${index}`, annotations: { text } } })),
});

test('the pieces are the JSON of the list, and as long as was said', (t) => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 6 }), (texts) => {
    const list = listOf(texts);
    const bytes = new ListBytes(list);
    const whole = Buffer.concat(piecesOf(bytes));
    t.is(whole.length, bytes.length);
    t.deepEqual(bytes.whole(), whole);
    t.is(whole.toString(), `${JSON.stringify(list)}\n`);
  }), { numRuns: 300 });
});

test('a long list comes in pieces of bounded size', (t) => {
  const list = listOf(Array.from({ length: 400 }, (_, index) => 'x\u00e9\u{1f600}'.repeat(300 + index)));
  const bytes = new ListBytes(list);
  const pieces = piecesOf(bytes);
  t.true(pieces.length > 2);
  t.true(pieces.every((piece) => piece.length < pieceBytes + 8_192));
  t.is(Buffer.concat(pieces, bytes.length).toString(), `${JSON.stringify(list)}\n`);
});

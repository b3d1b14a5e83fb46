import test from 'ava';
import { planRotation } from '../../../../cli/cluster/authority/plan.ts';

test('what was asked for of an authority is done once, and never for another', (t) => {
  const alone = { signer: 'a', outgoing: undefined, renewed: true };
  const both = { signer: 'b', outgoing: 'a', renewed: true };
  for (const [state, request, step] of [
    [alone, {}, undefined], [alone, { replace: 'a' }, 'begin'], [alone, { replace: 'x' }, undefined], [alone, { drop: 'a' }, undefined],
    [both, {}, undefined], [both, { replace: 'a' }, undefined], [both, { replace: 'b' }, undefined], [both, { drop: 'a' }, 'finish'], [both, { drop: 'b' }, undefined],
    [{ ...both, renewed: false }, { drop: 'a' }, 'wait'], [{ ...alone, signer: 'b' }, { replace: 'a' }, undefined], [{ ...alone, signer: 'b' }, { drop: 'a' }, undefined],
  ] as const) t.is(planRotation(state, request), step, JSON.stringify([state, request]));
});

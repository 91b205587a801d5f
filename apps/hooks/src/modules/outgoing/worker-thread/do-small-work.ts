import { createBudget, TooMuchWorkError } from '@cds/interpolate';
import { type CallLogOrder, maskedLogOf } from '../call-log';
import { fillIn, type FillInOrder } from '../fill-in';
import { fillPayload, type FillPayloadOrder } from '../fill-payload';
import { TooMuchToMaskError } from '../mask-secrets';
import type { OrderOf, ResultOf, WorkName } from './heavy-work';

/** Work within these bounds takes milliseconds, less than the start of a thread. */
const SMALL_WORK = { characters: 65_536, steps: 1_000 };
const SMALL_TEXT = 65_536;
const SMALL_SECRETS = 4_096;
const SMALL_LOOKS = 200_000;

const SMALL: { [Name in WorkName]: (order: OrderOf<Name>) => ResultOf<Name> | undefined } = {
  fillIn(order: FillInOrder) {
    if (JSON.stringify(order.webhook).length > SMALL_TEXT) return undefined;
    return fillIn(order, createBudget(SMALL_WORK));
  },
  fillPayload(order: FillPayloadOrder) {
    if (order.template.length > SMALL_TEXT) return undefined;
    return fillPayload(order, createBudget(SMALL_WORK));
  },
  callLogOf(order: CallLogOrder) {
    const { call, secrets } = order;
    const texts = 'error' in call ? [call.error] : [call.request, call.response].flatMap(textsOf);
    const isSmall =
      lengthOf(texts) <= SMALL_TEXT && lengthOf(secrets.map(({ value }) => value)) <= SMALL_SECRETS;
    return isSmall ? maskedLogOf(order, SMALL_LOOKS) : undefined;
  },
};

/** @returns undefined where the work is not small. @throws InterpolateError */
export function doSmallWork<Name extends WorkName>(
  name: Name,
  order: OrderOf<Name>,
): ResultOf<Name> | undefined {
  try {
    return SMALL[name](order);
  } catch (error) {
    if (error instanceof TooMuchWorkError || error instanceof TooMuchToMaskError) return undefined;
    throw error;
  }
}

const textsOf = ({ head, body }: { head: string; body: string }): string[] => [head, body];

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}

import { CdsError, isCdsErrorBody } from './cds-error';
import { isTooComplex } from './json-weight';

describe('CdsError', () => {
  it('has the body and the sentence of CDS', () => {
    const error = new CdsError('wrongRequest', { from: 'invalid given sort key' });

    expect(error.status).toBe(400);
    expect(error.toBody()).toEqual({
      id: 74,
      message: 'wrong request (from: invalid given sort key)',
      data: null,
      uuid: error.uuid,
    });
  });

  it('has a new uuid each time', () => {
    expect(new CdsError('notFound').uuid).not.toBe(new CdsError('notFound').uuid);
  });
});

describe('what others say', () => {
  it('is told in 2,000 characters at most', () => {
    const { message } = new CdsError('wrongRequest', { from: 'x'.repeat(1_000_000) });
    expect(message).toBe(`wrong request (from: ${'x'.repeat(2_000)})`);
  });
});

describe('isTooComplex', () => {
  it('counts at least as many values as a text holds', () => {
    const text = (value: unknown) => Buffer.from(JSON.stringify(value));
    expect(isTooComplex(text(Array(100).fill({})), 100)).toBe(true);
    expect(isTooComplex(text(Array(100).fill(0)), 100)).toBe(false);
    expect(isTooComplex(text({ a: { b: [1, 2] } }), 5)).toBe(true);
    expect(isTooComplex(text('x'.repeat(1_000)), 0)).toBe(false);
    expect(isTooComplex(Buffer.alloc(0), 0)).toBe(false);
  });
});

describe('isCdsErrorBody', () => {
  it('tells the refusal of the API from the page of a proxy', () => {
    expect(isCdsErrorBody(new CdsError('internal').toBody())).toBe(true);
    expect(isCdsErrorBody('<html>502 Bad Gateway</html>')).toBe(false);
    expect(isCdsErrorBody({ error: 'nope' })).toBe(false);
    expect(isCdsErrorBody(null)).toBe(false);
  });
});

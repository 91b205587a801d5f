import { CdsError, isCdsErrorBody } from './cds-error';

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

  it('has the body of CDS 0.44 and later, too', () => {
    const error = new CdsError('grantRefused', { from: 'the token has expired' });
    expect(error.toBodyWithFrom('the-request')).toEqual({
      id: 44,
      message: expect.stringMatching(/link the project again$/),
      uuid: error.uuid,
      request_id: 'the-request',
      from: 'the token has expired',
    });
    expect(new CdsError('notFound').toBodyWithFrom('r')).not.toHaveProperty('from');
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

describe('isCdsErrorBody', () => {
  it('tells the refusal of the API from the page of a proxy', () => {
    expect(isCdsErrorBody(new CdsError('internal').toBody())).toBe(true);
    expect(isCdsErrorBody(new CdsError('internal').toBodyWithFrom('r'))).toBe(true);
    expect(isCdsErrorBody({ id: 11, message: 'forbidden', request_id: 'r' })).toBe(true);
    expect(isCdsErrorBody('<html>502 Bad Gateway</html>')).toBe(false);
    expect(isCdsErrorBody({ error: 'nope' })).toBe(false);
    expect(isCdsErrorBody(null)).toBe(false);
  });
});

import { parseUrl } from './parse-url';

describe('parseUrl', () => {
  it.each([
    ['https://cds.bücher.example/é', 'https://cds.xn--bcher-kva.example/%C3%A9'],
    ['nowhere', undefined],
  ])('says the same of %s however often it is asked', (text, href) => {
    const said = new Set(Array.from({ length: 50_000 }, () => parseUrl(text)?.href));
    expect([...said]).toEqual([href]);
  });

  it('goes from a base', () => {
    expect(parseUrl('../b', 'https://acme.com/a/')?.href).toBe('https://acme.com/b');
    expect(parseUrl('../b')).toBeUndefined();
  });
});

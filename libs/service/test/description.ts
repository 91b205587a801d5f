import * as z from 'zod';

/** For routes of specs that serve no document. */
export const DESCRIPTION = { summary: 'A thing', answer: z.unknown() };

import type { Request } from 'express';
import * as z from 'zod';
import { ApiRefusal } from './api-refusal';

/** The body that `express.raw` read. @throws ApiRefusal 400, id 74, unless another kind is given */
export function jsonOf(
  request: Request,
  kind: 'wrongRequest' | 'forbidden' = 'wrongRequest',
): unknown {
  const body: unknown = request.body;
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch (error) {
    throw new ApiRefusal(kind, (error as Error).message);
  }
}

/** The same, as Go's decoder takes it. @throws ApiRefusal 400, id 74 */
export function checkedJsonOf<T>(request: Request, schema: z.ZodType<T>): T {
  const checked = schema.safeParse(jsonOf(request));
  if (!checked.success) throw new ApiRefusal('wrongRequest', z.prettifyError(checked.error));
  return checked.data;
}

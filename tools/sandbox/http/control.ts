import express, { Router, type Request, type Response } from 'express';
import { z } from 'zod';

/** One thing that a person or a test can make a stand-in do or tell. */
export interface ControlAction {
  help: string;
  input: z.ZodType;
  run(input: unknown): unknown;
}

/** Defines an action whose input is checked against `input` first. */
export function action<Input>(
  help: string,
  input: z.ZodType<Input>,
  run: (input: Input) => unknown,
): ControlAction {
  return { help, input, run: (value) => run(input.parse(value)) };
}

/** The input of an action that takes none. */
export const nothing = z.strictObject({});

/**
 * The control surface over HTTP, for people with curl: `GET /` lists the actions, `GET /NAME` asks what needs
 * no input, `POST /NAME` with a JSON body does the rest. Bad input is a 400 that says what is wrong.
 */
export function createControlRouter(actions: Record<string, ControlAction>): Router {
  const router = Router();
  router.use(express.json({ type: () => true, limit: '1mb' }));
  router.get('/', (_request, response) => {
    response.json(
      Object.fromEntries(
        Object.entries(actions).map(([name, { help, input }]) => [
          name,
          { help, input: z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) },
        ]),
      ),
    );
  });
  router.all('/:action', async (request: Request<{ action: string }>, response: Response) => {
    const asked = actions[request.params.action];
    if (!asked) {
      response
        .status(404)
        .json({ error: `No such action. There are: ${Object.keys(actions).join(', ')}` });
      return;
    }
    try {
      const body: unknown = request.body ?? {};
      response.json((await asked.run(body)) ?? { done: true });
    } catch (error) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      response.status(400).json({ error: message });
    }
  });
  return router;
}

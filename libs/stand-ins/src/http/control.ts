import express, { Router, type Request, type Response } from 'express';
import * as z from 'zod';
import { browsersByLocalName, refuseOtherOrigins } from './same-origin';

/** One thing that a person or a test can make a stand-in do or tell. */
export interface ControlAction {
  help: string;
  input: z.ZodType;
  /** It tells something and changes nothing. */
  tells: boolean;
  run(input: unknown): unknown;
}

/** Something that was done. */
export interface DoneAction {
  at: string;
  name: string;
  input: Record<string, unknown>;
}

/** All actions of a stand-in. */
export interface Controls {
  actions: Record<string, ControlAction>;
  /** @throws z.ZodError for bad input, and what the action throws */
  run(action: ControlAction, name: string, body: unknown): Promise<unknown>;
  /** Told of everything that is about to be done, whoever asks for it. */
  onAction(listener: (action: DoneAction) => void): void;
}

/** Defines an action whose input is checked against `input` first. */
export function action<Input>(
  help: string,
  input: z.ZodType<Input>,
  run: (input: Input) => unknown,
): ControlAction {
  return { help, input, tells: false, run: (value) => run(value as Input) };
}

/** Defines an action that only tells something. */
export function telling<Input>(
  help: string,
  input: z.ZodType<Input>,
  run: (input: Input) => unknown,
): ControlAction {
  return { ...action(help, input, run), tells: true };
}

/** The input of an action that takes none. */
export const nothing = z.strictObject({});

/** Gathers the actions of a stand-in. */
export function createControls(actions: Record<string, ControlAction>): Controls {
  const listeners: ((action: DoneAction) => void)[] = [];
  return {
    actions,
    onAction: (listener) => void listeners.push(listener),
    async run({ input, tells, run }, name, body) {
      const checked = input.parse(body);
      if (!tells) {
        const done = { at: new Date().toISOString(), name, input: checked as DoneAction['input'] };
        for (const listener of listeners) listener(done);
      }
      return (await run(checked)) ?? { done: true };
    },
  };
}

/**
 * The control surface over HTTP, for people with curl: `GET /` lists the actions, `GET /NAME` asks
 * what needs no input, `POST /NAME` with a JSON object does the rest. Bad input is a 400 that says
 * what is wrong. Of actions of the same name the first one counts.
 */
export function createControlRouter(...all: Controls[]): Router {
  const find = (name: string): Controls | undefined =>
    all.find(({ actions }) => Object.hasOwn(actions, name));
  const names = [...new Set(all.flatMap(({ actions }) => Object.keys(actions)))];
  const router = Router();
  router.use(browsersByLocalName, refuseOtherOrigins);
  router.use(express.json({ type: () => true, limit: '1mb' }));
  router.get('/', (_request, response) => {
    response.json(
      Object.fromEntries(names.map((name) => [name, described(find(name)?.actions[name])])),
    );
  });
  router.all('/:action', async (request: Request<{ action: string }>, response: Response) => {
    const { action: name } = request.params;
    const controls = find(name);
    const asked = controls?.actions[name];
    if (!controls || !asked) {
      response.status(404).json({ error: `No such action. There are: ${names.join(', ')}` });
      return;
    }
    try {
      response.json(await controls.run(asked, name, request.body ?? {}));
    } catch (error) {
      response.status(400).json({ error: sentence(error) });
    }
  });
  return router;
}

function described(action: ControlAction | undefined): unknown {
  if (!action) return undefined;
  const { help, input } = action;
  return { help, input: z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) };
}

function sentence(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

import { Router } from 'express';
import * as z from 'zod';
import { ApiRefusal } from '../api-refusal';
import { jsonOf } from '../json-body';
import type { Consumer } from './consumers';
import { answeredService } from './service-body';
import { serviceBodySchema, type ServiceBody, type ServiceEntrance } from './session-access';

/** 0.51 and later: a service signs in as one. There is no registration any more. */
export const signInWithService: ServiceEntrance = (core) => {
  const entrance = Router({ strict: true, caseSensitive: true });
  entrance.post('/auth/consumer/builtin/signin', (request, response) => {
    if (core.inMaintenance()) throw new ApiRefusal('unavailable');
    const body = signInOf(jsonOf(request, 'forbidden'));
    const consumer = core.consumerOf(body.token);
    const { service } = body;
    mustMatch(consumer, service);
    const row = service && core.register(consumer, service);
    core.answerSignIn(response, consumer, {
      service: answeredService(row, service, core.version()),
    });
  });
  return { entrance, inside: Router() };
};

const signInSchema = z.looseObject({ token: z.string(), service: z.unknown() });

function signInOf(body: unknown): { token: string; service?: ServiceBody } {
  const signIn = signInSchema.partial({ service: true }).safeParse(body);
  if (!signIn.success) throw new ApiRefusal('forbidden', 'missing or invalid authentication token');
  if (signIn.data.service === undefined) return { token: signIn.data.token };
  const service = serviceBodySchema.safeParse(signIn.data.service);
  if (!service.success) throw new ApiRefusal('wrongRequest', z.prettifyError(service.error));
  return { token: signIn.data.token, service: service.data };
}

/** @throws ApiRefusal 403 when CDS made the consumer for another service than this */
function mustMatch({ name, service: fixed }: Consumer, service: ServiceBody | undefined): void {
  if (!fixed) return;
  if (!service)
    throw new ApiRefusal(
      'forbidden',
      `signing request doesn't match with consumer "${name}" service definition. missing service payload`,
    );
  for (const what of ['name', 'type'] as const)
    if (service[what] !== fixed[what])
      throw new ApiRefusal(
        'forbidden',
        `service ${what} "${service[what]}" doesn't match with consumer "${fixed[what]}"`,
      );
}

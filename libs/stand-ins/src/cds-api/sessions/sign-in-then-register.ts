import { Router } from 'express';
import * as z from 'zod';
import { answerJson, ApiRefusal } from '../api-refusal';
import { checkedJsonOf, jsonOf } from '../json-body';
import { answeredService } from './service-body';
import { serviceBodySchema, type ServiceEntrance } from './session-access';

/** Go reads the sign-in into a map of strings: anything else in it is an error. */
const signInSchema = z.record(z.string(), z.string());

/** 0.44 to 0.50: a consumer signs in, and registers a service with the JWT. */
export const signInThenRegister: ServiceEntrance = (core) => {
  const entrance = Router({ strict: true, caseSensitive: true });
  entrance.post('/auth/consumer/builtin/signin', (request, response) => {
    if (core.inMaintenance()) throw new ApiRefusal('unavailable');
    const body = signInSchema.safeParse(jsonOf(request, 'forbidden'));
    if (!body.success) throw new ApiRefusal('forbidden');
    const token = body.data['token'];
    if (token === undefined)
      throw new ApiRefusal('forbidden', 'missing or invalid authentication token');
    core.answerSignIn(response, core.consumerOf(token));
  });

  const inside = Router({ strict: true, caseSensitive: true });
  inside.post('/services/register', (request, response) => {
    const consumer = core.consumerCalling(request, 'Service');
    if (core.inMaintenance()) throw new ApiRefusal('unavailable');
    const service = checkedJsonOf(request, serviceBodySchema);
    const row = core.register(consumer, service);
    answerJson(response, 200, answeredService(row, service, core.version()));
  });
  return { entrance, inside };
};

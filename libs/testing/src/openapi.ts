// Apart from the rest, since few specs need it and a JSON Schema validator takes its time to load.
export {
  createAnswerCheck,
  type AnswerCheck,
  type DescribedApi,
  type SeenAnswer,
} from './answer-check';
export { routesOfApp } from './routes-of-app';
export { validateOpenApi } from './validate-openapi';

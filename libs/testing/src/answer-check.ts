import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

interface Operation {
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { required?: boolean; content: Record<string, object> };
  responses: Record<string, { content?: Record<string, object> }>;
}

/** An OpenAPI document as far as answers are compared with it. */
export interface DescribedApi {
  paths: Record<string, Record<string, Operation>>;
}

/** What a service answered. */
export interface SeenAnswer {
  method: string;
  /** With or without a query. */
  path: string;
  status: number;
  contentType: string | null | undefined;
  /** The body. */
  text: string;
}

interface FoundOperation {
  /** `GET /task/{uuid}` */
  name: string;
  pointer: string;
  operation: Operation;
}

export type AnswerCheck = ReturnType<typeof createAnswerCheck>;

/**
 * Holds what a service really takes and answers against its OpenAPI document.
 *
 * @param document as the service serves it
 */
export function createAnswerCheck(document: DescribedApi) {
  // OpenAPI has keywords of its own. What does not count for JSON Schema is not looked at: the
  // document as a whole.
  const ajv = addFormats(new Ajv2020({ strict: false, validateSchema: false, allErrors: true }));
  // No format of JSON Schema. Above 2^53, a whole number is all that JavaScript can tell.
  ajv.addFormat('int64', true);
  ajv.addSchema(document, 'api');
  // What is more literal was meant: /task/bulk, not /task/{uuid}.
  const templates = Object.keys(document.paths)
    .map((template) => ({ template, pattern: patternOf(template) }))
    .toSorted((a, b) => literalLength(b.template) - literalLength(a.template));
  const seen = new Set<string>();

  function find(method: string, path: string): FoundOperation | undefined {
    const bare = path.replace(/[?#].*/s, '');
    const key = method.toLowerCase();
    for (const { template, pattern } of templates) {
      const operation = document.paths[template]?.[key];
      if (!operation || !pattern.test(bare)) continue;
      const pointer = ['paths', template, key].map(escape).join('/');
      return { name: `${method.toUpperCase()} ${template}`, pointer, operation };
    }
    return undefined;
  }

  /** What is wrong with a value; undefined when nothing is. */
  function problemOf(value: unknown, pointer: string): string | undefined {
    const ref = `api#/${pointer}`;
    const validate = ajv.getSchema(ref) ?? ajv.compile({ $ref: ref });
    return validate(value) ? undefined : ajv.errorsText(validate.errors);
  }

  return {
    /** Every answer that the document tells of: `GET /task/{uuid} 200`. */
    documented: (): string[] =>
      Object.entries(document.paths).flatMap(([template, methods]) =>
        Object.entries(methods).flatMap(([method, { responses }]) =>
          Object.keys(responses).map((status) => `${method.toUpperCase()} ${template} ${status}`),
        ),
      ),

    /** Those of them that were seen. */
    seen,

    /** @throws Error for an answer that the document does not tell of, or tells of otherwise */
    answer({ method, path, status, contentType, text }: SeenAnswer): void {
      const found = find(method, path);
      const told = `${method} ${path.slice(0, 200)} answered ${status} ${text.slice(0, 500)}`;
      if (!found) {
        const isRefusal = status === 400 || status === 401 || status === 404 || status === 405;
        if (!isRefusal) throw new Error(`${told}, and the document has no such route`);
        // Has no body, whatever is refused.
        if (method === 'HEAD') return;
        const problem = problemOf(JSON.parse(text), 'components/schemas/CdsError');
        if (problem) throw new Error(`${told}: ${problem}`);
        return;
      }
      const response = found.operation.responses[status];
      if (!response) throw new Error(`${told}: ${found.name} documents no ${status}`);
      seen.add(`${found.name} ${status}`);
      if (!response.content) {
        if (text !== '') throw new Error(`${told}: ${found.name} documents no body`);
        return;
      }
      const [type = ''] = Object.keys(response.content);
      if ((contentType ?? '').split(';')[0] !== type)
        throw new Error(`${told} as ${contentType}: ${found.name} documents ${type}`);
      const value: unknown = type === 'application/json' ? JSON.parse(text) : text;
      const place = `${found.pointer}/responses/${status}/content/${escape(type)}/schema`;
      const problem = problemOf(value, place);
      if (problem) throw new Error(`${told}: ${problem}`);
    },

    /** Why the document does not allow a request; undefined when it does. */
    requestProblem(method: string, path: string, body: unknown): string | undefined {
      const found = find(method, path);
      if (!found) return `there is no ${method} ${path}`;
      const query = new URL(path, 'http://localhost').searchParams;
      for (const [index, { name, in: place, required }] of (
        found.operation.parameters ?? []
      ).entries()) {
        if (place !== 'query') continue;
        const value = query.get(name);
        if (value === null && required) return `${name} is missing`;
        const problem =
          value !== null && problemOf(value, `${found.pointer}/parameters/${index}/schema`);
        if (problem) return `${name}: ${problem}`;
      }
      const { requestBody } = found.operation;
      if (!requestBody?.content['application/json']) return undefined;
      if (body === null || body === undefined)
        return requestBody.required ? 'the body is missing' : undefined;
      return problemOf(body, `${found.pointer}/requestBody/content/application~1json/schema`);
    },
  };
}

/** A tag or a branch in a path may hold slashes. */
function patternOf(template: string): RegExp {
  const parts = template.split(/(\{\w+\})/).map((part) => {
    if (part === '{revision}') return '.+';
    return part.startsWith('{') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

function literalLength(template: string): number {
  return template.replace(/\{\w+\}/g, '').length;
}

/** As in a JSON pointer within a URI. */
function escape(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
}

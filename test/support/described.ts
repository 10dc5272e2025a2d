import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface ResponseObject {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, unknown>;
}

/** As far as it is needed to hold an answer against it. */
export interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, ResponseObject> }>>;
}

export interface SeenAnswer {
  method: string;
  path: string;
  status: number;
  contentType: string | null;
  /** Left out: they are not held against it. */
  headers?: Headers;
  body: unknown;
}

const PROBLEM = 'application/problem+json';
/** What a client acts by: whichever answer has one of them says so. */
const tellingHeaders = ['Location', 'Preference-Applied', 'Retry-After', 'WWW-Authenticate'];

/** Holds answers against an OpenAPI document. */
export class Described {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly checks = new Map<string, ValidateFunction>();

  constructor(private readonly document: OpenApi) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(document, 'openapi');
  }

  /** What of an answer is not as described. An address that is not described answers with a problem. */
  violationsOf({ method, path, status, contentType, headers, body }: SeenAnswer): string[] {
    const type = contentType?.split(';')[0] ?? '';
    const template = this.templateOf(path);
    const operation = template === null ? undefined : this.document.paths[template]?.[method.toLowerCase()];
    const where = `${method} ${path} ${status}`;
    if (template === null || !operation) {
      return type === PROBLEM
        ? this.against('/components/schemas/Problem', body, where)
        : [`${where} is not described`];
    }
    const response = operation.responses[status];
    if (!response?.content?.[type]) return [`${where} ${type} is not described`];
    const pointer = ['paths', template, method.toLowerCase(), 'responses', `${status}`, 'content', type, 'schema'];
    const ofHeaders = headers ? headerViolations(response, headers, where) : [];
    return [...ofHeaders, ...this.against(pointerOf(pointer), body, where)];
  }

  /** What of a request's body is not as described. */
  bodyViolationsOf(method: string, template: string, body: unknown): string[] {
    const pointer = ['paths', template, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'];
    return this.against(pointerOf(pointer), body, `${method} ${template}`);
  }

  private templateOf(path: string): string | null {
    const address = path.split('?')[0]?.replace(/(?<=.)\/$/, '');
    const all = Object.keys(this.document.paths);
    const matching = all.filter((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address ?? ''));
    return matching.find((one) => !one.includes('{')) ?? matching[0] ?? null;
  }

  private against(pointer: string, body: unknown, where: string): string[] {
    const check = this.checks.get(pointer) ?? this.ajv.compile({ $ref: `openapi#${pointer}` });
    this.checks.set(pointer, check);
    if (check(body)) return [];
    return (check.errors ?? []).map(({ instancePath, message, params }) =>
      [where, instancePath, message, JSON.stringify(params)].join(' '),
    );
  }
}

function headerViolations({ headers: described = {} }: ResponseObject, sent: Headers, where: string): string[] {
  return tellingHeaders.flatMap((name) => {
    if (sent.has(name) && !described[name]) return [`${where} has ${name}, which is not described`];
    return !sent.has(name) && described[name]?.required ? [`${where} lacks ${name}`] : [];
  });
}

/** As it stands in a URI's fragment. */
const pointerOf = (path: readonly string[]): string =>
  path.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from '../../transport/upstream.js';
import type { GeminiService } from '../gemini-wire/service.js';
import { vertexEndpoint, type VertexSettings } from './vertex.config.js';
import type { GoogleToken } from './vertex.credential.js';
import { vertexError } from './vertex.error.js';

/** The kind's name in the configuration, and the issuer of the thought signatures of its own models. */
export const VERTEX_KIND = 'vertex';

/** Longest body of a refusal that is read. */
const MAX_ERROR_BYTES = 262_144;

/** One call: a method of a model, and its body. */
export interface VertexCall {
  /** Path below the location, or from `projects/` on, with the method after a colon. */
  readonly path: string;
  readonly body: object;
  readonly context: AttemptContext;
  /** Headers beside those of every call; absent = none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The calls to one project, over our transport with a token of the official library. Failures are GatewayErrors. */
export class VertexClient {
  /** How the models of the cloud itself speak the shared wire. Recorded traffic shows calls and results without ids. */
  readonly service: GeminiService;
  private readonly base: string;
  private readonly location: string;
  private readonly quota: Readonly<Record<string, string>>;

  constructor(
    settings: VertexSettings,
    private readonly token: GoogleToken,
    private readonly transport: Transport,
  ) {
    const { project, location, apiVersion, quotaProject } = settings;
    const endpoint = vertexEndpoint(settings);
    const secrets = [new URL(endpoint).hostname, project];
    this.base = `${endpoint}/${apiVersion}/`;
    this.location = `projects/${project}/locations/${location}/`;
    this.quota = quotaProject === undefined ? {} : { 'x-goog-user-project': quotaProject };
    this.service = { issuer: VERTEX_KIND, hasCallIds: false, hasTierField: false, secrets };
  }

  /** A whole answer with a status of success. */
  async send(call: VertexCall): Promise<WholeResponse> {
    const answer = await this.transport.send(await this.request(call));
    if (!isSuccess(answer.status)) throw vertexError(answer, this.secrets());
    return answer;
  }

  /** An answer whose body is to come, its status a success. */
  async open(call: VertexCall): Promise<OpenResponse> {
    const answer = await this.transport.open(await this.request(call));
    if (isSuccess(answer.status)) return answer;
    const body = await this.transport.collect(answer.source, MAX_ERROR_BYTES);
    throw vertexError({ ...answer, body }, this.secrets());
  }

  private secrets(): readonly string[] {
    const { last } = this.token;
    return last === undefined ? this.service.secrets : [...this.service.secrets, last];
  }

  private async request({ path, body, context, headers = {} }: VertexCall): Promise<UpstreamRequest> {
    const token = await this.token.getFor(context);
    const resource = path.startsWith('projects/') ? path : this.location + path;
    return {
      method: 'POST',
      url: this.base + resource.split('/').map(encoded).join('/'),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...this.quota, ...headers },
      body: JSON.stringify(body),
      context,
    };
  }
}

/** A step of a path; `@`, `:` and a query stay, as the API writes them. */
function encoded(step: string): string {
  return encodeURIComponent(step).replaceAll('%40', '@').replaceAll('%3A', ':').replaceAll('%3Falt%3Dsse', '?alt=sse');
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

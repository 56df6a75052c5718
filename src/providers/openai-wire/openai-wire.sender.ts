import type { ByteSource } from '../../contract/byte-source.js';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from '../../transport/upstream.js';
import type { WireClient, WirePath } from './openai-wire.endpoint.js';
import { errorOfResponse, statusOfError } from './openai-wire.error.js';

/** Longest error body that is read, in bytes. */
const MAX_ERROR_BYTES = 262_144;

/** How a body begins that is an error whatever its status: a filtered prompt was seen to be answered with 200. */
const ERROR_START = Buffer.from('{"error":');

const BRACE = 0x7b;

/** What is sent where. */
export interface WireCall {
  readonly path: WirePath;
  /** The name by which the provider knows the model. */
  readonly model: string;
  /** JSON. */
  readonly body: string;
  readonly context: AttemptContext;
}

/** Sends a body where the kind's client says, over our transport; anything but success is a GatewayError. */
export class OpenAISender {
  constructor(
    private readonly client: WireClient,
    private readonly transport: Transport,
    /** Texts that must not reach callers inside a provider's error message. */
    private readonly secrets: readonly string[],
  ) {}

  /** A whole answer with a status of success. */
  async send(request: WireCall): Promise<WholeResponse> {
    const response = await this.transport.send(await this.address(request));
    if (!isSuccess(response.status)) throw errorOfResponse(response, this.secrets);
    if (!isError(response.body)) return response;
    throw errorOfResponse({ ...response, status: statusOfError(response.body) }, this.secrets);
  }

  /** A stream of events, its status a success. */
  async open(request: WireCall): Promise<OpenResponse> {
    const response = await this.transport.open(await this.address(request));
    const { status, headers, source } = response;
    if (!isSuccess(status)) {
      throw errorOfResponse({ status, headers, body: await this.errorBody(source) }, this.secrets);
    }
    if (String(headers['content-type']).startsWith('text/event-stream')) return response;
    if (String(headers['content-type']).startsWith('application/json')) {
      const body = await this.errorBody(source);
      if (isError(body)) throw errorOfResponse({ status: statusOfError(body), headers, body }, this.secrets);
    }
    source.destroy();
    throw new GatewayError('provider_bad_response', { cause: `content-type ${String(headers['content-type'])}` });
  }

  /** An error body that is too long says nothing: the status still does. */
  private async errorBody(source: ByteSource): Promise<Buffer> {
    try {
      return await this.transport.collect(source, MAX_ERROR_BYTES);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'provider_bad_response') return Buffer.alloc(0);
      throw error;
    }
  }

  private async address(request: WireCall): Promise<UpstreamRequest> {
    const { path, model, body, context } = request;
    const { url, headers } = await this.client.endpoint(path, model, context);
    return { method: 'POST', url, headers, body, context };
  }
}

/** Some servers keep a waiting connection alive with blanks before the body. */
function isError(body: Buffer): boolean {
  const start = body[0] === BRACE ? 0 : body.indexOf(BRACE);
  return start >= 0 && body.subarray(start, start + ERROR_START.length).equals(ERROR_START);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

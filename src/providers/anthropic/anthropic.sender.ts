import type { ByteSource } from '../../contract/byte-source.js';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from '../../transport/upstream.js';
import { badResponse, errorOfResponse } from '../anthropic-wire/error.js';
import type { AnthropicClient, AnthropicPath } from './anthropic.client.js';

/** Longest error body that is read, in bytes. */
const MAX_ERROR_BYTES = 262_144;

/** What is sent where. */
export interface AnthropicRequest {
  readonly path: AnthropicPath;
  /** JSON. */
  readonly body: string;
  readonly context: AttemptContext;
}

/** Sends a body where the SDK's client says, over our transport; anything but success is a GatewayError. */
export class AnthropicSender {
  constructor(
    private readonly client: AnthropicClient,
    private readonly transport: Transport,
  ) {}

  /** Texts that must not reach callers. */
  get secrets(): readonly string[] {
    return this.client.secrets;
  }

  /** A whole answer with a status of success. */
  async send(request: AnthropicRequest): Promise<WholeResponse> {
    const response = await this.transport.send(await this.address(request));
    if (!isSuccess(response.status)) throw errorOfResponse(response, this.secrets);
    return response;
  }

  /** A stream of events, its status a success. */
  async open(request: AnthropicRequest): Promise<OpenResponse> {
    const response = await this.transport.open(await this.address(request));
    const { status, headers, source } = response;
    if (!isSuccess(status)) {
      throw errorOfResponse({ status, headers, body: await this.errorBody(source) }, this.secrets);
    }
    if (String(headers['content-type']).startsWith('text/event-stream')) return response;
    source.destroy();
    throw badResponse(`content-type ${String(headers['content-type'])}`);
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

  private async address({ path, body, context }: AnthropicRequest): Promise<UpstreamRequest> {
    const { url, headers } = await this.client.endpoint(path);
    return { method: 'POST', url, headers, body, context };
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

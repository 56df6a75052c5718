import type { ByteSource } from '../../contract/byte-source.js';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from '../../transport/upstream.js';
import type { AzureOpenAIClient, AzurePath } from './azure-openai.client.js';
import { errorOfResponse, statusOfError } from './azure-openai.error.js';

/** Longest error body that is read, in bytes. */
const MAX_ERROR_BYTES = 262_144;

/** How a body begins that is an error whatever its status: a filtered prompt was seen to be answered with 200. */
const ERROR_START = Buffer.from('{"error":');

/** What is sent where. */
export interface AzureRequest {
  readonly path: AzurePath;
  /** The deployment's name. */
  readonly model: string;
  /** JSON. */
  readonly body: string;
  readonly context: AttemptContext;
}

/** Sends a body where the SDK's client says, over our transport; anything but success is a GatewayError. */
export class AzureOpenAISender {
  constructor(
    private readonly client: AzureOpenAIClient,
    private readonly transport: Transport,
    /** Texts that must not reach callers inside a provider's error message. */
    private readonly secrets: readonly string[],
  ) {}

  /** A whole answer with a status of success. */
  async send(request: AzureRequest): Promise<WholeResponse> {
    const response = await this.transport.send(await this.address(request));
    if (!isSuccess(response.status)) throw errorOfResponse(response, this.secrets);
    if (!response.body.subarray(0, ERROR_START.length).equals(ERROR_START)) return response;
    throw errorOfResponse({ ...response, status: statusOfError(response.body) }, this.secrets);
  }

  /** A stream of events, its status a success. */
  async open(request: AzureRequest): Promise<OpenResponse> {
    const response = await this.transport.open(await this.address(request));
    const { status, headers, source } = response;
    if (!isSuccess(status)) {
      throw errorOfResponse({ status, headers, body: await this.errorBody(source) }, this.secrets);
    }
    if (String(headers['content-type']).startsWith('text/event-stream')) return response;
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

  private async address(request: AzureRequest): Promise<UpstreamRequest> {
    const { path, model, body, context } = request;
    const { url, headers } = await this.client.endpoint(path, model, context);
    return { method: 'POST', url, headers, body, context };
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

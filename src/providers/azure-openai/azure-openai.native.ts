import type { Dialect } from '../../contract/dialect.js';
import { GatewayError } from '../../contract/errors.js';
import { tokenCount } from '../../contract/usage.js';
import type { NativeAbility, NativeCall, NativeResponse } from '../../contract/provider.js';
import type { OpenResponse, UpstreamHeaders } from '../../transport/upstream.js';
import type { AzurePath } from './azure-openai.client.js';
import type { AzureOpenAISender } from './azure-openai.sender.js';
import { AzureOpenAITap } from './azure-openai.tap.js';
import { usageOfBody } from './azure-openai.usage.js';

const PATHS = { 'openai-chat': '/chat/completions', 'openai-embeddings': '/embeddings' } as const satisfies Record<
  Dialect,
  AzurePath
>;

/** Response headers that tell a caller something and us nothing away. */
const PASSED = ['content-type', 'openai-processing-ms', 'x-ms-region', 'apim-request-id'] as const;

/** Forwards bodies of OpenAI's dialects: the answer's bytes are not touched. */
export class AzureOpenAINative implements NativeAbility {
  readonly dialects: ReadonlySet<Dialect> = new Set(Object.keys(PATHS) as Dialect[]);

  constructor(private readonly sender: AzureOpenAISender) {}

  async send(call: NativeCall): Promise<NativeResponse> {
    const { model, context } = call;
    const path = PATHS[call.dialect];
    // v1 finds the deployment by the body's model, classic by the path.
    const body = call.body['model'] === model ? call.body : { ...call.body, model };
    const request = { path, model, context, body: JSON.stringify(body) };
    if (call.stream) return this.stream(await this.sender.open(request), call);
    const response = await this.sender.send(request);
    const usage = readUsageOrThrow(response.body);
    const headers = passedHeaders(response.headers);
    return { type: 'whole', body: response.body, headers, ...(usage === undefined ? {} : { usage }) };
  }

  private stream(response: OpenResponse, call: NativeCall): NativeResponse {
    const tap = new AzureOpenAITap(tokenCount(call.body['n']) ?? 1);
    return { type: 'stream', source: response.source, headers: passedHeaders(response.headers), tap };
  }
}

function readUsageOrThrow(body: Buffer): ReturnType<typeof usageOfBody> {
  try {
    return usageOfBody(body);
  } catch (error) {
    throw new GatewayError('provider_bad_response', { cause: error });
  }
}

function passedHeaders(headers: UpstreamHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

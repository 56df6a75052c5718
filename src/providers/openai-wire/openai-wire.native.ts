import type { Dialect } from '../../contract/dialect.js';
import { GatewayError } from '../../contract/errors.js';
import { tokenCount } from '../../contract/usage.js';
import type { NativeAbility, NativeCall, NativeResponse } from '../../contract/provider.js';
import type { OpenResponse, UpstreamHeaders } from '../../transport/upstream.js';
import type { ByteSource } from '../../contract/byte-source.js';
import type { Transport } from '../../transport/transport.js';
import type { WirePath } from './openai-wire.endpoint.js';
import type { WireFlavour } from './openai-wire.flavour.js';
import type { OpenAISender } from './openai-wire.sender.js';
import { OpenAITap } from './openai-wire.tap.js';
import { usageOfBody } from './openai-wire.usage.js';

const PATHS = { 'openai-chat': '/chat/completions', 'openai-embeddings': '/embeddings' } as const satisfies Record<
  Dialect,
  WirePath
>;

/** Forwards bodies of OpenAI's dialects: the answer's bytes are not touched unless the flavour declares a mender. */
export class OpenAINative implements NativeAbility {
  readonly dialects: ReadonlySet<Dialect>;

  constructor(
    private readonly sender: OpenAISender,
    private readonly transport: Transport,
    private readonly flavour: WireFlavour,
  ) {
    // Clients ask for base64 unless told otherwise: where the server cannot, vectors go through the contract.
    const canForwardVectors = flavour.vectors === 'base64';
    this.dialects = new Set<Dialect>(canForwardVectors ? ['openai-chat', 'openai-embeddings'] : ['openai-chat']);
  }

  async send(call: NativeCall): Promise<NativeResponse> {
    const { model, context } = call;
    const path = PATHS[call.dialect];
    const request = { path, model, context, body: JSON.stringify(this.body(call)) };
    if (call.stream) return this.stream(await this.sender.open(request), call);
    const response = await this.sender.send(request);
    const usage = readUsageOrThrow(response.body);
    const { mend } = this.flavour;
    const answer = mend === undefined || path !== '/chat/completions' ? response.body : mend.whole(response.body);
    const headers = this.passed(response.headers);
    return { type: 'whole', body: answer, headers, ...(usage === undefined ? {} : { usage }) };
  }

  private body(call: NativeCall): NativeCall['body'] {
    const { model, warn = ignore } = call;
    const body = call.body['model'] === model ? call.body : { ...call.body, model };
    const { adaptChat } = this.flavour;
    return adaptChat === undefined || call.dialect !== 'openai-chat' ? body : adaptChat(body, warn);
  }

  private stream(response: OpenResponse, call: NativeCall): NativeResponse {
    const tap = new OpenAITap(tokenCount(call.body['n']) ?? 1);
    return { type: 'stream', source: this.mended(response.source), headers: this.passed(response.headers), tap };
  }

  private mended(source: ByteSource): ByteSource {
    const { mend } = this.flavour;
    return mend === undefined ? source : mend.stream(source, this.transport.createSplitter());
  }

  private passed(headers: UpstreamHeaders): Record<string, string> {
    const passed: Record<string, string> = {};
    for (const name of this.flavour.passedHeaders) {
      const value = headers[name];
      if (typeof value === 'string') passed[name] = value;
    }
    return passed;
  }
}

function readUsageOrThrow(body: Buffer): ReturnType<typeof usageOfBody> {
  try {
    return usageOfBody(body);
  } catch (error) {
    throw new GatewayError('provider_bad_response', { cause: error });
  }
}

function ignore(): void {}

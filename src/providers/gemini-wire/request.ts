import type { ChatRequest, ImagePart, ResponseFormat } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { withInstructedFormat } from './instructed-format.js';
import { reportInexpressible, topK } from './losses.js';
import { toGeminiContents } from './messages.js';
import { geminiModel, type GeminiModel } from './model.js';
import { toGeminiSchema } from './schema.js';
import type { GeminiService } from './service.js';
import { toThinking } from './thinking.js';
import { toGeminiTools } from './tools.js';
import type { GeminiGenerationConfig, GeminiRequest } from './wire.js';

type Warn = (warning: LossWarning) => void;

/**
 * A canonical chat request as the body of generateContent and streamGenerateContent. Throws `invalid_value` for what
 * no request of this API can hold; everything else that is lost goes to `warn`.
 */
export function toGeminiRequest(
  asked: ChatRequest,
  { model: name, service, warn }: { readonly model: string; readonly service: GeminiService; readonly warn: Warn },
): GeminiRequest {
  const model = geminiModel(name);
  const request = withInstructedFormat(asked, model, warn);
  const body: GeminiRequest = {
    ...toGeminiContents(request.messages, { model, service, warn }),
    ...toGeminiTools(request, model, warn),
  };
  const generationConfig = toGenerationConfig(request, model, warn);
  if (Object.keys(generationConfig).length > 0) body.generationConfig = generationConfig;
  const tier = toServiceTier(request, service, warn);
  if (tier !== undefined) body.serviceTier = tier;
  reportInexpressible(request, warn);
  return body;
}

function toGenerationConfig(request: ChatRequest, model: GeminiModel, warn: Warn): GeminiGenerationConfig {
  const { logprobs, responseFormat, stop } = request;
  const config: GeminiGenerationConfig = {
    candidateCount: request.choices,
    maxOutputTokens: request.maxOutputTokens,
    temperature: request.temperature,
    topP: request.topP,
    topK: topK(request),
    seed: request.seed,
    presencePenalty: request.presencePenalty,
    frequencyPenalty: request.frequencyPenalty,
    mediaResolution: toMediaResolution(request, warn),
  };
  for (const key of Object.keys(config) as (keyof GeminiGenerationConfig)[]) {
    if (config[key] === undefined) delete config[key];
  }
  if (stop !== undefined && stop.length > 0) config.stopSequences = [...stop];
  if (logprobs !== undefined) {
    config.responseLogprobs = true;
    if (logprobs.top > 0) config.logprobs = logprobs.top;
  }
  if (responseFormat !== undefined) Object.assign(config, toResponseFormat(responseFormat, model, warn));
  const thinking = toThinking(request, model, warn);
  if (thinking !== undefined) config.thinkingConfig = thinking;
  return config;
}

function toResponseFormat(format: ResponseFormat, model: GeminiModel, warn: Warn): GeminiGenerationConfig {
  if (format.type === 'text') return { responseMimeType: 'text/plain' };
  if (format.type === 'json-object') return { responseMimeType: 'application/json' };
  const responseMimeType = 'application/json';
  if (model.generation >= 2 && !model.isGemma) return { responseMimeType, responseJsonSchema: format.schema };
  const dropped = new Set<string>();
  const field = 'responseFormat.schema';
  const responseSchema = toGeminiSchema(format.schema, {
    param: 'response_format.json_schema.schema',
    ordered: true,
    onDropped: (keyword) => dropped.add(keyword),
  });
  if (dropped.size > 0) {
    warn({ field, kind: 'approximated', detail: `schema keywords dropped: ${[...dropped].join(', ')}` });
  }
  return responseSchema === undefined ? { responseMimeType } : { responseMimeType, responseSchema };
}

const RESOLUTIONS = { low: 'MEDIA_RESOLUTION_LOW', high: 'MEDIA_RESOLUTION_HIGH' } as const;

const TIERS: Readonly<Record<string, string | undefined>> = { flex: 'flex', priority: 'priority' };

/** The tier as the body names it. What a service takes elsewhere it reads from the request itself. */
function toServiceTier(request: ChatRequest, service: GeminiService, warn: Warn): string | undefined {
  const { serviceTier: asked = 'auto' } = request;
  if (asked === 'auto' || asked === 'default') return undefined;
  const tier = TIERS[asked];
  if (tier === undefined) warn({ field: 'serviceTier', kind: 'dropped', detail: 'the provider has no such tier' });
  return service.hasTierField ? tier : undefined;
}

/** The API takes one resolution for all media of a request; the highest asked for wins. */
function toMediaResolution(request: ChatRequest, warn: Warn): string | undefined {
  const images = request.messages.flatMap((message) =>
    message.role === 'user' ? message.content.filter((part): part is ImagePart => part.type === 'image') : [],
  );
  const asked = new Set(images.map((image) => image.detail ?? 'auto'));
  if (asked.size > 1) {
    warn({ field: 'messages', kind: 'approximated', detail: 'one detail for all images: the highest asked for' });
  }
  if (asked.has('high')) return RESOLUTIONS.high;
  return asked.has('low') && asked.size === 1 ? RESOLUTIONS.low : undefined;
}

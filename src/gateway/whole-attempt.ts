import { GatewayError } from '../contract/errors.js';
import type { Deployment } from '../contract/plan.js';
import type { AttemptContext } from '../contract/provider.js';
import type { MeasuredUsage } from '../contract/usage.js';
import type { PresentOptions } from './dialects/dialect.js';
import type { Dispatch } from './dispatch.js';

/** A whole answer in the caller's dialect. */
export interface WholeAnswer {
  readonly body: Buffer | string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent = the provider told none. */
  readonly usage?: MeasuredUsage;
}

const answer = (
  body: Buffer | string,
  headers: Readonly<Record<string, string>>,
  usage?: MeasuredUsage,
): WholeAnswer => (usage === undefined ? { body, headers } : { body, headers, usage });

/** How an answer is labelled where the provider gives no value. */
export function presentOptions({ live, request }: Dispatch): PresentOptions {
  return {
    requestId: live.requestId,
    model: request.envelope.model,
    nowSeconds: Math.floor(live.record.startedAtMs / 1000),
  };
}

/** One attempt at a call that is not streamed: native where the deployment speaks the dialect, else translated. */
export async function wholeAttempt(
  dispatch: Dispatch,
  deployment: Deployment,
  outer: AttemptContext,
): Promise<WholeAnswer> {
  const context = dispatch.enter(deployment, outer);
  const { dialect, body } = dispatch.request;
  const { provider, upstreamModel: model } = deployment;
  const { warn } = dispatch;
  if (provider.native?.dialects.has(dialect.name)) {
    const native = dialect.toNative(body, model, warn);
    const response = await provider.native.send({
      dialect: dialect.name,
      model,
      stream: false,
      body: native,
      context,
      warn,
    });
    if (response.type === 'whole') return answer(response.body, response.headers, response.usage);
    response.source.destroy();
    throw new GatewayError('provider_bad_response', { cause: 'a stream where a whole answer was asked for' });
  }
  if (dialect.operation === 'chat' && provider.chat !== undefined) {
    const response = await provider.chat.complete({ request: dialect.toCanonical(body, warn), model, context, warn });
    return answer(dialect.present(response, presentOptions(dispatch)), {}, response.usage);
  }
  if (dialect.operation === 'embeddings' && provider.embeddings !== undefined) {
    const response = await provider.embeddings.embed({ request: dialect.toCanonical(body), model, context, warn });
    return answer(dialect.present(response, body, presentOptions(dispatch)), {}, response.usage);
  }
  throw new GatewayError('not_supported');
}

import { GatewayError } from '../contract/errors.js';
import type { Deployment } from '../contract/plan.js';
import type { AttemptContext } from '../contract/provider.js';
import type { Dispatch } from './dispatch.js';
import { NativeRelay } from './relay/native-relay.js';
import type { Relay } from './relay/relay.js';
import type { StreamTicker, Ticking } from './relay/stream-ticker.js';
import { TranslatedRelay } from './relay/translated-relay.js';
import { presentOptions } from './whole-attempt.js';

/** Gives up an attempt whose first content does not come in time, wherever it waits. */
class FirstContentWatch implements Ticking {
  hasExpired = false;
  relay: Relay | undefined;
  private readonly dueMs: number;

  constructor(
    private readonly attempt: AbortController,
    timeoutMs: number,
  ) {
    this.dueMs = Date.now() + timeoutMs;
  }

  tick(nowMs: number): void {
    if (this.hasExpired || nowMs < this.dueMs) return;
    this.hasExpired = true;
    this.relay?.abandon(this.error());
    this.attempt.abort();
  }

  error(): GatewayError {
    return new GatewayError('provider_timeout', { message: 'The provider sent no content in time.' });
  }
}

/** The context of a stream whose first content is still awaited. */
interface Opening {
  readonly context: AttemptContext;
  /** From now on silence is counted as silence. */
  readonly contentCame: () => void;
}

/** Until its first content a stream may be silent for as long as that content may take. */
function openingOf(context: AttemptContext, signal: AbortSignal): Opening {
  const { idleMs, firstContentMs } = context.timeouts;
  const timeouts = { ...context.timeouts, idleMs: Math.max(idleMs, firstContentMs) };
  return { context: { ...context, signal, timeouts }, contentCame: () => void (timeouts.idleMs = idleMs) };
}

/** One attempt at a streamed call. Resolves at commit, with the relay that carries on; rejects before it. */
export async function streamAttempt(
  dispatch: Dispatch,
  deployment: Deployment,
  outer: AttemptContext,
  ticker: StreamTicker,
): Promise<Relay> {
  const context = dispatch.enter(deployment, outer);
  const attempt = new AbortController();
  const abort = (): void => attempt.abort();
  context.signal.addEventListener('abort', abort, { once: true });
  const watch = new FirstContentWatch(attempt, context.timeouts.firstContentMs);
  ticker.add(watch);
  try {
    const relay = await openRelay(dispatch, deployment, openingOf(context, attempt.signal));
    watch.relay = relay;
    dispatch.relays(relay);
    relay.start();
    await relay.committed;
    return relay;
  } catch (thrown) {
    throw watch.hasExpired ? watch.error() : thrown;
  } finally {
    ticker.remove(watch);
    context.signal.removeEventListener('abort', abort);
  }
}

async function openRelay(
  dispatch: Dispatch,
  { provider, upstreamModel: model }: Deployment,
  { context, contentCame }: Opening,
): Promise<NativeRelay | TranslatedRelay> {
  const { body } = dispatch.request;
  const dialect = dispatch.chatDialect();
  const includeUsage = dialect.wantsStreamUsage(body);
  const { writer, streamError, warn } = dispatch;
  const commitWith = (headers: Readonly<Record<string, string>>) => (): void => {
    contentCame();
    dispatch.committed(headers);
  };
  if (provider.native?.dialects.has(dialect.name)) {
    const native = dialect.toNative(body, model, warn);
    const response = await provider.native.send({
      dialect: dialect.name,
      model,
      stream: true,
      body: native,
      context,
      warn,
    });
    if (response.type === 'whole')
      throw new GatewayError('provider_bad_response', { cause: 'a whole answer to a stream' });
    const { source, tap, headers } = response;
    const { maxEventBytes } = dispatch.settings;
    const options = { writer, streamError, onCommit: commitWith(headers), source, tap };
    return new NativeRelay({ ...options, maxEventBytes, includeUsage, terminal: dialect.streamTerminal });
  }
  if (provider.chat === undefined) throw new GatewayError('not_supported');
  const stream = await provider.chat.stream({ request: dialect.toCanonical(body, warn), model, context, warn });
  return new TranslatedRelay({
    writer,
    streamError,
    onCommit: commitWith({}),
    stream,
    presenter: dialect.presenter({ ...presentOptions(dispatch), includeUsage }),
  });
}

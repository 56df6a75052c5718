import { GatewayError } from '../contract/errors.js';
import type { Deployment } from '../contract/plan.js';
import type { AttemptContext, ChatAbility, NativeAbility } from '../contract/provider.js';
import type { Dispatch } from './dispatch.js';
import { NativeRelay } from './relay/native-relay.js';
import type { Relay, RelayOptions } from './relay/relay.js';
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

/** Whom a stream is opened at. */
interface Target {
  readonly deployment: Deployment;
  readonly opening: Opening;
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

/** The relay of an attempt whose provider has accepted it: native where the deployment speaks the dialect. */
async function openRelay(
  dispatch: Dispatch,
  deployment: Deployment,
  opening: Opening,
): Promise<NativeRelay | TranslatedRelay> {
  const { native, chat } = deployment.provider;
  if (native?.dialects.has(dispatch.dialect.name)) return openNative(dispatch, { native, deployment, opening });
  if (chat !== undefined) return openTranslated(dispatch, { chat, deployment, opening });
  throw new GatewayError('not_supported');
}

async function openNative(
  dispatch: Dispatch,
  { native, deployment, opening }: Target & { readonly native: NativeAbility },
): Promise<NativeRelay> {
  const { body } = dispatch.request;
  const { warn } = dispatch;
  const dialect = dispatch.chatDialect();
  const response = await native.send({
    dialect: dialect.name,
    model: deployment.upstreamModel,
    stream: true,
    body: dialect.toNative(body, deployment.upstreamModel, warn),
    context: opening.context,
    warn,
  });
  if (response.type === 'whole') {
    throw new GatewayError('provider_bad_response', { cause: 'a whole answer to a stream' });
  }
  return new NativeRelay({
    ...relayOptions(dispatch, opening, response.headers),
    source: response.source,
    tap: response.tap,
    maxEventBytes: dispatch.settings.maxEventBytes,
    includeUsage: dialect.wantsStreamUsage(body),
    terminal: dialect.streamTerminal,
  });
}

async function openTranslated(
  dispatch: Dispatch,
  { chat, deployment, opening }: Target & { readonly chat: ChatAbility },
): Promise<TranslatedRelay> {
  const { body } = dispatch.request;
  const { warn } = dispatch;
  const dialect = dispatch.chatDialect();
  const request = dialect.toCanonical(body, warn);
  const stream = await chat.stream({ request, model: deployment.upstreamModel, context: opening.context, warn });
  const includeUsage = dialect.wantsStreamUsage(body);
  return new TranslatedRelay({
    ...relayOptions(dispatch, opening, {}),
    stream,
    presenter: dialect.presenter({ ...presentOptions(dispatch), includeUsage }),
  });
}

/** `headers` are those of the provider that are meant for callers. */
function relayOptions(dispatch: Dispatch, opening: Opening, headers: Readonly<Record<string, string>>): RelayOptions {
  const { writer, streamError } = dispatch;
  const onCommit = (): void => {
    opening.contentCame();
    dispatch.committed(headers);
  };
  return { writer, streamError, onCommit };
}

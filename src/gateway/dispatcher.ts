import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { ConfigStore } from '../config/config.store.js';
import { GatewayError, toGatewayError } from '../contract/errors.js';
import type { Outcome, RequestRecord } from '../contract/record.js';
import { NO_USAGE } from '../contract/usage.js';
import type { StreamTermination } from '../metrics/metric-contract.js';
import { MetricsRecorder } from '../metrics/metrics.recorder.js';
import { AttemptRunner, type Attempted } from '../routing/attempt-runner.js';
import { Dispatch } from './dispatch.js';
import { estimatedUsage, relayedUsage } from './dispatch-usage.js';
import { outcomeOf } from './outcome.js';
import { DrainSlots } from './relay/drain-slots.js';
import type { Relay, RelayEnd } from './relay/relay.js';
import { ResponseWriter } from './relay/response-writer.js';
import { StreamTicker } from './relay/stream-ticker.js';
import { streamAttempt } from './stream-attempt.js';
import { wholeAttempt } from './whole-attempt.js';
import type { LiveRequest } from './request/live-request.js';

/** Why a stream ended, in the words of the metrics. */
function termination(end: RelayEnd, live: LiveRequest): StreamTermination {
  if (live.clientGone) return 'client_abort';
  if (end.how === 'complete') return 'completed';
  if (live.cutBy !== undefined) return 'drain_cut';
  return end.error.code === 'provider_timeout' ? 'idle_timeout' : 'provider_error';
}

/** How a request ended whose answer had begun and was never whole. */
function brokenOutcome({ clientGone, cutBy }: LiveRequest): Outcome {
  if (clientGone) return 'client-abort';
  return cutBy === undefined ? 'failed' : 'drain-cut';
}

/** Notes why an answer failed; what was thrown is logged where the failure is ours. */
function noteError(record: RequestRecord, error: GatewayError): void {
  record.error = error.code;
  if (error.code === 'internal_error') record.cause = error.cause;
}

/**
 * Carries a planned and reserved call to its deployments and its answer to the client, and settles it exactly once,
 * whatever happens.
 */
@Injectable()
export class Dispatcher {
  constructor(
    private readonly runner: AttemptRunner,
    private readonly config: ConfigStore,
    private readonly ticker: StreamTicker,
    private readonly drains: DrainSlots,
    private readonly metrics: MetricsRecorder,
  ) {}

  /** Resolves when the answer is over, or a stream's first content has left; rejects with GatewayError while the status can still be chosen. */
  async dispatch(live: LiveRequest, response: Response): Promise<void> {
    const { call } = live;
    const settlement = call?.settlement;
    if (call === undefined || settlement === undefined) {
      throw new GatewayError('internal_error', { cause: 'dispatch before the call was reserved' });
    }
    const settings = this.config.current.config.stream;
    const writer = new ResponseWriter(response, live, settings, this.ticker);
    const dispatch = new Dispatch({ live, call, settlement, writer, settings, drains: this.drains });
    live.hold();
    let followed = false;
    try {
      if (call.envelope.stream) {
        const attempted = await this.begin(dispatch);
        followed = true;
        // What framework and interceptors hold of the request ends with this promise, so a stream does not wait here.
        void this.follow(dispatch, attempted);
      } else {
        await this.whole(dispatch);
      }
    } catch (thrown) {
      this.fail(dispatch, toGatewayError(thrown));
    } finally {
      if (!followed) dispatch.close();
    }
  }

  private async whole(dispatch: Dispatch): Promise<void> {
    const { record } = dispatch.live;
    const attempted = await this.runner.run(dispatch.runRequest(), (deployment, context) =>
      wholeAttempt(dispatch, deployment, context),
    );
    attempted.release();
    const { body, headers, usage } = attempted.value;
    record.usage = usage ?? estimatedUsage(dispatch.promptTokens, dispatch.generatedBytes(body));
    record.usageEstimated = usage === undefined;
    dispatch.writer.whole(body, { ...dispatch.headers(), ...headers });
  }

  /** Resolves when the first content is on its way. */
  private begin(dispatch: Dispatch): Promise<Attempted<Relay>> {
    dispatch.watch();
    return this.runner.run(dispatch.runRequest(), (deployment, context) =>
      streamAttempt(dispatch, deployment, context, this.ticker),
    );
  }

  /** Sees a stream that has begun to its end. Never rejects. */
  private async follow(dispatch: Dispatch, attempted: Attempted<Relay>): Promise<void> {
    const { live, writer } = dispatch;
    const { record } = live;
    dispatch.forgetCall();
    this.metrics.streamOpened();
    const end = await attempted.value.ended;
    attempted.release(end.how === 'failed' ? end.error : undefined);
    this.metrics.streamClosed(termination(end, live));
    if (end.malformedEvents) {
      record.malformedEvents = end.malformedEvents;
      this.metrics.malformedEvents(attempted.deployment.provider.name, end.malformedEvents);
    }
    record.usage = relayedUsage(end, dispatch.promptTokens);
    record.usageEstimated = record.usage.source === 'estimate';
    if (end.how !== 'complete') {
      const { cutBy } = live;
      if (cutBy !== undefined) writer.fail(dispatch.streamError(cutBy));
      record.outcome = brokenOutcome(live);
      noteError(record, cutBy ?? end.error);
    }
    dispatch.close();
  }

  /** No attempt answered. What was sent and then given up by the client is charged its prompt. */
  private fail(dispatch: Dispatch, thrown: GatewayError): void {
    const { live, writer } = dispatch;
    const { record } = live;
    const error = dispatch.inCallersWords(live.cutBy ?? thrown);
    const givenUp = live.isAbandoned && dispatch.wasDispatched;
    record.usage = givenUp ? estimatedUsage(dispatch.promptTokens, 0) : NO_USAGE;
    record.usageEstimated = givenUp;
    noteError(record, error);
    if (live.clientGone) {
      record.outcome = 'client-abort';
      return;
    }
    const isBroken = writer.begun || live.cutBy !== undefined;
    record.outcome = isBroken ? brokenOutcome(live) : outcomeOf(error);
    if (!writer.begun) throw error;
    writer.fail(dispatch.streamError(error));
  }
}

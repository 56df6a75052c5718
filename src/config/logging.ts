import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { describeFields, isError } from './log-fields.js';
import { scrubCredentials } from './scrub-credentials.js';
import type { TollgateConfig } from './config.schema.js';

/**
 * Injection token of the process's pino Logger. Its level follows `logging.level`. Give fields to each line instead of
 * making children: pino's children keep the level they were made with, and write their bindings unexamined.
 */
export const LOGGER = Symbol('LOGGER');

/**
 * A logger that writes one JSON object a line: `level` (a word), `time` (ISO 8601, UTC), the fields, `msg`. Only plain
 * data, errors and what they cause are written; credentials are masked wherever they stand. Lines still buffered are
 * written when the process exits.
 *
 * `destination` defaults to standard output.
 */
export function createLogger(
  level: TollgateConfig['logging']['level'],
  destination: DestinationStream = pino.destination({ dest: 1, sync: false }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: describeFields },
      // describeFields has described the error already.
      serializers: { err: (value: unknown) => value },
      hooks: { streamWrite: scrubCredentials },
    },
    destination,
  );
}

/** Nest's own narration of start-up, which is of use only when that goes wrong. */
const NARRATORS = new Set([
  'InstanceLoader',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/** Writes Nest's own messages through the process's logger, with their origin as `context`. */
export class NestPinoLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...details: unknown[]): void {
    this.write(NARRATORS.has(String(details.at(-1))) ? 'debug' : 'info', message, details);
  }

  error(message: unknown, ...details: unknown[]): void {
    this.write('error', message, details);
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.write('fatal', message, details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.write('warn', message, details);
  }

  debug(message: unknown, ...details: unknown[]): void {
    this.write('debug', message, details);
  }

  verbose(message: unknown, ...details: unknown[]): void {
    this.write('trace', message, details);
  }

  /** Nest passes an optional stack or error before its context, which comes last. */
  private write(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', message: unknown, details: unknown[]) {
    const last = details.at(-1);
    const context = typeof last === 'string' && !isStack(last) ? last : undefined;
    const error = [message, ...details].find(isError);
    const stack = details.find(isStack);
    const fields = {
      ...(context !== undefined && { context }),
      ...(error ? { err: error } : stack !== undefined && { stack }),
    };
    this.logger[level](fields, isError(message) ? message.message : asText(message));
  }
}

function isStack(value: unknown): value is string {
  return typeof value === 'string' && /\n\s+at /.test(value);
}

function asText(message: unknown): string {
  return typeof message === 'string' ? message : (JSON.stringify(describeFields({ message }).message) ?? 'undefined');
}

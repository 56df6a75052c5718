import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../config/logging.js';
import { ERRORS } from '../contract/errors.js';
import type { RequestObserver, RequestRecord } from '../contract/record.js';
import { accessLine } from './access-line.js';

/** The message of every access line, to select them by. */
export const ACCESS_MESSAGE = 'request';

/** Writes one line for each closed record, never sampled; at the level the error table gives, probes at debug. */
@Injectable()
export class AccessLogObserver implements RequestObserver {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  closed(record: RequestRecord): void {
    const level = levelOf(record);
    if (this.logger.isLevelEnabled(level)) this.logger[level](accessLine(record), ACCESS_MESSAGE);
  }
}

function levelOf(record: RequestRecord): 'debug' | 'info' | 'warn' | 'error' {
  if (record.plane === 'metrics' && record.cause === undefined) return 'debug';
  return record.error === undefined ? 'info' : ERRORS[record.error].logLevel;
}

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
  private readonly lines: Logger;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {
    // A line is plain data of our own making: it need not be searched for what must not be written. The level that
    // counts is the parent's, which follows the configuration; a child's would not.
    this.lines = logger.child({}, { level: 'trace', formatters: { log: (line) => line } });
  }

  closed(record: RequestRecord): void {
    const level = levelOf(record);
    if (this.logger.isLevelEnabled(level)) this.lines[level](accessLine(record), ACCESS_MESSAGE);
  }
}

function levelOf(record: RequestRecord): 'debug' | 'info' | 'warn' | 'error' {
  if (record.plane === 'metrics' && record.cause === undefined) return 'debug';
  return record.error === undefined ? 'info' : ERRORS[record.error].logLevel;
}

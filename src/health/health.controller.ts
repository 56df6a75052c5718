import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import type { Response } from 'express';
import { RoutePolicy } from '../contract/route-policy.js';
import { Readiness } from './readiness.js';

/** What a probe is answered. */
export interface ProbeAnswer {
  readonly status: 'alive' | 'ready' | 'not_ready';
  /** Why not; absent when ready. */
  readonly reasons?: readonly string[];
}

/** The probes. They are served on the metrics listener alone, which no ingress leads to. */
@Controller()
@RoutePolicy({ plane: 'metrics', access: 'public' })
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** Answers as long as the event loop turns; it depends on nothing that a restart would not mend. */
  @Get('livez')
  @Header('cache-control', 'no-store')
  alive(): ProbeAnswer {
    return { status: 'alive' };
  }

  /** 200 when requests may come, else 503 with the reasons. */
  @Get('readyz')
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) response: Response): ProbeAnswer {
    const reasons = this.readiness.reasons();
    if (reasons.length === 0) return { status: 'ready' };
    response.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'not_ready', reasons };
  }
}

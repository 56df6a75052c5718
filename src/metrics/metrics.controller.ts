import { Controller, Get, Header } from '@nestjs/common';
import { register } from 'prom-client';
import { RoutePolicy } from '../contract/route-policy.js';

/** GET /metrics on the metrics listener, open to scrapers; the path is given by the module that registers it. */
@Controller()
@RoutePolicy({ plane: 'metrics', access: 'public' })
export class MetricsController {
  @Get()
  @Header('content-type', register.contentType)
  scrape(): Promise<string> {
    return register.metrics();
  }
}

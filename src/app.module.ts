import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './auth/access.guard.js';
import { AuthModule } from './auth/auth.module.js';
import { AuthenticateGuard } from './auth/authenticate.guard.js';
import { FloodGuard } from './auth/flood.guard.js';
import { FloodObserver } from './auth/flood.observer.js';
import { ConfigModule } from './config/config.module.js';
import { ErrorFilter } from './gateway/error.filter.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { HealthModule } from './health/health.module.js';
import { KINDS, QUICK_START_DOCUMENT } from './kinds.js';
import { AccessLogObserver } from './metrics/access-log.observer.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { MetricsObserver } from './metrics/metrics.observer.js';
import { ProvidersModule } from './providers/providers.module.js';
import { RoutingModule } from './routing/routing.module.js';
import { StateModule } from './state/state.module.js';

// Each call of register makes another module; these are the one of each that everybody shares.
const PROVIDERS = ProvidersModule.register(KINDS);
const ROUTING = RoutingModule.register(PROVIDERS);

/** The composition root: every module once, and the guards in the order in which they must run. */
@Module({
  imports: [
    ConfigModule.forRoot({ kinds: KINDS.map(({ descriptor }) => descriptor), quickStart: QUICK_START_DOCUMENT }),
    StateModule,
    PROVIDERS,
    ROUTING,
    AuthModule,
    MetricsModule,
    HealthModule,
    GatewayModule.register({
      imports: [AuthModule, MetricsModule, ROUTING],
      observers: [MetricsObserver, AccessLogObserver, FloodObserver],
    }),
  ],
  providers: [
    { provide: APP_GUARD, useExisting: AuthenticateGuard },
    { provide: APP_GUARD, useExisting: FloodGuard },
    { provide: APP_GUARD, useExisting: AccessGuard },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
export class AppModule {}

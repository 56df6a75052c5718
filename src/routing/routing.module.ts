import { type DynamicModule, Module } from '@nestjs/common';
import { AttemptRunner } from './attempt-runner.js';
import { HealthBook } from './health.book.js';
import { RoutingService } from './routing.service.js';
import { ROUTING_RUNTIME, systemRuntime } from './runtime.js';

/** Chooses deployments and runs the attempts. */
@Module({})
export class RoutingModule {
  /** `providers` is what ProvidersModule.register returned: the same object, else a second registry is made. */
  static register(providers: DynamicModule): DynamicModule {
    return {
      module: RoutingModule,
      imports: [providers],
      providers: [RoutingService, AttemptRunner, HealthBook, { provide: ROUTING_RUNTIME, useValue: systemRuntime }],
      exports: [RoutingService, AttemptRunner],
    };
  }
}

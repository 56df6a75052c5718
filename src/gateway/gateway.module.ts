import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { REQUEST_OBSERVERS, type RequestObserver } from '../contract/record.js';
import { QuotaModule } from '../quota/quota.module.js';
import { CallInterceptor } from './call.interceptor.js';
import { ChatController } from './chat.controller.js';
import { Dispatcher } from './dispatcher.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { MeteringInterceptor } from './metering.interceptor.js';
import { ModelsController } from './models.controller.js';
import { DrainSlots } from './relay/drain-slots.js';
import { StreamTicker } from './relay/stream-ticker.js';
import { RequestLifecycle } from './request/request-lifecycle.js';

/** What the composition root tells the gateway. */
export interface GatewayModuleOptions {
  /** Modules that provide the observers, the metrics and the routing. */
  readonly imports: readonly (Type | DynamicModule)[];
  /** Who hears of every closed record, in this order. */
  readonly observers: readonly Type<RequestObserver>[];
}

/** The unified API: guards and interceptors around one family of controllers, dispatching to provider services. */
@Module({})
export class GatewayModule {
  static register({ imports, observers }: GatewayModuleOptions): DynamicModule {
    return {
      module: GatewayModule,
      imports: [...imports, QuotaModule],
      controllers: [ChatController, EmbeddingsController, ModelsController],
      providers: [
        CallInterceptor,
        MeteringInterceptor,
        Dispatcher,
        StreamTicker,
        DrainSlots,
        RequestLifecycle,
        {
          provide: REQUEST_OBSERVERS,
          inject: [...observers],
          useFactory: (...found: RequestObserver[]) => found,
        },
      ],
      exports: [RequestLifecycle],
    };
  }
}

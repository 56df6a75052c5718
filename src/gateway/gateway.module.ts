import { Module } from '@nestjs/common';
import { QuotaModule } from '../quota/quota.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { CallInterceptor } from './call.interceptor.js';
import { ChatController } from './chat.controller.js';
import { Dispatcher } from './dispatcher.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { MeteringInterceptor } from './metering.interceptor.js';
import { ModelsController } from './models.controller.js';
import { DrainSlots } from './relay/drain-slots.js';
import { StreamTicker } from './relay/stream-ticker.js';
import { RequestLifecycle } from './request/request-lifecycle.js';

/** The unified API: guards and interceptors around one family of controllers, dispatching to provider services. */
@Module({
  imports: [RoutingModule, QuotaModule],
  controllers: [ChatController, EmbeddingsController, ModelsController],
  providers: [CallInterceptor, MeteringInterceptor, Dispatcher, StreamTicker, DrainSlots, RequestLifecycle],
  exports: [RequestLifecycle],
})
export class GatewayModule {}

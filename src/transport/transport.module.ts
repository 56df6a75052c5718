import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigStore } from '../config/config.store.js';
import { Transport } from './transport.js';

/** Provides the one Transport, which follows the configuration's `transport` section live. */
@Module({
  providers: [
    {
      provide: Transport,
      inject: [ConfigStore],
      useFactory: (store: ConfigStore): Transport => {
        const transport = new Transport(store.current.config.transport);
        store.subscribe((next) => transport.reconfigure(next.config.transport));
        return transport;
      },
    },
  ],
  exports: [Transport],
})
export class TransportModule implements OnApplicationShutdown {
  constructor(private readonly transport: Transport) {}

  async onApplicationShutdown(): Promise<void> {
    await this.transport.close();
  }
}

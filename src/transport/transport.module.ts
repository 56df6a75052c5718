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
        const { transport: settings, stream } = store.current.config;
        const transport = new Transport(settings, stream.maxEventBytes);
        store.subscribe(({ config }) => transport.reconfigure(config.transport, config.stream.maxEventBytes));
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

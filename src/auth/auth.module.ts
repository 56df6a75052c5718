import { Module } from '@nestjs/common';
import { getOptionsToken, getStorageToken, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { ConfigStore } from '../config/config.store.js';
import { TransportModule } from '../transport/transport.module.js';
import { AccessGuard } from './access.guard.js';
import { AuthenticateGuard } from './authenticate.guard.js';
import { Authenticator } from './authenticator.js';
import { FloodControl } from './flood.control.js';
import { FloodGuard } from './flood.guard.js';
import { FloodObserver } from './flood.observer.js';
import { KeyStore } from './key.store.js';
import { TokenVerifier } from './token.verifier.js';

/** Limits are read at each use, so that a reload changes them. */
function floodOptions(config: ConfigStore): ThrottlerModuleOptions {
  const flood = () => config.current.config.auth.flood;
  return {
    setHeaders: false,
    throttlers: [
      {
        limit: () => flood().limit,
        ttl: () => flood().windowMs,
        blockDuration: () => flood().blockMs,
      },
    ],
  };
}

/**
 * Who is asking, and whether they may. The composition root registers the guards globally, in this order: AuthenticateGuard,
 * FloodGuard, AccessGuard. Nest stops at the first that throws, so the one that refuses strangers comes last.
 */
@Module({
  imports: [TransportModule],
  providers: [
    KeyStore,
    TokenVerifier,
    Authenticator,
    FloodControl,
    FloodObserver,
    { provide: getOptionsToken(), inject: [ConfigStore], useFactory: floodOptions },
    { provide: getStorageToken(), useExisting: FloodControl },
    AuthenticateGuard,
    FloodGuard,
    AccessGuard,
  ],
  exports: [
    Authenticator,
    FloodControl,
    FloodObserver,
    AuthenticateGuard,
    FloodGuard,
    AccessGuard,
    getOptionsToken(),
    getStorageToken(),
  ],
})
export class AuthModule {}

import { Module } from '@nestjs/common';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { sandboxSettings } from './sandbox.config.js';
import { SandboxProviders } from './sandbox.provider.js';

/** The provider kind `sandbox`. */
@Module({ providers: [SandboxProviders], exports: [SandboxProviders] })
export class SandboxModule {}

export const sandboxKind: ProviderKindRegistration = {
  descriptor: { kind: 'sandbox', settings: sandboxSettings },
  module: SandboxModule,
  service: SandboxProviders,
};

import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { contextOf } from '../contract/request-context.js';
import { Authenticator } from './authenticator.js';
import { policyOf } from './route-policy.js';

/**
 * First of the three guards: looks at the headers and writes down the caller or the failure. It never throws, because Nest
 * stops at the first guard that does, and FloodGuard must still count the refused. Public routes are not authenticated.
 */
@Injectable()
export class AuthenticateGuard implements CanActivate {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (policyOf(this.reflector, context)?.access === 'public') return true;
    const request = context.switchToHttp().getRequest<IncomingMessage>();
    const requestContext = contextOf(request);
    const { record } = requestContext;
    const result = await this.authenticator.authenticate(request.headers, record.address, request.rawHeaders);
    if ('caller' in result) {
      requestContext.caller = result.caller;
      record.caller = result.caller;
    } else {
      requestContext.authFailure = result.failure;
    }
    return true;
  }
}

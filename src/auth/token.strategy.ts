import { PassportStrategy } from '@nestjs/passport';
import type { JWTPayload } from 'jose';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import type { JwtIssuerConfig } from '../config/config.schema.js';
import { toGatewayError, type GatewayError } from '../contract/errors.js';
import type { KeySource } from './key-source.js';
import { invalidToken } from './refusal.js';
import type { TokenForm } from './token-form.js';

/** A token on its way through passport; what passport calls the request. */
export interface TokenRequest {
  readonly token: string;
  readonly form: TokenForm;
}

/** The types know texts and buffers only; jsonwebtoken also takes a KeyObject, and parses nothing then. */
type Done = (error: unknown, key?: Buffer) => void;

/**
 * passport-jwt for one issuer, pinned to its issuer, audiences, algorithms and keys. Each strategy has a passport of its
 * own, so that a reload leaves nothing behind in a global registry.
 */
export class TokenStrategy extends PassportStrategy(Strategy, 'jwt') {
  /** Set by the base constructor through getPassportInstance, hence without an initialiser. */
  declare private passport: passport.Authenticator;

  constructor(
    private readonly issuer: JwtIssuerConfig,
    keys: KeySource,
  ) {
    super({
      jwtFromRequest: (request: TokenRequest) => request.token,
      secretOrKeyProvider: (request: TokenRequest, _token: unknown, done: Done) => {
        keys
          .resolve(request.form.header)
          .then((key) => done(null, key as unknown as Buffer))
          .catch(done);
      },
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: [...issuer.algorithms],
      jsonWebTokenOptions: { clockTolerance: issuer.clockToleranceSeconds, maxAge: issuer.maxAgeSeconds },
    });
  }

  /** The claims of a token whose signature and times hold. Rejects with GatewayError. */
  verify(request: TokenRequest): Promise<JWTPayload> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, payload: JWTPayload | false, reason: unknown): void => {
        if (error) reject(toGatewayError(error));
        else if (payload) resolve(payload);
        else reject(refusal(reason));
      };
      const run = this.passport.authenticate('jwt', { session: false }, settle) as (
        request: object,
        response: object,
        next: (error: unknown) => void,
      ) => void;
      run({ ...request }, {}, reject);
    });
  }

  /** What jsonwebtoken leaves open: `exp` must be there, and no time may be infinite or of the future. */
  validate(payload: JWTPayload): JWTPayload {
    const { exp, iat, nbf } = payload;
    if (!Number.isFinite(exp)) throw invalidToken('no expiry');
    if (nbf !== undefined && !Number.isFinite(nbf)) throw invalidToken('nbf is no time');
    if (iat === undefined || !Number.isFinite(iat)) throw invalidToken('no time of issue');
    if (iat > Date.now() / 1_000 + this.issuer.clockToleranceSeconds) throw invalidToken('issued in the future');
    return payload;
  }

  getPassportInstance(): passport.Authenticator {
    this.passport ??= new passport.Passport();
    return this.passport;
  }
}

/** jsonwebtoken checks the signature before the times: what it says of those may be shown. */
function refusal(reason: unknown): GatewayError {
  if (!(reason instanceof Error)) return invalidToken('refused');
  switch (reason.name) {
    case 'GatewayError':
      return toGatewayError(reason);
    case 'TokenExpiredError':
      return invalidToken(reason.message, 'The token has expired; get a new one.');
    case 'NotBeforeError':
      return invalidToken(reason.message, 'The token is not valid yet.');
    default:
      return invalidToken(reason.message);
  }
}

import { Controller, Get, Header, Param, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Caller } from '../contract/caller.js';
import { GatewayError } from '../contract/errors.js';
import { RoutePolicy } from '../contract/route-policy.js';
import type { CatalogEntry } from '../routing/catalog.js';
import { RoutingService } from '../routing/routing.service.js';
import { liveRequestOf } from './request/live-request.js';

/** A model in OpenAI's shape. */
interface WireModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: 'tollgate';
}

const present = (entry: CatalogEntry): WireModel => ({
  id: entry.name,
  object: 'model',
  created: entry.createdSeconds,
  owned_by: 'tollgate',
});

function callerOf(request: Request): Caller {
  const { caller } = liveRequestOf(request);
  if (caller === undefined) throw new GatewayError('authentication_required');
  return caller;
}

/** The models a caller may use, chat models first. */
@ApiTags('models')
@ApiBearerAuth()
@Controller()
@RoutePolicy({ plane: 'data', access: 'caller' })
export class ModelsController {
  constructor(private readonly routing: RoutingService) {}

  @Header('cache-control', 'no-store')
  @Get(['v1/models', 'openai/v1/models', 'openai/models'])
  @ApiOperation({ summary: 'List the models this credential may use' })
  @ApiResponse({ status: 200, description: 'Chat models first.' })
  list(@Req() request: Request): { object: 'list'; data: WireModel[] } {
    return { object: 'list', data: this.routing.models(callerOf(request)).map(present) };
  }

  /** Names may hold "/" and ":", so that the rest of the path is the name. */
  @Header('cache-control', 'no-store')
  @Get(['v1/models/*id', 'openai/v1/models/*id', 'openai/models/*id'])
  @ApiOperation({ summary: 'Describe one model' })
  @ApiResponse({ status: 200, description: 'The model.' })
  @ApiResponse({
    status: 404,
    description: 'There is no such model for this caller.',
    schema: { $ref: '#/components/schemas/Error' },
  })
  get(@Req() request: Request, @Param('id') id: string | string[]): WireModel {
    const name = Array.isArray(id) ? id.join('/') : id;
    const entry = this.routing.models(callerOf(request)).find((candidate) => candidate.name === name);
    if (entry !== undefined) return present(entry);
    throw new GatewayError('model_not_found', {
      param: 'model',
      message: `The model \`${name.slice(0, 128)}\` does not exist or you do not have access to it.`,
    });
  }
}

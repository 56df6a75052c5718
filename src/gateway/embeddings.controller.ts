import { Controller, Post, Req, Res, UseInterceptors } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RoutePolicy } from '../contract/route-policy.js';
import { CallInterceptor } from './call.interceptor.js';
import { Speaks } from './dialects/dialects.js';
import { Dispatcher } from './dispatcher.js';
import { MeteringInterceptor } from './metering.interceptor.js';
import { bodySchema } from './openapi.js';
import { liveRequestOf } from './request/live-request.js';

/** Embeddings in OpenAI's shape, at OpenAI's and at Azure's paths. */
@ApiTags('embeddings')
@ApiBearerAuth()
@Controller()
@RoutePolicy({ plane: 'data', access: 'caller' })
@UseInterceptors(CallInterceptor, MeteringInterceptor)
export class EmbeddingsController {
  constructor(private readonly dispatcher: Dispatcher) {}

  @Post(['v1/embeddings', 'openai/v1/embeddings', 'openai/deployments/:deployment/embeddings'])
  @Speaks('openai-embeddings')
  @ApiOperation({ summary: 'Embed texts', description: 'One vector for each input, in order.' })
  @ApiBody(bodySchema('EmbeddingsRequest'))
  @ApiResponse({ status: 200, description: 'A list of embeddings.' })
  @ApiResponse({
    status: '4XX',
    description: 'What was wrong and what to do.',
    schema: { $ref: '#/components/schemas/Error' },
  })
  async embed(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.dispatcher.dispatch(liveRequestOf(request), response);
  }
}

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

/** Chat completions in OpenAI's shape, at OpenAI's and at Azure's paths. */
@ApiTags('chat')
@ApiBearerAuth()
@Controller()
@RoutePolicy({ plane: 'data', access: 'caller' })
@UseInterceptors(CallInterceptor, MeteringInterceptor)
export class ChatController {
  constructor(private readonly dispatcher: Dispatcher) {}

  @Post(['v1/chat/completions', 'openai/v1/chat/completions', 'openai/deployments/:deployment/chat/completions'])
  @Speaks('openai-chat')
  @ApiOperation({
    summary: 'Answer a conversation',
    description: 'Whole, or as server-sent events with `stream: true`.',
  })
  @ApiBody(bodySchema('ChatCompletionRequest'))
  @ApiResponse({ status: 200, description: 'A chat.completion, or a stream of chat.completion.chunk events.' })
  @ApiResponse({
    status: '4XX',
    description: 'What was wrong and what to do.',
    schema: { $ref: '#/components/schemas/Error' },
  })
  async complete(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.dispatcher.dispatch(liveRequestOf(request), response);
  }
}

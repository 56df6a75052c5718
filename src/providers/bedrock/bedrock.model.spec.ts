import { foundationModel, traitsOf } from './bedrock.model.js';

describe('traitsOf', () => {
  it.each([
    ['anthropic.claude-v2:1', 'prompt', 'none'],
    ['anthropic.claude-instant-v1', 'prompt', 'none'],
    ['anthropic.claude-3-haiku-20240307-v1:0', 'tool', 'none'],
    ['anthropic.claude-3-5-sonnet-20241022-v2:0', 'tool', 'none'],
    ['us.anthropic.claude-3-7-sonnet-20250219-v1:0', 'tool', 'claude-budget'],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', 'tool', 'claude-budget'],
    ['us.anthropic.claude-opus-4-1-20250805-v1:0', 'tool', 'claude-budget'],
    ['global.anthropic.claude-haiku-4-5-20251001-v1:0', 'native', 'claude-budget'],
    ['us.anthropic.claude-sonnet-4-6', 'native', 'claude-adaptive'],
    ['us.anthropic.claude-sonnet-5', 'native', 'claude-adaptive'],
    ['amazon.nova-micro-v1:0', 'tool', 'none'],
    ['us.amazon.nova-2-lite-v1:0', 'tool', 'nova'],
    ['openai.gpt-oss-120b-1:0', 'native', 'effort'],
    ['google.gemma-3-27b-it', 'native', 'none'],
    ['meta.llama3-1-8b-instruct-v1:0', 'prompt', 'none'],
    ['arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc', 'prompt', 'none'],
  ])('knows %s', (model, jsonSchema, reasoning) => {
    expect(traitsOf(model)).toMatchObject({ jsonSchema, reasoning });
  });

  it('finds the model in an ARN', () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6';
    expect(foundationModel(arn)).toBe('anthropic.claude-sonnet-4-6');
  });
});

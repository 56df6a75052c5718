import type { ChatPart } from '../../contract/chat-response.js';
import type { Answer, AnswerChoice } from './sandbox.response.js';
import { textTokens, usageOf } from './sandbox.tokens.js';

/** A part of a stream and what it adds to the count. */
export interface AnswerStep {
  readonly part: ChatPart;
  readonly tokens: number;
}

/** The answer part by part; several choices take turns. */
export function* stepsOf(answer: Answer): Generator<AnswerStep, void> {
  const { requestId: id, model, createdSeconds } = answer;
  yield { part: { type: 'start', id, model, createdSeconds }, tokens: 0 };
  let completion = 0;
  let open = answer.choices.map(choiceSteps);
  while (open.length > 0) {
    const still: typeof open = [];
    for (const steps of open) {
      const step = steps.next();
      if (step.done === true) continue;
      completion += step.value.tokens;
      yield step.value;
      still.push(steps);
    }
    open = still;
  }
  yield { part: { type: 'finish', usage: usageOf(answer.promptTokens, completion, 'final') }, tokens: 0 };
}

function* choiceSteps({ blocks, finishReason }: AnswerChoice, index: number): Generator<AnswerStep, void> {
  const choice = index === 0 ? {} : { choice: index };
  let calls = 0;
  for (const block of blocks) {
    if (block.type === 'text') {
      for (const text of block.pieces) yield { part: { type: 'text-delta', text, ...choice }, tokens: 1 };
      continue;
    }
    const call = { index: calls++, ...choice };
    const { id, name } = block;
    yield { part: { type: 'tool-call-start', id, name, ...call }, tokens: textTokens(name) };
    for (const piece of block.pieces) {
      yield { part: { type: 'tool-call-delta', arguments: piece, ...call }, tokens: 1 };
    }
  }
  yield { part: { type: 'choice-finish', reason: finishReason, ...choice }, tokens: 0 };
}

import { baseUrlOf, differencesOf, openAICompatibleSettings } from './openai-compatible.config.js';
import { flavourOf } from './openai-compatible.flavour.js';
import { PRESET_NAMES, presetOf } from './openai-compatible.presets.js';

const URL_ONLY = { baseUrl: 'https://llm.example/v1' };

describe('the settings of a compatible server', () => {
  it('need an address, of their own or of the preset', () => {
    expect(openAICompatibleSettings.safeParse({}).success).toBe(false);
    expect(openAICompatibleSettings.safeParse({ preset: 'vllm' }).success).toBe(false);
    expect(baseUrlOf(openAICompatibleSettings.parse({ preset: 'groq' }))).toBe('https://api.groq.com/openai/v1');
    expect(baseUrlOf(openAICompatibleSettings.parse({ preset: 'groq', baseUrl: 'https://a.example/v1//' }))).toBe(
      'https://a.example/v1',
    );
  });

  it.each(PRESET_NAMES)('hold for the preset %s, and win over it', (preset) => {
    const parsed = openAICompatibleSettings.parse({ ...URL_ONLY, preset });
    const { baseUrl: _url, ...rest } = presetOf(preset);
    expect(differencesOf(parsed)).toMatchObject(rest);
    const over = { maxTokensField: 'max_tokens', streamUsage: true, unsupported: [], reasoningField: 'none' };
    expect(differencesOf(openAICompatibleSettings.parse({ ...URL_ONLY, preset, ...over }))).toMatchObject(over);
  });

  it.each([
    [{ preset: 'nobody' }],
    [{ unsupported: ['tools'] }],
    [{ headers: { Host: 'a' } }],
    [{ headers: { 'Content-Length': '1' } }],
    [{ headers: { 'a b': 'c' } }],
    [{ baseUrl: 'http://llm.example/v1' }],
    [{ baseUrl: 'http://llm.example/v1', allowHttp: false }],
    [{ baseUrl: 'ftp://llm.example/v1', allowHttp: true }],
    [{ baseUrl: 'http://user:word@llm.example/v1', allowHttp: true }],
  ])('refuse %j', (settings) => {
    expect(openAICompatibleSettings.safeParse({ ...URL_ONLY, ...settings }).success).toBe(false);
  });

  it('take http off loopback only where it is allowed, and on loopback always', () => {
    const inCluster = { baseUrl: 'http://vllm.models.svc:8000/v1', allowHttp: true };
    expect(baseUrlOf(openAICompatibleSettings.parse(inCluster))).toBe(inCluster.baseUrl);
    const { error } = openAICompatibleSettings.safeParse({ ...inCluster, allowHttp: undefined });
    expect(error?.issues).toMatchObject([{ path: ['baseUrl'], message: expect.stringContaining('allowHttp') }]);
    expect(openAICompatibleSettings.safeParse({ baseUrl: 'http://127.0.0.1:8000/v1' }).success).toBe(true);
  });

  it('leave bodies alone where nothing differs', () => {
    expect(flavourOf(openAICompatibleSettings.parse(URL_ONLY)).adaptChat).toBeUndefined();
    expect(flavourOf(openAICompatibleSettings.parse({ ...URL_ONLY, streamUsage: false })).adaptChat).toBeDefined();
    expect(flavourOf(openAICompatibleSettings.parse({ ...URL_ONLY, mendAnswers: false })).mend).toBeUndefined();
  });
});

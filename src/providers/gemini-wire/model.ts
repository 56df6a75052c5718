/** What a model's name tells of its abilities. */
export interface GeminiModel {
  /** Generation as a number (1.5, 2, 2.5, 3); names without one are taken for the newest. */
  readonly generation: number;
  /** True for the small and fast families (flash, flash-lite); they may think least. */
  readonly isFlash: boolean;
  /** Gemma models, served by the same API, know no system instruction. */
  readonly isGemma: boolean;
}

const NEWEST = Infinity;

/** Reads a model's family from its name (`gemini-2.5-flash`, `models/gemma-3-27b-it`, `tunedModels/x`). */
export function geminiModel(name: string): GeminiModel {
  const generation = /gemini-(\d+(?:\.\d+)?)/.exec(name)?.[1];
  const isOldest = /gemini-pro(-vision)?$/.test(name);
  return {
    generation: isOldest ? 1 : generation === undefined ? NEWEST : Number(generation),
    isFlash: name.includes('flash'),
    isGemma: name.includes('gemma'),
  };
}

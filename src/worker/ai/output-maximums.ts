/**
 * The most that a model writes in one answer, its thinking included. Written by the build from the model
 * catalogue in openclaw 2026.9.6 of 2026-09-23.
 */
export const OUTPUT_MAXIMUMS: Partial<Record<string, ReadonlyMap<string, number>>> = {
  anthropic: new Map([
    ["claude-fable-5", 128000],
    ["claude-fable-5-1", 128000],
    ["claude-haiku-4-5", 64000],
    ["claude-mythos-5", 128000],
    ["claude-opus-4-8", 128000],
    ["claude-opus-5", 128000],
    ["claude-opus-5-5", 128000],
    ["claude-sonnet-5", 128000],
  ]),
  openai: new Map([
    ["gpt-5.4", 128000],
    ["gpt-5.4-mini", 128000],
    ["gpt-5.4-nano", 128000],
    ["gpt-5.4-pro", 128000],
    ["gpt-5.5", 128000],
    ["gpt-5.5-pro", 128000],
    ["gpt-5.6-luna", 128000],
    ["gpt-5.6-sol", 128000],
    ["gpt-5.6-terra", 128000],
    ["gpt-6-astra", 128000],
    ["gpt-6-luna", 128000],
    ["gpt-6-sol", 128000],
  ]),
  google: new Map([
    ["gemini-2.5-flash", 65536],
    ["gemini-2.5-flash-lite", 65536],
    ["gemini-2.5-pro", 65536],
    ["gemini-3-flash-preview", 65536],
    ["gemini-3.1-flash-lite", 65536],
    ["gemini-3.1-pro-preview", 65536],
    ["gemini-3.5-flash", 65536],
    ["gemini-3.5-flash-lite", 65536],
    ["gemini-3.6-flash", 65536],
    ["gemini-3.7-flash", 65536],
  ]),
};

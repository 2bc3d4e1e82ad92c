/** OpenAI's error format: https://platform.openai.com/docs/guides/error-codes */
export function openaiError(status: number, message: string): object {
  const type = status >= 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param: null, code: null } };
}

import { useKumoToastManager } from "@cloudflare/kumo/components/toast";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Endpoint } from "../../protocol/admin.ts";
import { call, type CallInput } from "../api/client.ts";
import { describeAction, useText } from "../text/text.tsx";

export interface Act<Reply> {
  (input?: CallInput, then?: Then<Reply>): void;
  busy: boolean;
}

/** What else follows from the outcome. */
interface Then<Reply> {
  onDone?(reply: Reply): void;
  onFailed?(): void;
}

/**
 * A call behind a button: busy while it runs, and its outcome is said, also when the button is gone
 * from the page by then, as that of a row which the call removed.
 */
export function useAct<Reply>(
  action: Endpoint<Reply>,
  outcome: string | ((reply: Reply) => string),
): Act<Reply> {
  const text = useText();
  const toasts = useKumoToastManager();
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ input }: { input: CallInput; next: Then<Reply> }) => call(action, input),
    onSuccess(reply, { next }) {
      toasts.add({
        title: typeof outcome === "string" ? outcome : outcome(reply),
        variant: "success",
      });
      const lost = lossIn(reply);
      if (lost !== undefined) {
        toasts.add({
          title: text.errors.unkept,
          description: lost,
          variant: "warning",
          priority: "high",
        });
      }
      next.onDone?.(reply);
    },
    onError(error, { next }) {
      toasts.add({
        title: text.errors.title,
        description: describeAction(error, text),
        variant: "error",
        priority: "high",
      });
      next.onFailed?.();
    },
    onSettled: () => queries.invalidateQueries(),
  });
  const act = (input: CallInput = {}, next: Then<Reply> = {}): void => mutate({ input, next });
  return Object.assign(act, { busy: isPending });
}

/** What was done, and cost a state that could not be kept before. @see doneReply */
function lossIn(reply: unknown): string | undefined {
  if (typeof reply !== "object" || reply === null || !("unkept" in reply)) return undefined;
  return typeof reply.unkept === "string" ? reply.unkept : undefined;
}

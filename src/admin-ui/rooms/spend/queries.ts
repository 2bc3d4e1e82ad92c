import { useInfiniteQuery } from "@tanstack/react-query";
import { SPEND_API } from "../../../protocol/spend.ts";
import { call } from "../../api/client.ts";

const PAGE = 10;

export const useCalls = () =>
  useInfiniteQuery({
    queryKey: ["spend", "calls"],
    queryFn: ({ pageParam }) =>
      call(SPEND_API.calls, {
        query: {
          limit: String(PAGE),
          ...(pageParam === undefined ? {} : { before: String(pageParam) }),
        },
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ calls }) => (calls.length < PAGE ? undefined : calls.at(-1)?.n),
    staleTime: Infinity,
  });

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ADMIN_API, type Endpoint } from "../../protocol/admin.ts";
import { CHANNELS_API } from "../../protocol/admin-channels.ts";
import { SPEND_API } from "../../protocol/spend.ts";
import { BACKUPS_API } from "../../protocol/admin-backups.ts";
import { call, type CallInput } from "../api/client.ts";

/** What several rooms show. The stream keeps it fresh: a key begins with the revision it depends on. */

/** The stream alone fills this, so that an older answer never takes the place of a newer one. */
export const useStatus = () =>
  useQuery({ queryKey: ["status"], queryFn: () => call(ADMIN_API.status), enabled: false });

/** The gateway lists the devices, so there is a list only while the agent is ready. */
export const useDevices = (ready: boolean) =>
  useQuery({
    queryKey: ["devices"],
    queryFn: () => call(ADMIN_API.devices),
    enabled: ready,
    staleTime: Infinity,
  });

/** There is a list only where a bucket is bound. */
export const useBackups = (kept: boolean) =>
  useQuery({
    queryKey: ["backups", "list"],
    queryFn: () => call(BACKUPS_API.backups),
    enabled: kept,
    staleTime: Infinity,
  });

export const useSettings = () =>
  useQuery({
    queryKey: ["settings"],
    queryFn: () => call(ADMIN_API.settings),
    staleTime: Infinity,
  });

export const useRefusedHosts = () =>
  useQuery({
    queryKey: ["egress"],
    queryFn: () => call(ADMIN_API.refusedHosts),
    staleTime: Infinity,
  });

export const useSpend = () =>
  useQuery({ queryKey: ["spend"], queryFn: () => call(SPEND_API.overview), staleTime: Infinity });

export const useModels = () =>
  useQuery({ queryKey: ["models"], queryFn: () => call(SPEND_API.models), staleTime: Infinity });

/** The gateway tells of no new request of a sender: whoever shows those looks again and again. */
export const useChannels = (refetchInterval?: number) =>
  useQuery({
    queryKey: ["channels"],
    queryFn: () => call(CHANNELS_API.channels),
    staleTime: Infinity,
    ...(refetchInterval === undefined ? {} : { refetchInterval }),
  });

export const useSecurity = () =>
  useQuery({
    queryKey: ["audit", "security"],
    queryFn: () => call(ADMIN_API.security),
    staleTime: Infinity,
  });

export const useAudit = () =>
  useInfiniteQuery({
    queryKey: ["audit", "entries"],
    queryFn: ({ pageParam }) =>
      call(
        ADMIN_API.audit,
        pageParam === undefined ? {} : { query: { before: String(pageParam) } },
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.more ? page.entries.at(-1)?.n : undefined),
    staleTime: Infinity,
  });

/** A call that changes something; what it may have changed is asked for again. */
export function useAction<Reply>(action: Endpoint<Reply>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: CallInput) => call(action, input),
    onSettled: () => queries.invalidateQueries(),
  });
}

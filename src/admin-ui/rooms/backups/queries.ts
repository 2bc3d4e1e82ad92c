import { useQuery } from "@tanstack/react-query";
import { BACKUPS_API } from "../../../protocol/admin-backups.ts";
import { call } from "../../api/client.ts";

/** The stream says when either is old. */
export const useImports = (kept: boolean) =>
  useQuery({
    queryKey: ["backups", "imports"],
    queryFn: () => call(BACKUPS_API.imports),
    enabled: kept,
    staleTime: Infinity,
  });

import "./schemas.ts";
import { Toasty } from "@cloudflare/kumo/components/toast";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { needsLogin } from "./api/client.ts";
import { App } from "./app.tsx";
import { Live } from "./live/follow.tsx";
import { Speaking } from "./text/text.tsx";
import "./style.css";

const queries = new QueryClient({
  defaultOptions: {
    // Never waits for the browser to call itself online: the Worker may be on this very machine.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      retry: (failures, error) => failures < 2 && !needsLogin(error),
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Speaking>
          <Toasty>
            <Live>
              <App />
            </Live>
          </Toasty>
        </Speaking>
      </QueryClientProvider>
    </StrictMode>,
  );
}

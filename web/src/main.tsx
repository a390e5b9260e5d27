import "./app/styles";

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { LiveEvents } from "./app/LiveEvents";
import { cssVariables, theme } from "./app/theme";
import { Conversations, ConversationsContext } from "./chat/useConversation";

/** The page's own nonce: Mantine's style elements are the only inline styles, and the policy lets in no other. */
function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

const queries = new QueryClient({
  // The event stream says when a list is outdated; a second attempt would only delay the error's message.
  defaultOptions: { queries: { staleTime: Infinity, retry: false, refetchOnWindowFocus: false } },
});
const conversations = new Conversations();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id root");

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={pageNonce}
    >
      <QueryClientProvider client={queries}>
        <ConversationsContext value={conversations}>
          <LiveEvents>
            <App />
          </LiveEvents>
        </ConversationsContext>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

import { createContext, useContext, useEffect, useSyncExternalStore } from "react";

import type { ServerEvent } from "../api/types";
import { Conversation, type ConversationState } from "./conversation";

/** The conversations of this tab, one per agent, kept while other pages are shown. */
export class Conversations {
  readonly #byAgent = new Map<string, Conversation>();

  of(agent: string): Conversation {
    let conversation = this.#byAgent.get(agent);
    if (!conversation) {
      conversation = new Conversation(agent);
      this.#byAgent.set(agent, conversation);
    }
    return conversation;
  }

  /** Passes on what the event stream tells of chats; turns of workflows and the like belong to no session. */
  heard(event: ServerEvent): void {
    if (event.agent !== undefined && event.data?.session_id !== undefined) {
      this.#byAgent.get(event.agent)?.heard(event);
    }
  }
}

export const ConversationsContext = createContext<Conversations | null>(null);

export function useConversations(): Conversations {
  const conversations = useContext(ConversationsContext);
  if (!conversations) throw new Error("useConversations needs a ConversationsContext above it");
  return conversations;
}

export function useConversation(agent: string): [Conversation, ConversationState] {
  const conversation = useConversations().of(agent);
  const state = useSyncExternalStore(conversation.subscribe, conversation.snapshot);
  useEffect(() => {
    if (conversation.snapshot().phase === "new") void conversation.load();
  }, [conversation]);
  return [conversation, state];
}

import { createContext, useContext, useEffect, useSyncExternalStore } from "react";

import type { ServerEvent } from "../api/types";
import { Conversation, type ConversationState } from "./conversation";

/** The conversations of this tab, one per agent and session, kept while other pages are shown. */
export class Conversations {
  readonly #known: Conversation[] = [];

  of(agent: string, session: string | null): Conversation {
    let conversation = this.#known.find((each) => each.agent === agent && each.session === session);
    if (!conversation) {
      conversation = new Conversation(agent, session);
      this.#known.push(conversation);
    }
    return conversation;
  }

  /** Passes on what the event stream tells of chats; turns of workflows and the like belong to no session. */
  heard(event: ServerEvent): void {
    const session = event.data?.session_id;
    if (event.agent === undefined || session === undefined) return;
    for (const each of this.#known) {
      if (each.agent === event.agent && (each.session === null || each.session === session))
        each.heard(event);
    }
  }
}

export const ConversationsContext = createContext<Conversations | null>(null);

export function useConversations(): Conversations {
  const conversations = useContext(ConversationsContext);
  if (!conversations) throw new Error("useConversations needs a ConversationsContext above it");
  return conversations;
}

export function useConversation(agent: string, session: string | null): [Conversation, ConversationState] {
  const conversation = useConversations().of(agent, session);
  const state = useSyncExternalStore(conversation.subscribe, conversation.snapshot);
  useEffect(() => {
    if (conversation.snapshot().phase === "new") void conversation.load();
  }, [conversation]);
  return [conversation, state];
}

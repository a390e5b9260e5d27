import { useWindowEvent } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconMessageCircle, IconRobotOff } from "@tabler/icons-react";
import { useEffect } from "react";
import { useLocation } from "wouter";

import { agentsQuery } from "../api/queries";
import type { Agent } from "../api/types";
import { EmptyState } from "../ui/EmptyState";
import { Problem } from "../ui/Problem";
import { ChatHeader } from "./ChatHeader";
import classes from "./ChatPage.module.css";
import { Composer } from "./Composer";
import { DemoChips } from "./DemoChips";
import { FilesContext } from "./files";
import type { Conversation, ConversationState } from "./conversation";
import { TranscriptLog } from "./TranscriptLog";
import { useConversation } from "./useConversation";
import { chatAddress, useSelectedAgent, useSelectedSession } from "./useSelectedAgent";
import { Welcome } from "./Welcome";
import { Working } from "./Working";

export function ChatPage() {
  const agents = useQuery(agentsQuery);
  const name = useSelectedAgent();
  const session = useSelectedSession();
  useEffect(() => {
    document.title = name === null ? "Chat · Vega" : `${name} · Vega`;
  }, [name]);
  if (name !== null) {
    const agent = agents.data?.find((known) => known.name === name);
    return agents.data && !agent ? (
      <UnknownAgent name={name} />
    ) : (
      <Chat key={`${name} ${session ?? ""}`} name={name} session={session} agent={agent} />
    );
  }
  if (!agents.data) return null; // the sidebar shows that the list loads, or why it does not
  return (
    <EmptyState icon={<IconMessageCircle size={22} />} title="No agents yet">
      Define one under <code>agents:</code> in your document and start <code>vega serve</code> with it.
    </EmptyState>
  );
}

function UnknownAgent({ name }: { name: string }) {
  return (
    <EmptyState icon={<IconRobotOff size={22} />} title={`There is no agent named ${name}`}>
      Choose one from the list, or define it in your document.
    </EmptyState>
  );
}

interface ChatProps {
  name: string;
  session: string | null;
  agent: Agent | undefined;
}

function Chat({ name, session, agent }: ChatProps) {
  const [conversation, state] = useConversation(name, session);
  const busy = state.phase === "streaming";
  useWindowEvent("keydown", (event) => {
    if (event.key === "Escape" && busy && !event.defaultPrevented) void conversation.stop();
  });
  return (
    <div className={classes.chat}>
      <ChatHeader
        name={name}
        agent={agent}
        session={session}
        busy={busy}
        messages={state.transcript.length}
        onClear={() => void conversation.clear()}
      />
      <FilesContext value={conversation}>
        <Conversed name={name} agent={agent} conversation={conversation} state={state} />
      </FilesContext>
      <div className={classes.foot}>
        <CommandProblem conversation={conversation} state={state} />
        {busy && state.queued ? <Working words="Your message goes out when this answer has ended" /> : null}
        {state.phase === "idle" && state.transcript.length > 0 ? (
          <DemoChips agent={agent} onSay={(text) => void conversation.send(text)} />
        ) : null}
        <Composer
          agent={agent?.display_name ?? name}
          ready={!busy && !state.queued}
          streaming={busy}
          stopping={state.stopping}
          onSend={(text, files) => void conversation.send(text, files)}
          onStop={() => void conversation.stop()}
        />
      </div>
    </div>
  );
}

interface ConversedProps {
  name: string;
  agent: Agent | undefined;
  conversation: Conversation;
  state: ConversationState;
}

function Conversed({ name, agent, conversation, state }: ConversedProps) {
  const say = (text: string): void => void conversation.send(text);
  const empty = state.phase === "idle" && state.transcript.length === 0;
  const [, navigate] = useLocation();
  const branch = async (turnId: string): Promise<void> => {
    const session = await conversation.branch(turnId);
    if (session !== null) navigate(chatAddress(name, session));
  };
  return (
    <TranscriptLog
      agent={agent?.display_name ?? name}
      transcript={state.transcript}
      loading={state.phase === "loading" || state.phase === "new"}
      onReload={() => void conversation.load()}
      onSendAgain={() => void conversation.sendAgain()}
      onAskAgain={(message) => void conversation.askAgain(message)}
      onBranch={(turnId) => void branch(turnId)}
    >
      {empty ? <Welcome name={name} agent={agent} onSay={say} /> : null}
    </TranscriptLog>
  );
}

function CommandProblem({ conversation, state }: { conversation: Conversation; state: ConversationState }) {
  if (!state.problem) return null;
  const reload = { label: "Try again", run: () => void conversation.load() };
  return (
    <Problem
      message={state.problem.message}
      hint={state.problem.hint}
      action={state.phase === "unavailable" ? reload : undefined}
    />
  );
}

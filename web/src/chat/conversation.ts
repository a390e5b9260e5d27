/**
 * One agent's conversation: owns the transcript and the requests that change it.
 *
 * It lives outside the page, so an answer goes on streaming while another page or agent is shown. Events are
 * gathered for a frame before the page hears of them: a fast model sends hundreds a second.
 */

import { calls, perform } from "../api/calls";
import { ApiError, api, chatPath, postJson, request } from "../api/client";
import { frames } from "../api/sse";
import type { ServerEvent, Session } from "../api/types";
import type { OwnFile } from "./files";
import { parseStreamEvent } from "./stream";
import { type Action, EMPTY, reduce, type Transcript } from "./transcript";

export type Phase = "new" | "loading" | "idle" | "streaming" | "unavailable";

export interface ConversationState {
  transcript: Transcript;
  phase: Phase;
  stopping: boolean;
  /** A message waits for the history. */
  queued: boolean;
  /** Why the history could not be loaded, or a command was refused. */
  problem: ApiError | null;
}

const FRAME_MS = 16;
const LOST = "The connection to the server broke. The turn goes on there; load it again to see its answer.";
/** Pauses before each attempt to take a broken stream up again; about a minute in all. */
const REJOIN_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000, 30_000];

const START: ConversationState = {
  transcript: EMPTY,
  phase: "new",
  stopping: false,
  queued: false,
  problem: null,
};
const TURN_EVENTS = ["turn.started", "turn.finished", "turn.failed", "turn.cancelled"];

export class Conversation {
  readonly agent: string;
  /** null: the newest open one, as the server chooses. */
  readonly session: string | null;
  #state: ConversationState = START;
  readonly #listeners = new Set<() => void>();
  #pending: Action[] = [];
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  #lastKey = 0;
  #ownTurn = "";
  #lastFrame = "";
  /** The server has begun the turn; before that there is nothing that it could stop. */
  #begun = false;
  #loading: Promise<void> = Promise.resolve();
  /** The answer that is being followed. */
  #following: Promise<unknown> = Promise.resolve();
  /** A turn began or ended while the history was being loaded. */
  #outdated = false;

  constructor(agent: string, session: string | null) {
    this.agent = agent;
    this.session = session;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ConversationState => this.#state;

  /** Loads the stored history. Does nothing while an answer streams: the stream is newer than any history. */
  async load(): Promise<void> {
    if (this.#state.phase === "streaming" || this.#state.phase === "loading") return;
    await this.#whileLoading(this.#loadNow());
  }

  /** Messages wait until `work` has ended. */
  async #whileLoading(work: Promise<void>): Promise<void> {
    this.#loading = work;
    await work;
    if (this.#outdated) {
      this.#outdated = false;
      await this.load();
    }
  }

  async #loadNow(): Promise<void> {
    this.#set({ phase: "loading", problem: null });
    try {
      const now = await api.status(this.agent, this.session);
      const messages = await api.history(this.agent, this.session);
      // What the running turn has said so far comes again with its stream.
      const open = now.streaming ? `${now.turn_id ?? ""}:assistant` : null;
      const settled = messages.filter((message) => message.id !== open);
      this.#set({ transcript: reduce(EMPTY, { type: "loaded", messages: settled }), phase: "idle" });
      if (settled.length > 0) void this.#recall();
      if (now.streaming) void this.#join(now.turn_id ?? "");
    } catch (error) {
      this.#set({ phase: "unavailable", problem: asApiError(error) });
    }
  }

  /** Adds what the history does not keep: restarts, failures, costs. Without it the transcript is still right. */
  async #recall(): Promise<void> {
    try {
      const [events, { recalled }] = await Promise.all([
        api.turns(this.agent, this.session),
        import("./recall"),
      ]);
      this.#set({ transcript: recalled(this.#state.transcript, events) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Follows a turn that was begun elsewhere: by another tab, or by this one before it was loaded again. */
  async #join(turn: string): Promise<void> {
    this.#ownTurn = turn;
    this.#lastFrame = "";
    this.#begun = true;
    this.#dispatch({ type: "joined", key: `j${turn}` });
    await this.#follow(() => this.#rejoin());
  }

  /** Takes note of a turn of this agent's chat that the event stream tells of. */
  heard(event: ServerEvent): void {
    if (!TURN_EVENTS.includes(event.type) || event.data?.turn_id === this.#ownTurn) return;
    if (this.#state.phase === "loading") this.#outdated = true;
    if (this.#state.phase === "idle") void this.load();
  }

  /** Sends one message, behind the history and the answer that it may find under way, and follows its own to its end. */
  async send(text: string, files: readonly OwnFile[] = []): Promise<void> {
    if (this.#state.phase === "streaming" || this.#state.queued) return;
    this.#set({ queued: true });
    await this.#untilIdle();
    this.#lastKey += 1;
    this.#lastFrame = "";
    this.#begun = false;
    this.#dispatch({ type: "asked", key: `t${this.#lastKey}`, text, files });
    this.#set({ queued: false });
    await this.#follow(async () => {
      const response = await postJson(`${chatPath(this.agent)}/stream?v=2`, this.#bodyOf(text, files));
      return (await this.#shown(response)) || this.#rejoin();
    });
  }

  /** What is loaded may be a turn that goes on, and the end of one has the history loaded again. */
  async #untilIdle(): Promise<void> {
    do {
      await this.#loading;
      await this.#following;
    } while (this.#state.phase === "loading" || this.#state.phase === "streaming");
  }

  #bodyOf(message: string, files: readonly OwnFile[]) {
    const attachments = files.map(({ name, mediaType, data }) => ({ name, media_type: mediaType, data }));
    return {
      message,
      ...(this.session === null ? {} : { session: this.session }),
      ...(attachments.length === 0 ? {} : { attachments }),
    };
  }

  /** Shows an answer to its end, by `show`; false says that it is over and has to be loaded. */
  async #follow(show: () => Promise<boolean>): Promise<void> {
    this.#set({ phase: "streaming", problem: null });
    const showing = this.#showing(show);
    this.#following = showing;
    if (!(await showing)) await this.load();
  }

  async #showing(show: () => Promise<boolean>): Promise<boolean> {
    try {
      return await show();
    } catch (error) {
      this.#fail(error);
      return true;
    } finally {
      this.#flush();
      this.#set({ phase: "idle", stopping: false });
    }
  }

  /** Sends the last question once more after it was refused; the refused pair leaves the page. */
  async sendAgain(): Promise<void> {
    const [question, answer] = this.#state.transcript.slice(-2);
    if (this.#state.phase !== "idle" || question?.kind !== "question") return;
    if (answer?.kind !== "answer" || !answer.unsent) return;
    this.#set({ transcript: this.#state.transcript.slice(0, -2) });
    const own = question.files.flatMap(({ data, ...file }) => (data === null ? [] : [{ ...file, data }]));
    await this.send(question.text, own);
  }

  /** Begins another conversation that goes on from after a turn of this one, and tells its id; null if it could not. */
  async branch(turnId: string): Promise<string | null> {
    this.#set({ problem: null });
    try {
      const made = await perform(calls.branch(await this.#sessionId(), turnId));
      return ((await made.json()) as Session).id;
    } catch (error) {
      this.#set({ problem: asApiError(error) });
      return null;
    }
  }

  async #sessionId(): Promise<string> {
    return this.session ?? (await api.sessionMeant(this.agent));
  }

  /** Asks the last question again, or `message` in its place. What was answered is forgotten. */
  async askAgain(message: string | null): Promise<void> {
    if (this.#state.phase === "idle") await this.#whileLoading(this.#askAgainNow(message));
  }

  async #askAgainNow(message: string | null): Promise<void> {
    this.#set({ phase: "loading", problem: null });
    try {
      const session = await this.#sessionId();
      await perform(message === null ? calls.regenerate(session) : calls.edit(session, message));
    } catch (error) {
      this.#set({ phase: "idle", problem: asApiError(error) });
      return;
    }
    await this.#loadNow();
  }

  async stop(): Promise<void> {
    if (this.#state.phase !== "streaming" || this.#state.stopping) return;
    this.#set({ stopping: true, problem: null });
    if (this.#begun) await this.#stopNow();
  }

  async #stopNow(): Promise<void> {
    try {
      await perform(calls.stopTurn(this.agent, this.session));
    } catch (error) {
      this.#set({ stopping: false, problem: asApiError(error) });
    }
  }

  async clear(): Promise<void> {
    if (this.#state.phase === "streaming") return;
    try {
      await perform(calls.clear(this.agent, this.session));
      this.#set({ transcript: EMPTY, problem: null });
    } catch (error) {
      this.#set({ problem: asApiError(error) });
    }
  }

  /** Shows a stream until the answer's end. False when the stream broke off before. */
  async #shown(response: Response): Promise<boolean> {
    if (!response.body) return false;
    try {
      for await (const frame of frames(response.body)) {
        this.#lastFrame = frame.id ?? this.#lastFrame;
        const event = parseStreamEvent(frame.data);
        if (event?.type === "turn_start") this.#turnBegan(event.turnId);
        if (event) this.#queue({ type: "event", event });
        if (event?.type === "done") return true;
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
    }
    return false;
  }

  #turnBegan(turn: string): void {
    this.#ownTurn = turn;
    this.#begun = true;
    if (this.#state.stopping) void this.#stopNow();
  }

  /** Takes the stream up behind the last frame that came. False when the turn is over meanwhile: the history has it. */
  async #rejoin(): Promise<boolean> {
    for (const delay of REJOIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const response = await this.#streamAgain();
      if (response === null) continue;
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return false;
      if (await this.#shown(response)) return true;
    }
    this.#queue({ type: "lost", error: LOST });
    return true;
  }

  /** null while the server cannot be reached. */
  async #streamAgain(): Promise<Response | null> {
    const headers: Record<string, string> =
      this.#lastFrame === "" ? {} : { "Last-Event-ID": this.#lastFrame };
    const session = this.session === null ? "" : `&session=${encodeURIComponent(this.session)}`;
    try {
      return await request(`${chatPath(this.agent)}/stream?v=2${session}`, { headers });
    } catch (error) {
      if (error instanceof ApiError && error.status === 0) return null;
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (error instanceof ApiError) {
      this.#queue({ type: "refused", error: error.message, hint: error.hint ?? null });
    } else {
      this.#queue({ type: "lost", error: LOST });
    }
  }

  #queue(action: Action): void {
    this.#pending.push(action);
    this.#flushTimer ??= setTimeout(() => this.#flush(), FRAME_MS);
  }

  #flush(): void {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const actions = this.#pending;
    this.#pending = [];
    if (actions.length > 0) this.#set({ transcript: actions.reduce(reduce, this.#state.transcript) });
  }

  #dispatch(action: Action): void {
    this.#set({ transcript: reduce(this.#state.transcript, action) });
  }

  #set(change: Partial<ConversationState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(String(error), 0);
}

/** Files that go with a message, and images that a tool gave. */

import { createContext, useContext } from "react";

import { chatPath } from "../api/client";
import type { Attachment } from "../api/types";

export interface ShownFile {
  name: string;
  mediaType: string;
  size: number;
  /** Under which the server has it; null until the message is in its history. */
  id: string | null;
  /** Its content in base64, of a file of this tab's own. */
  data: string | null;
}

/** A file of this tab's, on its way. */
export type OwnFile = ShownFile & { data: string };

export function storedFile(entry: Attachment): ShownFile {
  return { id: entry.id, name: entry.name ?? "", mediaType: entry.media_type, size: entry.size, data: null };
}

export function isImage(file: ShownFile): boolean {
  return file.mediaType.startsWith("image/");
}

/** The conversation that files are asked for in. */
export const FilesContext = createContext<{ agent: string; session: string | null } | null>(null);

/** Where a file is to be had; an image of this tab's own is shown from memory. */
export function useAddress(file: ShownFile): string | undefined {
  const conversation = useContext(FilesContext);
  if (file.data !== null) return isImage(file) ? `data:${file.mediaType};base64,${file.data}` : undefined;
  if (conversation === null || file.id === null) return undefined;
  const { agent, session } = conversation;
  const query = session === null ? "" : `?session=${encodeURIComponent(session)}`;
  return `${chatPath(agent)}/attachments/${encodeURIComponent(file.id)}${query}`;
}

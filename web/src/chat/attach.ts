/** Reading files for a message: images are made as small as models look at them, and all must fit into one request. */

import { bytes } from "../ui/format";
import type { OwnFile } from "./files";

/** Providers scale an image down to this many pixels a side, whatever they are sent. */
const LONGEST_SIDE = 1568;
/** The server takes a body of 1 MiB; base64 makes four bytes of three. */
export const MOST_BYTES = 700_000;
export const MOST_FILES = 10;
const KEPT_AS_IT_IS = 200_000;
const QUALITIES = [0.85, 0.6, 0.4];

/** The file as it is sent. Throws an Error with words for the user. */
export async function readFile(file: File): Promise<OwnFile> {
  const blob = /^image\/(png|jpeg|webp)$/.test(file.type) ? await smaller(file) : file;
  if (blob.size > MOST_BYTES) throw new Error(tooLarge(file.name, blob.size));
  return {
    id: null,
    name: file.name,
    mediaType: blob.type || "text/plain",
    size: blob.size,
    data: await base64(blob),
  };
}

function tooLarge(name: string, size: number): string {
  return `${name} has ${bytes(size)}; ${bytes(MOST_BYTES)} can be attached. Give the agent a file to read instead.`;
}

/** Those that fit beside what is attached already. Throws an Error with words for the user. */
export function together(files: readonly OwnFile[], more: readonly OwnFile[]): readonly OwnFile[] {
  const all = [...files, ...more];
  if (all.length > MOST_FILES) throw new Error(`${MOST_FILES} files can go with a message.`);
  const size = all.reduce((sum, file) => sum + file.size, 0);
  if (size > MOST_BYTES) {
    throw new Error(`The files have ${bytes(size)} together; ${bytes(MOST_BYTES)} can go with a message.`);
  }
  return all;
}

/** How large an image of that size is sent. */
export function fit(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

async function smaller(file: File): Promise<Blob> {
  const image = await createImageBitmap(file).catch(() => null);
  if (image === null) throw new Error(`${file.name} is no image that this browser can read.`);
  const size = fit(image.width, image.height);
  if (file.size <= KEPT_AS_IT_IS && size.width === image.width && size.height === image.height) return file;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, size);
  const context = canvas.getContext("2d");
  if (context === null) return file;
  context.fillStyle = "#fff"; // a JPEG has no transparency
  context.fillRect(0, 0, size.width, size.height);
  context.drawImage(image, 0, 0, size.width, size.height);
  image.close();
  let best: Blob = file;
  for (const quality of QUALITIES) {
    const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (made !== null && made.size < best.size) best = made;
    if (best.size <= MOST_BYTES / 2) break;
  }
  return best;
}

async function base64(blob: Blob): Promise<string> {
  const data = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return btoa(text);
}

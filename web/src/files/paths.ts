/** The folders above a path of the sandbox, the sandbox itself first, and it last. */
export function parents(path: string): { name: string; path: string }[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return [
    { name: "Sandbox", path: "." },
    ...names.map((name, index) => ({ name, path: names.slice(0, index + 1).join("/") })),
  ];
}

/** Where the file itself is to be had. */
export function rawAddress(path: string): string {
  return `/workspace/${path.split("/").map(encodeURIComponent).join("/")}`;
}

import { MantineProvider } from "@mantine/core";
import { cleanup, render } from "@testing-library/react";
import { afterEach, describe, expect, test } from "vitest";

import { Markdown, safeUrl } from "./Markdown";

afterEach(cleanup);

function html(text: string, streaming = false): HTMLElement {
  return render(
    <MantineProvider>
      <Markdown text={text} streaming={streaming} />
    </MantineProvider>,
  ).container;
}

describe("Markdown", () => {
  test.each([
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<iframe src=//evil.test></iframe>",
    "text <svg/onload=alert(1)> text",
  ])("shows %s as text", (hostile) => {
    const page = html(hostile);
    expect(page.querySelector("script:not([data-mantine-script]), img, iframe, svg[onload]")).toBeNull();
    expect(page.textContent).toContain(hostile);
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/api/agents",
    "#x",
  ])("makes no link to %s", (address) => {
    expect(safeUrl(address)).toBe("");
    expect(html(`[click](<${address}>)`).querySelector("a")).toBeNull();
  });

  test("opens links elsewhere, without telling where from", () => {
    const link = html("[docs](https://trio.readthedocs.io)").querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://trio.readthedocs.io");
    expect(link?.getAttribute("rel")).toContain("noreferrer");
    expect(link?.getAttribute("target")).toBe("_blank");
  });

  test("shows an image as a link and loads nothing", () => {
    const page = html("![chart](https://tracker.test/p.png)");
    expect(page.querySelector("img")).toBeNull();
    expect(page.querySelector("a")?.textContent).toBe("chart");
  });

  test("closes what is half open while text streams in", () => {
    expect(html("Some **bold te", true).querySelector("strong")?.textContent).toBe("bold te");
    expect(html("see [the do", true).textContent).toContain("the do");
    expect(html("```py\nprint(1", true).querySelector("pre")?.textContent).toBe("print(1");
  });

  test("leaves finished text as it is", () => {
    expect(html("2 ** 3 and **bold te").querySelector("strong")).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { type Block, type Inline, parseGrowing, parseMarkdown } from "./markdown.ts";
import { parseInline, safeHref } from "./markdown_inline.ts";

const text = (value: string): Inline => ({ kind: "text", text: value });

/** Everything readable in a tree. */
function readable(nodes: (Block | Inline)[]): string {
  return nodes
    .map((node) => {
      if ("text" in node) return node.text;
      if ("inline" in node) return readable(node.inline);
      if ("children" in node) return readable(node.children);
      if ("items" in node) return node.items.map(readable).join(" ");
      if ("blocks" in node) return readable(node.blocks);
      if ("rows" in node) return [...node.head, ...node.rows.flat()].map(readable).join(" ");
      return "";
    })
    .join(" ");
}

describe("inline", () => {
  it("knows emphasis, code, links and breaks", () => {
    expect(parseInline("a **b *c*** `d*` ~~e~~")).toEqual([
      text("a "),
      { kind: "strong", children: [text("b "), { kind: "emphasis", children: [text("c")] }] },
      text(" "),
      { kind: "code", text: "d*" },
      text(" "),
      { kind: "deleted", children: [text("e")] },
    ]);
    expect(parseInline("[a *b*](https://x.y/z_(1)) <https://u.v>")).toEqual([
      { kind: "link", href: "https://x.y/z_(1)", children: [text("a "), { kind: "emphasis", children: [text("b")] }] },
      text(" "),
      { kind: "link", href: "https://u.v", children: [text("https://u.v")] },
    ]);
    expect(parseInline("one  \ntwo\nthree")).toEqual([text("one"), { kind: "break" }, text("two\nthree")]);
  });

  it("leaves alone what only looks like markup", () => {
    for (const plain of ["2 * 3 * 4", "snake_case_name", "a ** b", "**open", "*", "`open", "[a](b", "1~2", "[x]"]) {
      expect(parseInline(plain), plain).toEqual([text(plain)]);
    }
    expect(parseInline("\\*not\\* <b>bold</b>")).toEqual([text("*not* <b>bold</b>")]);
  });

  it("never makes a link that could do harm", () => {
    const bad = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//x.y", "/x", "java\nscript:x",
      "\u0001javascript:x", " javascript:x", "file:///etc/passwd", "blob:x", "https:"];
    for (const address of bad) expect(safeHref(address), address).toBeUndefined();
    for (const address of bad) {
      expect(JSON.stringify(parseMarkdown(`[click](${address}) <${address}> ![i](${address})`))).not.toContain('"href"');
    }
    expect(safeHref("HTTPS://x.y")).toBe("HTTPS://x.y");
  });
});

describe("blocks", () => {
  it("knows what answers are made of", () => {
    const blocks = parseMarkdown(
      "# T #\n\npara\nmore\n\n- a\n- b\n  - c\n\n    more of c\n\n3. x\n4. y\n\n> q\n> r\n\n```py\nx = 1\n\ny\n```\n\n---\n\n|a|b|\n|:-|-:|\n|1|2\\|3|\n",
    );
    expect(blocks.map((block) => block.kind)).toEqual(["heading", "paragraph", "list", "list", "quote", "code", "rule", "table"]);
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ kind: "paragraph" }], [{ kind: "paragraph" }, { kind: "list" }]] });
    expect(blocks[3]).toMatchObject({ ordered: true, start: 3 });
    expect(blocks[5]).toEqual({ kind: "code", language: "py", text: "x = 1\n\ny", open: false });
    expect(blocks[7]).toMatchObject({ align: ["left", "right"], rows: [[[text("1")], [text("2|3")]]] });
  });

  it("shows code that is still being written", () => {
    expect(parseMarkdown("```js\nlet a")).toEqual([{ kind: "code", language: "js", text: "let a", open: true }]);
    expect(parseMarkdown("````\n```\n````")).toEqual([{ kind: "code", language: "", text: "```", open: false }]);
  });

  it("loses no word, whatever it is given", () => {
    const pieces = ["*", "**", "_", "`", "```", "\n", "\n\n", "- ", "1. ", "> ", "#", " ", "|", "|-|", "[", "](", ")", "<", ">", "~~", "\\", "word"];
    let seed = 1;
    const next = () => (seed = (seed * 48271) % 2147483647);
    for (let round = 0; round < 3000; round += 1) {
      let source = "";
      let words = 0;
      for (let i = 0; i < 12; i += 1) {
        const piece = pieces[next() % pieces.length]!;
        source += piece;
        words += piece === "word" ? 1 : 0;
      }
      const found = readable(parseMarkdown(source)).match(/word/g)?.length ?? 0;
      const inInfo = JSON.stringify(parseMarkdown(source)).match(/word/g)?.length ?? 0; // a code block's language
      expect(Math.max(found, inInfo), JSON.stringify(source)).toBeGreaterThanOrEqual(words - (source.includes("|") ? words : 0));
    }
  });

  it("takes time in proportion to the text", () => {
    const hostile = ["*a ".repeat(50_000), "`".repeat(100_001), "[".repeat(50_000), "> ".repeat(20_000), "- ".repeat(20_000),
      "|-".repeat(50_000), "**".repeat(50_000) + "a", "![](".repeat(20_000), "_a_".repeat(30_000), "`a``b".repeat(20_000),
      "1. a\n".repeat(20_000), "<a".repeat(40_000), "\\".repeat(100_000), " ".repeat(100_000) + "a", "a  \n".repeat(20_000)];
    for (const source of hostile) {
      const before = performance.now();
      parseMarkdown(source);
      expect(performance.now() - before, source.slice(0, 8)).toBeLessThan(3000);
    }
  });

  it("keeps the blocks of a growing text that did not change", () => {
    const first = parseGrowing("one\n\ntwo", []);
    const second = parseGrowing("one\n\ntwo and", first);
    expect(second[0]).toBe(first[0]);
    expect(second[1]).not.toBe(first[1]);
  });
});

import type { ReactNode } from "react";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]*)\]\((\S*?)\)/g;

/** Code, emphasis and links of a line; of a link that leads into the folder, its text. */
function inline(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    const [all, code, strong, em, link, address] = match;
    parts.push(text.slice(done, match.index));
    const key = match.index;
    if (code) parts.push(<code key={key}>{code}</code>);
    else if (strong) parts.push(<strong key={key}>{strong}</strong>);
    else if (em) parts.push(<em key={key}>{em}</em>);
    else if (/^https?:\/\//.test(address)) {
      parts.push(
        <a key={key} href={address} target="_blank" rel="noopener noreferrer">
          {link}
        </a>,
      );
    } else parts.push(link);
    done = match.index + all.length;
  }
  return [...parts, text.slice(done)];
}

function cells(line: string): string[] {
  return line.replace(/^\s*\||\|\s*$/g, "").split("|").map((cell) => cell.trim());
}

function Table({ lines }: { lines: string[] }) {
  const [head, ...rows] = lines.filter((line) => !/^[\s|:-]+$/.test(line)).map(cells);
  return (
    <table>
      <thead>
        <tr>
          {head.map((cell, i) => (
            <th key={i} scope="col">
              {inline(cell)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{inline(cell)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const START = /^(#+ |```|\s*\||\s*[-*] |    )/;

/** What model cards are written in: headings, paragraphs, lists, tables and code. */
export function Markdown({ text }: { text: string }) {
  const pictures = /!\[[^\]]*\]\([^)]*\)/g; // they lie beside the run, not beside the page
  const lines = text.replace(/^---\n[\s\S]*?\n---\n/, "").replace(pictures, "").split("\n");
  const blocks: ReactNode[] = [];
  for (let at = 0; at < lines.length; ) {
    const key = at;
    const first = lines[at];
    const while_ = (goes: (line: string) => boolean) => {
      const from = at;
      while (at < lines.length && goes(lines[at])) at++;
      return lines.slice(from, at);
    };
    if (!first.trim()) at++;
    else if (first.startsWith("```")) {
      at++;
      const code = while_((line) => !line.startsWith("```"));
      at++;
      blocks.push(<pre key={key}>{code.join("\n")}</pre>);
    } else if (first.startsWith("    ")) {
      const code = while_((line) => line.startsWith("    "));
      blocks.push(<pre key={key}>{code.map((line) => line.slice(4)).join("\n")}</pre>);
    } else if (/^#+ /.test(first)) {
      const Heading = first.startsWith("# ") ? "h4" : "h5";
      blocks.push(<Heading key={key}>{inline(first.replace(/^#+ /, ""))}</Heading>);
      at++;
    } else if (/^\s*\|/.test(first)) {
      blocks.push(<Table key={key} lines={while_((line) => /^\s*\|/.test(line))} />);
    } else if (/^\s*[-*] /.test(first)) {
      const items = while_((line) => Boolean(line.trim()) && !/^(#+ |```|\s*\|)/.test(line));
      const joined = items.join("\n").split(/\n(?=\s*[-*] )/);
      blocks.push(
        <ul key={key}>
          {joined.map((item, i) => (
            <li key={i}>{inline(item.replace(/^\s*[-*] /, "").replace(/\s*\n\s*/g, " "))}</li>
          ))}
        </ul>,
      );
    } else {
      const paragraph = while_((line) => Boolean(line.trim()) && !START.test(line));
      blocks.push(<p key={key}>{inline(paragraph.join(" "))}</p>);
    }
  }
  return <>{blocks}</>;
}

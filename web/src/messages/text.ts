/** Cuts text to about `most` characters, at the end of a line or word where one is near; null when it is short enough to stand whole. */
export function clipped(text: string, most: number): string | null {
  if (text.length <= most * 1.2) return null; // the last fifth is sooner read than unfolded
  const cut = text.slice(0, most);
  const line = cut.lastIndexOf("\n");
  const word = cut.lastIndexOf(" ");
  return cut.slice(0, line > most * 0.7 ? line : word > most * 0.8 ? word : most);
}

/** Bytes of a text as UTF-8. */
export function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Whether laying text out as markdown would change how it looks. */
export function looksLikeMarkdown(text: string): boolean {
  return /(^|\n)\s{0,3}(#{1,6} |[-*+] |\d+[.)] |>|```|~~~|\|.*\|)|\*\*|__|`|\[[^\]]+\]\(/.test(text);
}

/** Names the explorer's editors to screen readers: each takes the name of the section that it stands in. */
export function labelEditors(root: HTMLElement): void {
  const label = () => {
    for (const field of root.querySelectorAll("textarea:not([aria-label])")) {
      const section = field.closest("section[aria-label]")?.getAttribute("aria-label");
      field.setAttribute("aria-label", section ?? "Result");
    }
  };
  label();
  new MutationObserver(label).observe(root, { childList: true, subtree: true });
}

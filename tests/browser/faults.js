// What is wrong with the page as it is shown now, for those who do not see it, or not well.
() => {
  const controls = "button, input, textarea, select, a[href], [tabindex='0'], dialog[open]";
  const pointers = ["aria-labelledby", "aria-describedby", "aria-controls"];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const pointed = (element, name) => (element.getAttribute(name) ?? "").split(" ").filter(Boolean);

  const hasName = (element) => {
    const labels = [...(element.labels ?? []), ...pointed(element, "aria-labelledby").map((id) => document.getElementById(id))];
    if (["A", "BUTTON"].includes(element.tagName)) labels.push(element);
    return Boolean(element.getAttribute("aria-label")?.trim()) || labels.some((label) => label?.textContent.trim());
  };
  const nameless = all(controls).filter((each) => isSeen(each) && !hasName(each)).map((each) => `no name: ${each.outerHTML}`);

  const ids = all("[id]").map(({ id }) => id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`);
  const lost = pointers
    .flatMap((name) => all(`[${name}]`).flatMap((each) => pointed(each, name)))
    .filter((id) => !document.getElementById(id))
    .map((id) => `nowhere: ${id}`);

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => rgba(color).slice(0, 3)
    .map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each);
      if (rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
    return "white";
  };
  const contrast = (element) => {
    const [less, more] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const faint = all("body *")
    .filter((each) => hasText(each) && isSeen(each) && !each.closest(":disabled") && contrast(each) < 4.5)
    .map((each) => `faint (${contrast(each).toFixed(2)}): ${each.outerHTML}`);

  return [...nameless, ...twice, ...lost, ...faint];
}

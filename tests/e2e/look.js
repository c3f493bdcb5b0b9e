/* What a program can see of a screen: returns {overflow, clipped, faint, primaries}. Texts are ours or a test table's. */
() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = colour => {  // any CSS colour -> [r, g, b, alpha] with 0-255 and 0-1
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1); pen.fillStyle = "#000"; pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = element => {  // what lies behind its letters, all see-through layers laid on each other
    const layers = [], box = element.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    let scrolls = false;  // what scrolls lies behind its content wherever that is at the moment
    for (let each = element; each; each = each.parentElement) {
      const at = each.getBoundingClientRect();
      scrolls ||= getComputedStyle(each).overflowY !== "visible";
      if (!scrolls && (x < at.left || x > at.right || y < at.top || y > at.bottom)) continue;  // it hangs outside, as over a slider
      const colour = rgba(getComputedStyle(each).backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = colour => {  // relative luminance, WCAG 2.2
    const [r, g, b] = colour.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const shown = element => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && style.visibility === "visible" && element.checkVisibility({ opacityProperty: true });
  };
  const words = element => [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(" ").trim();
  const name = element => `${element.tagName.toLowerCase()}.${String(element.className).slice(0, 40)} "${words(element).slice(0, 40)}"`;

  const main = document.querySelector('[data-testid="stMain"]');
  const overflow = [document.documentElement, main].filter(e => e.scrollWidth > e.clientWidth).map(e => `${e.tagName} ${e.scrollWidth} > ${e.clientWidth}`);
  const clipped = [], faint = [];
  for (const element of document.querySelectorAll('[data-testid="stApp"] *')) {
    if (!words(element) || !shown(element) || ["STYLE", "SCRIPT", "NOSCRIPT", "CANVAS"].includes(element.tagName)) continue;
    if (element.closest("svg, [data-testid='stIconMaterial']")) continue;
    const style = getComputedStyle(element), hides = /hidden|clip/;
    const cut = (hides.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1)
      || (hides.test(style.overflowY) && element.scrollHeight > element.clientHeight + 1);
    const said = element.closest("[title]") || element.closest("[aria-label]");  // shortened on purpose, whole on hover
    if (cut && !(style.textOverflow === "ellipsis" && said)) clipped.push(name(element));
    let alpha = 1;
    for (let each = element; each; each = each.parentElement) alpha *= parseFloat(getComputedStyle(each).opacity);
    const behind = ground(element), front = rgba(style.color);
    const ratio = contrast(over([front[0], front[1], front[2], front[3] * alpha], behind), behind);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${name(element)}`);
  }
  const primaries = [...document.querySelectorAll('[data-testid^="stBaseButton-primary"]')].filter(shown).map(e => e.innerText);
  return { overflow, clipped: [...new Set(clipped)], faint: [...new Set(faint)], primaries };
}

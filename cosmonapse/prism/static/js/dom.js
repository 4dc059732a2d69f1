// Elements without HTML text: whatever comes from a payload goes through textContent.

/** Make an element; `props` are class, text, listeners (functions) and attributes. */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Set the text if it is another one: an unchanged node costs no layout. */
export function put(node, text) {
  if (node.prismText !== text) {
    node.prismText = text;
    node.textContent = text;
  }
}

/** Set the class if it is another one. */
export function dress(node, name) {
  if (node.className !== name) node.className = name;
}

/** Set or clear an attribute if it changes. */
export function mark(node, name, value) {
  if (value === null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Make the children of `parent` as many as `count`, reusing what is there. */
export function fit(parent, count, make) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) parent.append(make());
  return parent.children;
}

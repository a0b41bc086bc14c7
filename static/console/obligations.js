"use strict";

/* Obligations as a choice of kinds with fields for their parameters.
 *
 * The list travels as JSON in a text area, which stays the field of the form. An obligation that the page does not know
 * is shown as it is and kept until somebody removes it; the server says what is wrong with it.
 */

function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value === "boolean") node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function symbol(name) {
  return made("span", { class: "material-symbols-outlined as-icon", "aria-hidden": "true" }, name);
}

class ObligationList {
  constructor(area) {
    this.area = area;
    this.kinds = new Map(JSON.parse(area.dataset.obligationKinds).map((each) => [each.kind, each]));
    this.items = this.read();
    if (this.items === null) return; // not a list: it can only be mended as text
    area.hidden = true;
    this.root = made("div", { class: "cb-items", "data-obligations": "" });
    area.after(this.root);
    this.render();
  }

  read() {
    try {
      const items = JSON.parse(this.area.value || "[]") ?? [];
      return Array.isArray(items) && items.every((each) => each && typeof each === "object") ? items : null;
    } catch {
      return null;
    }
  }

  write() {
    this.area.value = JSON.stringify(this.items);
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  render() {
    this.root.replaceChildren(...this.items.map((item, index) => this.row(item, index)));
    if (!this.area.disabled) this.root.append(this.adder());
  }

  row(item, index) {
    const known = this.kinds.get(item.kind);
    const fields = (known?.parameters ?? []).map((parameter) => this.field(item, parameter));
    const help = known ? known.help : `This page does not know “${item.kind}” ${JSON.stringify(item.parameters ?? {})}.`;
    const remove = made(
      "button",
      { type: "button", class: "cb-remove", title: "Remove this obligation", "aria-label": "Remove this obligation", onclick: () => this.remove(index) },
      symbol("close"),
    );
    return made(
      "div",
      { class: "cb-row", role: "group", "aria-label": known?.title ?? String(item.kind) },
      made("div", { class: "cb-line" }, made("div", { class: "cb-controls" }, made("strong", {}, known?.title ?? String(item.kind)), ...fields), this.area.disabled ? null : remove),
      made("p", { class: known ? "cb-help" : "as-field__errors" }, help),
    );
  }

  field(item, parameter) {
    const { schema } = parameter;
    return made(
      "label",
      { class: "cb-parameter" },
      parameter.label,
      made("input", {
        class: "cb-input",
        type: parameter.number ? "number" : "text",
        min: schema.minimum,
        max: schema.maximum,
        maxlength: schema.maxLength,
        title: parameter.help,
        autocomplete: "off",
        disabled: this.area.disabled,
        value: item.parameters?.[parameter.name] ?? "",
        oninput: (event) => this.set(item, parameter, event.target.value),
      }),
    );
  }

  set(item, parameter, text) {
    item.parameters = { ...item.parameters };
    if (text === "") delete item.parameters[parameter.name];
    else item.parameters[parameter.name] = parameter.number ? Number(text) : text;
    this.write();
  }

  remove(index) {
    this.items.splice(index, 1);
    this.write();
    this.render();
    this.root.querySelector("select")?.focus();
  }

  adder() {
    const choice = made("select", { class: "cb-input", "aria-label": "Add an obligation", onchange: (event) => this.add(event.target.value) });
    choice.append(made("option", { value: "" }, this.items.length > 0 ? "Add another obligation" : "Add an obligation"));
    for (const each of this.kinds.values()) choice.append(made("option", { value: each.kind }, each.title));
    return choice;
  }

  add(kind) {
    if (!kind) return;
    this.items.push({ kind, parameters: {} });
    this.write();
    this.render();
    const rows = this.root.querySelectorAll(".cb-row");
    (rows[rows.length - 1].querySelector("input") ?? this.root.querySelector("select")).focus();
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const area of document.querySelectorAll("textarea[data-obligation-kinds]")) new ObligationList(area);
});

"use strict";

/* The condition builder of the ABAC rule form.
 *
 * It offers only what the server's form schema names: attributes, operators, values, other attributes. The condition
 * lives in a hidden field as JSON, in the form that the rulebook reads:
 *   {"all": […]} | {"any": […]} | {"not": {…}} | {"attr": "…", "op": "…", "value": … | "other": "…"}
 * A group of the builder is all, any, none (not any) or notall (not all). A group of one is written as its item.
 */

const MODES = {
  all: "All of these hold",
  any: "At least one of these holds",
  none: "None of these holds",
  notall: "Not all of these hold",
};
const PREVIEW_DELAY_MS = 300;
let serial = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && typeof value === "boolean") made[name] = value;
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function icon(name) {
  return element("span", { class: "material-symbols-outlined as-icon", "aria-hidden": "true" }, name);
}

class ConditionBuilder {
  constructor(root) {
    this.root = root;
    this.form = root.closest("form");
    this.field = this.form.elements.condition;
    this.inputClass = root.dataset.inputClass;
    this.readonly = root.dataset.readonly === "true";
    this.suggestions = JSON.parse(document.getElementById("builder-suggestions").textContent);
    this.useSchema(JSON.parse(document.getElementById("builder-schema").textContent));
    this.tree = this.groupFrom(JSON.parse(document.getElementById("builder-condition").textContent));
    this.render();
    this.showErrors(JSON.parse(document.getElementById("builder-errors").textContent));
    this.write();
    for (const box of this.form.querySelectorAll('[name="actions"]')) {
      box.addEventListener("change", () => this.reloadSchema());
    }
    this.form.addEventListener("change", () => this.hideObligations());
    this.hideObligations();
    this.form.addEventListener("input", (event) => {
      if (!this.root.contains(event.target)) this.schedulePreview();
    });
    this.schedulePreview();
  }

  /* --- schema --------------------------------------------------------------------------------------------------- */

  useSchema(schema) {
    this.schema = schema;
    this.attributes = new Map();
    for (const group of schema.groups) for (const each of group.attributes) this.attributes.set(each.path, each);
  }

  actions() {
    return [...this.form.querySelectorAll('[name="actions"]:checked')].map((box) => box.value);
  }

  async reloadSchema() {
    const query = new URLSearchParams(this.actions().map((action) => ["action", action]));
    const answer = await fetch(`${this.root.dataset.schemaUrl}?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    this.useSchema(await answer.json());
    this.render();
    this.changed();
  }

  /* Only a rule that permits can carry obligations. */
  hideObligations() {
    const field = document.getElementById("field-obligations");
    field.hidden = this.form.querySelector('[name="effect"]:checked')?.value !== "permit";
  }

  /* --- tree ----------------------------------------------------------------------------------------------------- */

  groupFrom(data) {
    const node = this.nodeFrom(data);
    return node.items ? node : { mode: "all", items: [node] };
  }

  nodeFrom(data) {
    if (!data || typeof data !== "object" || Object.keys(data).length === 0) return this.emptyRow();
    if (Array.isArray(data.all)) return { mode: "all", items: data.all.map((item) => this.nodeFrom(item)) };
    if (Array.isArray(data.any)) return { mode: "any", items: data.any.map((item) => this.nodeFrom(item)) };
    if (data.not) {
      const inner = this.nodeFrom(data.not);
      if (inner.items && inner.mode === "any") return { ...inner, mode: "none" };
      if (inner.items && inner.mode === "all") return { ...inner, mode: "notall" };
      return { mode: "none", items: [inner] };
    }
    return { attr: data.attr || "", op: data.op || "", value: data.value, other: data.other || null };
  }

  emptyRow() {
    return { attr: "", op: "", value: undefined, other: null };
  }

  /* Return the JSON of a node and remember at each node the path by which the server will name it. */
  jsonOf(node, path) {
    node.path = path;
    if (!node.items) {
      const json = { attr: node.attr, op: node.op };
      if (node.other) json.other = node.other;
      else if (node.value !== undefined) json.value = node.value;
      return json;
    }
    const negated = node.mode === "none" || node.mode === "notall";
    const word = node.mode === "any" || node.mode === "none" ? "any" : "all";
    const base = negated ? `${path}.not` : path;
    const single = node.items.length === 1;
    const items = node.items.map((item, index) => this.jsonOf(item, single ? base : `${base}.${word}[${index}]`));
    const inner = single ? items[0] : { [word]: items };
    return negated ? { not: inner } : inner;
  }

  incomplete(node) {
    if (node.items) return node.items.length === 0 || node.items.some((item) => this.incomplete(item));
    const operator = this.operatorOf(node);
    if (!operator) return true;
    if (operator.takes === "nothing" || node.other) return false;
    if (operator.takes === "value") return node.value === undefined || node.value === "";
    const wanted = operator.takes === "range" ? 2 : 1;
    return !Array.isArray(node.value) || node.value.filter((each) => each !== "" && each !== undefined).length < wanted;
  }

  operatorOf(node) {
    return this.attributes.get(node.attr)?.operators.find((each) => each.value === node.op);
  }

  parts(node) {
    return node.items ? 1 + node.items.reduce((sum, item) => sum + this.parts(item), 0) : 1;
  }

  write() {
    this.field.value = JSON.stringify(this.jsonOf(this.tree, "condition"));
  }

  changed() {
    this.write();
    this.schedulePreview();
  }

  /* --- drawing -------------------------------------------------------------------------------------------------- */

  /* Draws everything anew; who was at a control of the builder stays at it. */
  render() {
    const here = this.root.contains(document.activeElement) ? document.activeElement : null;
    const node = here?.closest("[data-node]")?.dataset.node;
    this.root.replaceChildren(this.group(this.tree, null, 1));
    if (node && here.dataset.part) this.root.querySelector(`[data-node="${node}"] [data-part="${here.dataset.part}"]`)?.focus();
  }

  group(node, parent, depth) {
    node.id = node.id || `node-${(serial += 1)}`;
    const mode = element("select", {
      class: this.inputClass,
      "data-part": "mode",
      "aria-label": "How the conditions of this group are combined",
      disabled: this.readonly,
      onchange: (event) => {
        node.mode = event.target.value;
        this.changed();
      },
    });
    for (const [value, label] of Object.entries(MODES)) {
      mode.append(element("option", { value, selected: value === node.mode }, label));
    }
    const list = element("div", { class: "cb-items" });
    for (const item of node.items) list.append(item.items ? this.group(item, node, depth + 1) : this.row(item, node));
    const full = this.parts(this.tree) >= this.schema.limits.parts;
    const deep = depth + 2 > this.schema.limits.depth;
    return element(
      "fieldset",
      { class: "cb-group", "data-node": node.id, "data-depth": String(depth) },
      element("legend", { class: "cb-legend" }, depth === 1 ? "Conditions" : "Group of conditions"),
      element("div", { class: "cb-head" }, mode, parent ? this.remover(node, parent, "Remove this group") : null),
      list,
      this.readonly
        ? null
        : element(
            "div",
            { class: "cb-foot" },
            this.adder("Add condition", "add", full, () => this.add(node, this.emptyRow(), '[data-part="attr"]')),
            this.adder("Add group", "account_tree", full || deep, () =>
              this.add(node, { mode: "any", items: [this.emptyRow()] }, '[data-part="attr"]'),
            ),
          ),
      element("ul", { class: "as-field__errors cb-errors", role: "alert" }),
    );
  }

  adder(label, symbol, disabled, onclick) {
    return element("button", { type: "button", class: "as-button as-button--small", disabled, onclick }, icon(symbol), label);
  }

  add(group, node, focus) {
    group.items.push(node);
    this.render();
    this.changed();
    this.root.querySelector(`[data-node="${node.id}"] ${focus}`)?.focus();
  }

  remover(node, parent, label) {
    if (this.readonly) return null;
    return element(
      "button",
      {
        type: "button",
        class: "cb-remove",
        title: label,
        "aria-label": label,
        onclick: () => {
          parent.items.splice(parent.items.indexOf(node), 1);
          if (parent.items.length === 0) parent.items.push(this.emptyRow());
          this.render();
          this.changed();
          this.root.querySelector(`[data-node="${parent.id}"] > .cb-foot button`)?.focus();
        },
      },
      icon("close"),
    );
  }

  /* A row has four places: fact, comparison, what to compare with, value. A change draws only the places after it
   * anew, so that a drop-down that is being walked through with the keyboard stays what and where it is. */
  row(node, parent) {
    node.id = node.id || `node-${(serial += 1)}`;
    const places = Array.from({ length: 4 }, () => element("span", { class: "cb-place" }));
    const help = element("p", { class: "cb-help" });
    const draw = (from) => {
      const made = [this.attributeSelect, this.operatorSelect, this.sideSelect, this.valueControl];
      for (let place = from; place < places.length; place += 1) {
        const control = made[place].call(this, node, () => draw(place + 1));
        places[place].replaceChildren(...(control ? [control] : []));
      }
      const attribute = this.attributes.get(node.attr);
      const lost = node.attr && !attribute;
      help.className = lost ? "as-field__errors" : "cb-help";
      help.textContent = lost
        ? `“${node.attr}” is not known for every chosen action. Choose another fact or other actions.`
        : (attribute?.help ?? "");
      if (from > 0) this.changed();
    };
    draw(0);
    return element(
      "div",
      { class: "cb-row", "data-node": node.id, role: "group", "aria-label": "Condition" },
      element(
        "div",
        { class: "cb-line" },
        element("div", { class: "cb-controls" }, ...places),
        this.remover(node, parent, "Remove this condition"),
      ),
      help,
      element("ul", { class: "as-field__errors cb-errors", role: "alert" }),
    );
  }

  select(part, label, options, chosen, onchange) {
    const made = element("select", {
      class: this.inputClass,
      "data-part": part,
      "aria-label": label,
      disabled: this.readonly,
      onchange: (event) => onchange(event.target.value),
    });
    for (const { value, label: text } of options) made.append(element("option", { value, selected: value === chosen }, text));
    return made;
  }

  attributeSelect(node, changed) {
    const made = this.select("attr", "Fact", [{ value: "", label: "Choose a fact" }], node.attr, (path) => {
      Object.assign(node, this.emptyRow(), { attr: path });
      node.op = this.attributes.get(path)?.operators[0].value ?? "";
      this.preset(node);
      changed();
    });
    if (node.attr && !this.attributes.has(node.attr)) {
      made.append(element("option", { value: node.attr, selected: true }, node.attr));
    }
    for (const group of this.schema.groups) {
      const options = group.attributes.map((each) =>
        element("option", { value: each.path, selected: each.path === node.attr, title: each.help }, each.label),
      );
      made.append(element("optgroup", { label: group.name }, ...options));
    }
    return made;
  }

  operatorSelect(node, changed) {
    const attribute = this.attributes.get(node.attr);
    if (!attribute) return null;
    return this.select("op", "Comparison", attribute.operators, node.op, (op) => {
      const before = this.operatorOf(node)?.takes;
      node.op = op;
      const operator = this.operatorOf(node);
      if (operator.takes !== before) {
        node.value = undefined;
        this.preset(node);
      }
      if (node.other && !operator.others.some((each) => each.path === node.other)) node.other = null;
      changed();
    });
  }

  /* A drop-down shows its first value; what is shown is what is meant. */
  preset(node) {
    const attribute = this.attributes.get(node.attr);
    if (this.operatorOf(node)?.takes === "value" && attribute.values.length > 0) node.value = attribute.values[0].value;
  }

  sideSelect(node, changed) {
    const operator = this.operatorOf(node);
    if (!operator || operator.others.length === 0) return null;
    if (this.attributes.get(node.attr).type === "bool" && node.other === null) return null;
    const sides = [
      { value: "value", label: operator.takes === "values" ? "these values" : "the value" },
      { value: "other", label: "another fact" },
    ];
    return this.select("side", "Compare with", sides, node.other !== null ? "other" : "value", (side) => {
      node.value = undefined;
      node.other = side === "other" ? operator.others[0].path : null;
      if (side === "value") this.preset(node);
      changed();
    });
  }

  otherSelect(node, operator) {
    const options = operator.others.map((each) => ({ value: each.path, label: each.label }));
    return this.select("other", "Other fact", options, node.other, (path) => {
      node.other = path;
      this.changed();
    });
  }

  /* --- values --------------------------------------------------------------------------------------------------- */

  valueControl(node) {
    const attribute = this.attributes.get(node.attr);
    const operator = this.operatorOf(node);
    if (!operator || operator.takes === "nothing") return null;
    if (node.other !== null) return this.otherSelect(node, operator);
    if (operator.takes === "range") return this.range(node, attribute);
    if (operator.takes === "values") return attribute.values.length > 0 ? this.ticks(node, attribute) : this.tokens(node, attribute);
    if (attribute.values.length > 0) return this.choice(node, attribute);
    return this.input(node, attribute, node.value, "Value", (value) => {
      node.value = value;
    });
  }

  choice(node, attribute) {
    const word = (each) => (attribute.type === "bool" ? (each.value ? "true" : "false") : each.label);
    const options = attribute.values.map((each) => ({ value: JSON.stringify(each.value), label: word(each) }));
    return this.select("value", "Value", options, JSON.stringify(node.value), (text) => {
      node.value = JSON.parse(text);
      this.changed();
    });
  }

  range(node, attribute) {
    const ends = Array.isArray(node.value) ? [...node.value] : [undefined, undefined];
    const end = (index, label) =>
      this.input(node, attribute, ends[index], label, (value) => {
        ends[index] = value;
        node.value = ends.every((each) => each !== undefined) ? [...ends] : undefined;
      });
    return element("span", { class: "cb-range" }, end(0, "From"), element("span", {}, "to"), end(1, "To"));
  }

  ticks(node, attribute) {
    const chosen = new Set(Array.isArray(node.value) ? node.value : []);
    const boxes = attribute.values.map((each) =>
      element(
        "label",
        { class: "cb-tick" },
        element("input", {
          type: "checkbox",
          "data-part": "value",
          checked: chosen.has(each.value),
          disabled: this.readonly,
          onchange: (event) => {
            if (event.target.checked) chosen.add(each.value);
            else chosen.delete(each.value);
            node.value = attribute.values.map((known) => known.value).filter((value) => chosen.has(value));
            this.changed();
          },
        }),
        each.label,
      ),
    );
    return element("span", { class: "cb-ticks", role: "group", "aria-label": "Values" }, ...boxes);
  }

  tokens(node, attribute) {
    const values = Array.isArray(node.value) ? [...node.value] : [];
    const box = element("span", { class: "cb-tokens" });
    const commit = (focus) => {
      node.value = values.length > 0 ? [...values] : undefined;
      this.changed();
      draw();
      if (focus) box.querySelector("input")?.focus();
    };
    const take = (text, focus) => {
      for (const part of text.split(",").map((each) => each.trim()).filter(Boolean)) {
        const value = this.parse(attribute, part);
        if (value !== undefined && !values.includes(value)) values.push(value);
      }
      commit(focus);
    };
    const draw = () => {
      const chips = values.map((value, index) =>
        element(
          "button",
          {
            type: "button",
            class: "cb-token",
            "aria-label": `Remove ${value}`,
            disabled: this.readonly,
            onclick: () => {
              values.splice(index, 1);
              commit(true);
            },
          },
          String(value),
          icon("close"),
        ),
      );
      const input = element("input", {
        type: "text",
        class: "cb-token-input",
        "data-part": "value",
        "aria-label": "Values; press Enter after each",
        placeholder: values.length === 0 ? "Type a value, press Enter" : "Add another",
        autocomplete: "off",
        list: this.datalist(attribute.path),
        disabled: this.readonly,
        onkeydown: (event) => {
          if ((event.key === "Enter" || event.key === ",") && event.target.value.trim()) {
            event.preventDefault();
            take(event.target.value, true);
          } else if (event.key === "Enter") {
            event.preventDefault();
          } else if (event.key === "Backspace" && event.target.value === "" && values.length > 0) {
            values.pop();
            commit(true);
          }
        },
        onchange: (event) => {
          if (event.target.value.trim()) take(event.target.value, false);
        },
      });
      box.replaceChildren(...chips, input);
    };
    draw();
    return box;
  }

  input(node, attribute, value, label, store) {
    const numeric = attribute.type === "int" || attribute.type === "number";
    const time = attribute.type === "time";
    return element("input", {
      class: this.inputClass,
      "data-part": "value",
      "aria-label": time ? `${label} (UTC)` : label,
      type: time ? "datetime-local" : numeric ? "number" : "text",
      step: attribute.type === "number" ? "any" : null,
      placeholder: numeric || time ? null : "Value",
      list: numeric || time ? null : this.datalist(attribute.path),
      autocomplete: "off",
      disabled: this.readonly,
      value: value === undefined ? "" : time ? String(value).slice(0, 16) : String(value),
      oninput: (event) => {
        store(this.parse(attribute, event.target.value));
        this.changed();
      },
    });
  }

  parse(attribute, text) {
    const trimmed = text.trim();
    if (trimmed === "") return undefined;
    if (attribute.type === "int" || attribute.type === "number") {
      const number = Number(trimmed);
      return Number.isFinite(number) ? number : undefined;
    }
    return attribute.type === "time" ? `${trimmed}:00Z` : trimmed;
  }

  datalist(path) {
    const names = this.suggestions[path];
    if (!names || names.length === 0) return null;
    const id = `suggest-${path}`;
    if (!document.getElementById(id)) {
      const options = names.map((name) => element("option", { value: name }));
      document.body.append(element("datalist", { id }, ...options));
    }
    return id;
  }

  /* --- errors and preview --------------------------------------------------------------------------------------- */

  nodes(node = this.tree) {
    return node.items ? [node, ...node.items.flatMap((item) => this.nodes(item))] : [node];
  }

  showErrors(errors) {
    this.write();
    for (const list of this.root.querySelectorAll(".cb-errors")) list.replaceChildren();
    for (const control of this.root.querySelectorAll('[aria-invalid="true"]')) control.removeAttribute("aria-invalid");
    for (const error of errors.filter((each) => each.path.startsWith("condition"))) {
      const inside = (node) => error.path === node.path || error.path.startsWith(`${node.path}.`) || error.path.startsWith(`${node.path}[`);
      const place = this.nodes()
        .filter(inside)
        .reduce((best, node) => (best && best.path.length > node.path.length ? best : node), null);
      const box = this.root.querySelector(`[data-node="${(place ?? this.tree).id}"]`);
      box.querySelector(":scope > .cb-errors").append(element("li", {}, error.message));
      const part = /\.(attr|op|value|other)(\[\d+\])?$/.exec(error.path)?.[1];
      if (part) box.querySelector(`[data-part="${part}"]`)?.setAttribute("aria-invalid", "true");
    }
  }

  schedulePreview() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.preview(), PREVIEW_DELAY_MS);
  }

  obligations(text) {
    try {
      return JSON.parse(text || "[]");
    } catch {
      return [];
    }
  }

  async preview() {
    const sentence = document.getElementById("rule-sentence");
    const rego = document.getElementById("rule-rego");
    const matches = document.getElementById("rule-matches");
    matches.textContent = "";
    const say = (text, tone) => {
      sentence.textContent = text;
      sentence.dataset.tone = tone;
    };
    if (this.actions().length === 0) return say("Choose at least one action to see the rule as a sentence.", "quiet");
    if (this.incomplete(this.tree)) return say("Complete every condition to see the rule as a sentence.", "quiet");
    this.pending?.abort();
    this.pending = new AbortController();
    const value = (name) => this.form.elements[name]?.value ?? "";
    const effect = this.form.querySelector('[name="effect"]:checked')?.value;
    const body = {
      slug: value("slug"),
      effect,
      actions: this.actions(),
      condition: this.jsonOf(this.tree, "condition"),
      reason_code: value("reason_code"),
      message: value("message"),
      obligations: effect === "permit" ? this.obligations(value("obligations")) : [],
    };
    try {
      const answer = await fetch(this.root.dataset.previewUrl, {
        method: "POST",
        credentials: "same-origin",
        signal: this.pending.signal,
        headers: { "Content-Type": "application/json", "X-CSRFToken": value("csrfmiddlewaretoken") },
        body: JSON.stringify(body),
      });
      if (!answer.ok) return say("The preview is not available just now.", "quiet");
      const result = await answer.json();
      this.showErrors(result.errors);
      if (result.errors.length > 0) {
        const elsewhere = result.errors.find((each) => !each.path.startsWith("condition"));
        rego.textContent = "";
        return say(elsewhere ? elsewhere.message : "The marked conditions do not make sense yet.", "bad");
      }
      rego.textContent = result.rego;
      const { matching, about, looked_at: lookedAt } = result.matches;
      const count = (number) => number.toLocaleString("en-GB");
      matches.textContent = lookedAt
        ? `Would match ${count(matching)} of the last ${count(lookedAt)} decisions (${count(about)} are about these actions).`
        : "No decision is on record yet to try it on.";
      return say(result.sentence, "good");
    } catch (error) {
      if (error.name !== "AbortError") say("The preview is not available just now.", "quiet");
    }
    return undefined;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const root of document.querySelectorAll("[data-condition-builder]")) new ConditionBuilder(root);
});

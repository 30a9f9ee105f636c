// A small After Effects: what the scripting guide says of the objects that a script of curves uses.
// node after_effects.js SCRIPT.jsx [--comp]: runs the script in it, and prints what came of the project as JSON.
// Only what ECMAScript 3 has is there, because ExtendScript has no more.
const fs = require("node:fs");
const vm = require("node:vm");

const ES3 = {
  Array: ["constructor", "toString", "toLocaleString", "concat", "join", "pop", "push", "reverse", "shift", "slice", "sort", "splice", "unshift", "length"],
  Object: ["constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"],
  String: ["constructor", "toString", "valueOf", "charAt", "charCodeAt", "concat", "indexOf", "lastIndexOf", "localeCompare", "match", "replace", "search", "slice", "split", "substring", "toLowerCase", "toLocaleLowerCase", "toUpperCase", "toLocaleUpperCase", "length"],
  Function: ["constructor", "toString", "apply", "call", "length", "name", "arguments", "caller"],
};
const GLOBALS = ["Object", "Function", "Array", "String", "Boolean", "Number", "Date", "RegExp", "Math", "NaN", "Infinity", "undefined", "parseInt", "parseFloat", "isNaN", "isFinite", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape", "eval", "globalThis",
  "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

class Property {
  constructor() { this.keys = []; }
  setValuesAtTimes(times, values) {
    if (times.length !== values.length) throw new Error("times and values differ in length");
    for (let i = 0; i < times.length; i++) this.setValueAtTime(times[i], values[i]);
  }
  setValueAtTime(time, value) {
    if (typeof time !== "number" || !isFinite(time)) throw new Error("time is no number");
    this.check(value);
    this.keys.push([time, value.comment === undefined ? value : value.comment]);
  }
}
class Slider extends Property {
  check(value) { if (typeof value !== "number" || !isFinite(value)) throw new Error("value is no number"); }
}
class Markers extends Property {
  check(value) { if (!(value instanceof MarkerValue)) throw new Error("value is no MarkerValue"); }
}
class MarkerValue {
  constructor(comment) { if (typeof comment !== "string") throw new Error("comment is no text"); this.comment = comment; }
}
class Effect {
  constructor() { this._slider = new Slider(); this._name = "Slider Control"; this.valid = true; }
  alive() { if (!this.valid) throw new Error("Object is invalid"); }
  get name() { this.alive(); return this._name; }
  set name(text) { this.alive(); this._name = text; }
  property(name) {
    this.alive();
    if (name !== "ADBE Slider Control-0001") return null;
    return this._slider;
  }
}
class Effects {
  constructor() { this.all = []; }
  addProperty(name) {
    if (name !== "ADBE Slider Control") throw new Error("cannot add " + name);
    // References to properties of an indexed group become invalid when one is added to it.
    this.all = this.all.map((one) => { one.valid = false; const copy = new Effect(); copy._slider = one._slider; copy._name = one._name; return copy; });
    const effect = new Effect();
    this.all.push(effect);
    return effect;
  }
}
class Layer {
  constructor(seconds) { this.name = "Null 1"; this.seconds = seconds; this.effects = new Effects(); this.markers = new Markers(); }
  property(name) {
    return { "ADBE Effect Parade": this.effects, "ADBE Marker": this.markers }[name] || null;
  }
}
class CompItem {
  constructor(...given) {
    const [name, width, height, aspect, seconds, rate] = given;
    if (given.length !== 6 || typeof name !== "string") throw new Error("addComp takes six arguments");
    if (!(width >= 4 && width <= 30000 && height >= 4 && height <= 30000)) throw new Error("size out of range");
    if (!(aspect >= 0.01 && aspect <= 100 && seconds > 0 && seconds <= 10800 && rate >= 1 && rate <= 99)) throw new Error("out of range");
    Object.assign(this, { name, seconds, rate, all: [] });
    this.layers = { addNull: (long) => { const layer = new Layer(long); this.all.unshift(layer); return layer; } };
  }
}

const open = process.argv[3] === "--comp" ? new CompItem("open", 1280, 720, 1, 60, 25) : null;
const project = { activeItem: open, comps: open ? [open] : [], items: {} };
project.items.addComp = (...given) => { const comp = new CompItem(...given); project.comps.push(comp); return comp; };
let groups = 0;
const app = { project, beginUndoGroup: () => { groups += 1; }, endUndoGroup: () => { groups -= 1; } };

const context = vm.createContext({});
const names = vm.runInContext("Object.getOwnPropertyNames(globalThis)", context);
for (const [kind, kept] of Object.entries(ES3)) {
  const holders = vm.runInContext(`[${kind}.prototype, ${kind}]`, context);
  for (const name of Object.getOwnPropertyNames(holders[0])) if (!kept.includes(name)) delete holders[0][name];
  for (const name of Object.getOwnPropertyNames(holders[1])) if (!["prototype", "length", "name", "fromCharCode"].includes(name)) delete holders[1][name];
}
for (const name of names) if (!GLOBALS.includes(name)) delete context[name];
Object.assign(context, { app, CompItem, MarkerValue });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
if (groups !== 0) throw new Error("undo groups do not match");
console.log(JSON.stringify(project.comps.map((comp) => ({
  name: comp.name, seconds: comp.seconds, rate: comp.rate,
  layers: comp.all.map((layer) => ({
    name: layer.name, seconds: layer.seconds, markers: layer.markers.keys,
    sliders: layer.effects.all.map((one) => [one.name, one.property("ADBE Slider Control-0001").keys]),
  })),
}))));

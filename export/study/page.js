"use strict";

// The study itself: codes, films and orders. Which code is which model is in no file of this folder.
const study = JSON.parse(document.getElementById("study").textContent);
const COLUMNS = ["participant", "trial", "sound", "model", "question", "answer", "seconds", "order", "version"];
const RATINGS = [
  { name: "realness", text: "How real does this video look?", low: "1: not real at all", high: "5: like a real video" },
  {
    name: "consistency", text: "How well do the picture and the sound belong together?",
    low: "1: not at all", high: "5: perfectly",
  },
];
const LARGEST_PARTICIPANT = 999999;
const SKIPPED_S = 0.1; // more than browsers leave out where a film is paused

const main = document.getElementById("main");
const storage = openStorage();
let participant = 0;
let steps = [];
let rows = []; // one for each answer, in the order of COLUMNS, as texts
let saved = 0; // rows that are in a file

/* ---- elements ---- */

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function show(title, ...content) {
  const heading = make("h1", { tabIndex: -1 }, ...[title].flat());
  main.replaceChildren(heading, ...content);
  window.scrollTo(0, 0);
  heading.focus();
}

/* ---- storage: a page that was opened from a file may have none ---- */

function openStorage() {
  try {
    const store = window.localStorage;
    store.setItem("sonorama-study", "");
    store.removeItem("sonorama-study");
    return store;
  } catch {
    return null;
  }
}

const keyOf = (number) => `sonorama-study-${study.version}-${number}`;

function store(name, text) {
  try {
    storage?.setItem(keyOf(name), text);
    return storage !== null;
  } catch { // full
    return false;
  }
}

/* ---- what a participant goes through ---- */

function stepsFor(number) {
  const turn = number - 1;
  const planned = [];
  study.soundOrders[turn % study.soundOrders.length].forEach((index, trial) => {
    const sound = study.sounds[index];
    const order = study.modelOrders[(turn + index) % study.modelOrders.length].map((model) => study.models[model]);
    const common = { trial: trial + 1, sound: sound.code, order, films: order.map((model) => sound.films[model]) };
    if (sound.reference) planned.push({ ...common, kind: "real", film: sound.reference, questions: [] });
    order.forEach((model, at) => planned.push({
      ...common, kind: "film", film: sound.films[model], model, number: at + 1, questions: RATINGS.map((r) => r.name),
    }));
    planned.push({ ...common, kind: "choice", questions: ["naturalness"] });
  });
  return planned;
}

// The step after the answers given; a real video is shown again if nothing of its sound was answered.
function nextStep() {
  let left = rows.length;
  let real = null;
  for (const step of steps) {
    if (step.kind === "real") real = step;
    else if (left >= step.questions.length) {
      left -= step.questions.length;
      real = null;
    } else return real ?? step;
  }
  return null;
}

function rowOf(step, question, answer, seconds) {
  const model = step.kind === "film" ? step.model : answer;
  const values = [participant, step.trial, step.sound, model, question, answer, seconds, step.order.join(""), study.version];
  return values.map(String);
}

const csv = () => [COLUMNS, ...rows].map((row) => `${row.join(",")}\n`).join("");

// Rows of a saved file, as far as they are this participant's answers in the planned order; whole steps only.
function readRows(text, number) {
  const planned = stepsFor(number);
  const lines = text.split(/\r?\n/).slice(1).filter(Boolean).map((line) => line.split(","));
  const found = [];
  for (const step of planned) {
    const part = lines.slice(found.length, found.length + step.questions.length);
    const fits = part.length === step.questions.length && part.every((row, at) => row[0] === String(number) && fitsStep(row, step, at));
    if (!fits) break;
    found.push(...part);
  }
  return found;
}

function fitsStep(row, step, at) {
  const [, trial, sound, model, question, answer, seconds, order, version] = row;
  const answers = step.kind === "film" ? ["1", "2", "3", "4", "5"] : step.order;
  return row.length === COLUMNS.length && version === study.version && trial === String(step.trial) &&
    sound === step.sound && question === step.questions[at] && answers.includes(answer) &&
    model === (step.kind === "film" ? step.model : answer) && /^[0-9]+\.[0-9]$/.test(seconds) && order === step.order.join("");
}

function answer(step, answers, since) {
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  step.questions.forEach((question) => rows.push(rowOf(step, question, answers[question], seconds)));
  const kept = store(participant, csv());
  tellKept(kept);
  proceed();
}

/* ---- saving ---- */

function save() {
  const state = rows.length === answersOf(steps) ? "" : "-unfinished";
  const link = make("a", {
    href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })),
    download: `study-${study.version}-participant-${participant}${state}.csv`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  saved = rows.length;
}

const answersOf = (planned) => planned.reduce((sum, step) => sum + step.questions.length, 0);

function tellKept(kept) {
  document.getElementById("kept").textContent = kept
    ? "You may close this page and continue later in this browser."
    : "This browser keeps no answers. Before you close this page, save them; you can continue from that file.";
}

window.addEventListener("beforeunload", (event) => {
  if (storage === null && saved < rows.length) event.preventDefault();
});

/* ---- films ---- */

function playedThrough(video) {
  let until = 0;
  for (let part = 0; part < video.played.length; part += 1) {
    if (video.played.start(part) > until + SKIPPED_S) return false;
    until = Math.max(until, video.played.end(part));
  }
  return until > video.duration - SKIPPED_S;
}

// A film with a button and no way to skip; `done` is called when it was played from beginning to end.
function filmOf(file, name, done) {
  const video = make("video", { src: file, preload: "auto", playsInline: true, disablePictureInPicture: true });
  video.setAttribute("aria-label", name);
  const played = make("progress", { className: "played", max: 1, value: 0, ariaHidden: "true" });
  const button = make("button", { type: "button" }, "Play");
  const problem = make("p", { className: "problem", role: "alert", hidden: true });
  const toggle = () => (video.paused ? start(video) : video.pause());
  const label = (text) => {
    button.textContent = text;
    button.setAttribute("aria-label", `${text}: ${name}`);
  };
  label("Play");
  button.addEventListener("click", toggle);
  video.addEventListener("click", toggle);
  video.addEventListener("play", () => label("Pause"));
  video.addEventListener("pause", () => label(video.ended ? "Play again" : "Play"));
  video.addEventListener("ratechange", () => { if (video.playbackRate !== 1) video.playbackRate = 1; });
  video.addEventListener("timeupdate", () => { played.value = video.currentTime / video.duration || 0; });
  video.addEventListener("ended", () => {
    label("Play again");
    const whole = playedThrough(video);
    problem.hidden = whole;
    if (whole) done?.();
    else {
      problem.textContent = "A part was skipped. Please play the whole video.";
      video.load();
      label("Play");
    }
  });
  video.addEventListener("error", () => {
    problem.textContent = `This browser cannot play ${file}. Is it beside this page? Any current browser plays it.`;
    problem.hidden = false;
  });
  return make("div", { className: "film" }, video, played, button, problem);
}

// One film at a time.
function start(video) {
  document.querySelectorAll("video").forEach((other) => { if (other !== video) other.pause(); });
  video.play().catch(() => {}); // the error event tells
}

/* ---- screens ---- */

function proceed() {
  const step = nextStep();
  const total = answersOf(steps);
  const progress = document.getElementById("progress");
  progress.hidden = false;
  progress.value = rows.length / total;
  progress.textContent = `${rows.length} of ${total} answers`;
  document.getElementById("footer").hidden = step === null;
  if (step === null) return end();
  const where = `Sound ${step.trial} of ${study.sounds.length}`;
  document.getElementById("where").textContent = where;
  if (step.kind === "real") return showReal(step);
  return step.kind === "film" ? rate(step) : choose(step);
}

function showReal(step) {
  const next = make("button", { type: "button", className: "main", disabled: true }, "Next");
  const film = filmOf(step.film, "Real video", () => { next.disabled = false; });
  next.addEventListener("click", () => {
    const at = steps.indexOf(step);
    rate(steps[at + 1]);
  });
  show(
    ["This video is ", make("span", { className: "badge" }, "real")],
    make("p", {}, "Watch it to its end. The videos after it were made by computer programs for the same kind of sound."),
    film, make("div", { className: "row" }, next),
  );
}

function rate(step) {
  const answers = {};
  let since = 0;
  const next = make("button", { type: "button", className: "main", disabled: true }, "Next");
  const scales = RATINGS.map((rating) => scaleOf(rating, (value) => {
    answers[rating.name] = value;
    next.disabled = !RATINGS.every((one) => one.name in answers);
  }));
  const film = filmOf(step.film, `Video ${step.number}`, () => {
    since = since || performance.now();
    scales.forEach((scale) => { scale.disabled = false; });
  });
  next.addEventListener("click", () => answer(step, answers, since));
  const title = `Video ${step.number} of ${step.order.length}`;
  const rating = make("div", { className: "rating" }, ...scales, make("div", { className: "row" }, next));
  show(title, make("p", {}, "Watch it to its end, then answer both questions."),
    make("div", { className: "watch" }, film, rating));
}

function scaleOf(rating, chosen) {
  const scale = make("div", { className: "scale" });
  for (const value of ["1", "2", "3", "4", "5"]) {
    const input = make("input", { type: "radio", name: rating.name, value });
    const hint = value === "1" ? rating.low : value === "5" ? rating.high : value;
    input.setAttribute("aria-label", hint);
    input.addEventListener("change", () => chosen(value));
    scale.append(make("label", {}, input, value));
  }
  const ends = make("div", { className: "ends", ariaHidden: "true" }, make("span", {}, rating.low), make("span", {}, rating.high));
  return make("fieldset", { disabled: true }, make("legend", {}, rating.text), scale, ends);
}

function choose(step) {
  const since = performance.now();
  let chosen = null;
  const next = make("button", { type: "button", className: "main", disabled: true }, "Next");
  const cards = step.order.map((model, at) => {
    const name = `Video ${at + 1}`;
    const input = make("input", { type: "radio", name: "naturalness", value: String(at + 1) });
    input.addEventListener("change", () => {
      chosen = model;
      next.disabled = false;
    });
    return make("div", {}, filmOf(step.films[at], name), make("label", {}, input, name));
  });
  next.addEventListener("click", () => answer(step, { naturalness: chosen }, since));
  const legend = make("legend", {}, "Choose the video that looks most natural with this sound.");
  show("Which video is the most natural?", make("p", {}, "You may play them again."),
    make("fieldset", {}, legend, make("div", { className: "choice" }, ...cards)), make("div", { className: "row" }, next));
}

function end() {
  document.getElementById("where").textContent = `Participant ${participant}: all ${rows.length} answers given`;
  const note = make("p", { role: "status" });
  const button = make("button", { type: "button", className: "main", id: "save" }, "Save your answers");
  button.addEventListener("click", () => {
    save();
    note.textContent = "Saved among your downloads. Please give this file to the person who runs the study.";
  });
  show("Thank you!", make("p", {}, "Nothing was sent anywhere. Your answers are saved as a small file (CSV)."),
    make("div", { className: "row" }, button), note);
}

/* ---- the first screen ---- */

function begin(number, answers) {
  participant = number;
  steps = stepsFor(number);
  rows = answers;
  saved = 0;
  const kept = store(participant, csv());
  store("last", String(participant));
  tellKept(kept);
  proceed();
}

function keptRows(number) {
  const text = storage?.getItem(keyOf(number));
  return text ? readRows(text, number) : [];
}

async function fromFile(file) {
  const text = file.size < 10000000 ? await file.text() : "";
  const number = Number(text.split(/\r?\n/)[1]?.split(",")[0]);
  const answers = isParticipant(number) ? readRows(text, number) : [];
  if (answers.length === 0) return false;
  begin(number, answers);
  return true;
}

const isParticipant = (number) => Number.isInteger(number) && number >= 1 && number <= LARGEST_PARTICIPANT;

function testTone() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  gain.gain.value = 0.1;
  tone.connect(gain).connect(audio.destination);
  tone.frequency.value = 440;
  tone.start();
  tone.stop(audio.currentTime + 1);
  tone.addEventListener("ended", () => audio.close());
}

function welcome() {
  const real = study.sounds.some((sound) => sound.reference);
  const count = study.models.length;
  const last = Number(storage?.getItem(keyOf("last")));
  const input = make("input", { type: "number", id: "participant", min: 1, max: LARGEST_PARTICIPANT, step: 1, required: true });
  input.value = String(isParticipant(last + 1) ? last + 1 : 1);
  const go = make("button", { type: "submit", className: "main" }, "Start");
  const note = make("p", { role: "status" });
  const look = () => {
    const number = input.valueAsNumber;
    const answers = isParticipant(number) ? keptRows(number) : [];
    go.textContent = answers.length ? "Continue" : "Start";
    note.textContent = answers.length
      ? `Participant ${number} has given ${answers.length} of ${answersOf(stepsFor(number))} answers in this browser. ` +
        "If that was somebody else, use another number."
      : "";
  };
  input.addEventListener("input", look);
  const form = make("form", { className: "row", noValidate: true }, make("label", { htmlFor: "participant" }, "Participant number"), input, go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = input.valueAsNumber;
    if (isParticipant(number)) begin(number, keptRows(number));
    else note.textContent = `Type a whole number from 1 to ${LARGEST_PARTICIPANT}.`;
  });
  const tone = make("button", { type: "button" }, "Play a test tone");
  tone.addEventListener("click", testTone);
  const pick = make("input", { type: "file", id: "file", accept: ".csv,text/csv" });
  pick.addEventListener("change", async () => {
    if (!(await fromFile(pick.files[0]))) note.textContent = "That file holds no answers to this study.";
  });
  show(
    "Videos and their sound",
    make("p", {}, `You will watch short videos with ${study.sounds.length} different sounds. For each sound you see ` +
      `${real ? "a real video first, then " : ""}${count} videos that were made by computer programs. You say how real each ` +
      "of them looks and how well it goes with its sound, and at the end which one is the most natural."),
    make("p", {}, `This takes about ${study.minutes} minute${study.minutes === 1 ? "" : "s"}. Nothing is sent anywhere: your ` +
      "answers are saved as a file, which you give to the person who runs the study."),
    make("p", {}, "Use headphones or loudspeakers at a comfortable volume."),
    make("div", { className: "row" }, tone),
    form, note,
    make("details", {}, make("summary", {}, "Continue from a saved file"), make("div", { className: "row" },
      make("label", { htmlFor: "file" }, "File with your answers so far"), pick)),
  );
  look();
}

document.documentElement.style.setProperty("--ratio", String(study.size[0] / study.size[1]));
document.getElementById("pause").addEventListener("click", save);
welcome();

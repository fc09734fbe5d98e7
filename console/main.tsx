import { render } from "preact";
import { App } from "./app.js";
import { AppState } from "./app-state.js";
import { applyTheme } from "./theme.js";

applyTheme();
const state = new AppState();
const page = document.getElementById("page");
if (page !== null) render(<App state={state} />, page);
await state.start();

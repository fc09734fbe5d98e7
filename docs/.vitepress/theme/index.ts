import theme from "vitepress/theme-without-fonts";
import { definePlayground } from "./playground-element.js";
import "./style.css";

definePlayground();

export default theme;

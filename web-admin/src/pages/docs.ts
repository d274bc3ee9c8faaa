import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import { applyScheme, showCaller } from "./frame";

const dark = applyScheme() === "dark";
document.documentElement.classList.toggle("dark-mode", dark);

SwaggerUI({
  url: "/openapi.json",
  dom_id: "#root",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
  // The browser's own cookie signs each request; nothing needs to be pasted.
  persistAuthorization: false,
});
void showCaller();
